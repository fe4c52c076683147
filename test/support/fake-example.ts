import { textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export interface FakeExample {
  readonly provider: FakeProvider;
  /** The only token it accepts, unless it is told otherwise. */
  readonly token: string;
  /** Which tokens it accepts from now on. */
  accept(isGood: (token: string) => boolean): void;
  /** Creates this many issues, as other people would. */
  addIssues(count: number): void;
  /** By their keys, as other people would. */
  comment(issue: string, text: string): void;
  close(issue: string): void;
  readonly hooks: readonly ExampleHook[];
  /** All that happened there, oldest first, in the bodies that webhooks would bring. */
  readonly events: readonly ExampleEvent[];
}

/** An entry of its log. */
export interface ExampleEvent {
  readonly id: string;
  readonly type: string;
  readonly occurred_at: string;
  readonly issue: object;
}

/** A webhook of its one project. */
export interface ExampleHook {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly events: readonly string[];
}

interface Thing {
  readonly id: string;
  readonly body: string;
  readonly createdAt: Date;
  readonly answer: Readonly<Record<string, unknown>>;
}

const PAGE_SIZE = 100;

/** The invented API of connectors/example, with one project, `DEMO`, that has one issue, `DEMO-1`. */
export async function startFakeExample(clock: Clock): Promise<FakeExample> {
  const provider = await startFakeProvider();
  const token = 'ex_live_2f9c6a1d7e';
  let isAccepted = (given: string): boolean => given === token;
  const issues: Thing[] = [];
  const commentsByKey = new Map<string, FakeAnswer>();
  const entries: ExampleEvent[] = [];

  function addEvent(type: string, more: { readonly issue: object; readonly comment?: object }): void {
    const fields = { project: 'DEMO', actor: { id: 'usr_7', name: 'Ada' }, ...more };
    entries.push({
      id: `evt_${entries.length + 1}`,
      type,
      occurred_at: clock.now().toISOString(),
      ...fields,
    });
  }

  /** A log: the cursor is the place of an entry, and leads on also where nothing follows yet. */
  function listEvents({ query }: FakeRequest): FakeAnswer {
    const since = entries.findIndex(({ occurred_at: at }) => at >= (query['since'] ?? ''));
    const start = Number(query['cursor'] ?? (since < 0 ? entries.length : since));
    const items = entries.slice(start, start + Math.min(Number(query['limit'] ?? PAGE_SIZE), PAGE_SIZE));
    const end = start + items.length;
    return { status: 200, body: { items, next_cursor: String(end), has_more: end < entries.length } };
  }

  function addIssue(title: string, body: string): Thing {
    const key = `DEMO-${issues.length + 1}`;
    const answer = { id: `iss_${issues.length + 1}`, key, title, url: `https://example.com/issues/${key}` };
    const issue = { id: answer.id, body, createdAt: clock.now(), answer };
    issues.push(issue);
    addEvent('issue.created', { issue: { ...answer, state: 'open' } });
    return issue;
  }

  function createIssue({ body }: FakeRequest): FakeAnswer {
    const { title, body: text = '' } = body as { title?: unknown; body?: unknown };
    if (typeof title !== 'string') return exampleError(422);
    provider.addEffect('issue');
    return { status: 201, body: addIssue(title, String(text)).answer };
  }

  /** Newest first, so that what one looks for moves away from the first page. */
  function listIssues({ query }: FakeRequest): FakeAnswer {
    const after = new Date(query['created_after'] ?? 0);
    const found = issues.filter(({ createdAt }) => createdAt >= after).toReversed();
    const start = Number(query['cursor'] ?? 0);
    const end = start + Math.min(Number(query['limit'] ?? PAGE_SIZE), PAGE_SIZE);
    const items = found.slice(start, end).map(({ answer, body }) => ({ ...answer, body }));
    return { status: 200, body: { items, next_cursor: end < found.length ? String(end) : null } };
  }

  function addComment({ headers, body }: Pick<FakeRequest, 'headers' | 'body'>, issue?: string): FakeAnswer {
    const about = issues.find(({ answer }) => answer['key'] === issue);
    if (!about) return exampleError(404);
    const key = headers['idempotency-key'] ?? crypto.randomUUID();
    const known = commentsByKey.get(key);
    if (known) return known;
    provider.addEffect('comment');
    const id = `com_${commentsByKey.size + 1}`;
    const url = `https://example.com/issues/${issue}#${id}`;
    const answer = { status: 201, body: { id, url } };
    addEvent('comment.created', { issue: about.answer, comment: { id, url, body: textAt(body, 'body') } });
    commentsByKey.set(key, answer);
    return answer;
  }

  const hooks: ExampleHook[] = [];
  let lastHook = 0;

  /** As many of one URL as are asked for. */
  function createHook({ body }: FakeRequest): FakeAnswer {
    const { url, secret, events } = body as Partial<ExampleHook>;
    if (!url || !secret || !events) return exampleError(422);
    provider.addEffect('webhook');
    const hook = { id: `whk_${++lastHook}`, url, secret, events };
    hooks.push(hook);
    return { status: 201, body: { id: hook.id } };
  }

  /** What is given replaces what was there. */
  function changeHook({ body }: FakeRequest, index: number): FakeAnswer {
    const changed = { ...hooks[index]!, ...(body as Partial<ExampleHook>) };
    hooks[index] = changed;
    return { status: 200, body: { id: changed.id } };
  }

  const on = (route: string, handle: (request: FakeRequest, params: Record<string, string>) => FakeAnswer) =>
    provider.on(route, (request, params) => {
      const [scheme, given = ''] = (request.headers['authorization'] ?? '').split(' ');
      if (scheme !== 'Bearer' || !isAccepted(given)) return exampleError(401);
      if ('project' in params && params['project'] !== 'DEMO') return exampleError(404);
      return handle(request, params);
    });
  on('GET /v1/me', () => ({
    status: 200,
    headers: { 'example-scopes': 'issues:read issues:write webhooks:write' },
    body: { id: 'acc_1', name: 'Ada' },
  }));
  on('GET /v1/events', listEvents);
  on('POST /v1/projects/{project}/issues', createIssue);
  on('GET /v1/projects/{project}/issues', listIssues);
  on('POST /v1/projects/{project}/issues/{issue}/comments', (request, { issue }) =>
    addComment(request, issue),
  );

  const HOOKS = '/v1/projects/{project}/webhooks';
  const onHook = (method: string, handle: (request: FakeRequest, index: number) => FakeAnswer) =>
    on(`${method} ${HOOKS}/{id}`, (request, params) => {
      const index = hooks.findIndex(({ id }) => id === params['id']);
      return index < 0 ? exampleError(404) : handle(request, index);
    });
  on(`POST ${HOOKS}`, createHook);
  on(`GET ${HOOKS}`, () => ({
    status: 200,
    // Without secrets, as everybody lists them.
    body: { items: hooks.map(({ id, url, events }) => ({ id, url, events })) },
  }));
  onHook('PATCH', changeHook);
  onHook('DELETE', (_, index) => {
    hooks.splice(index, 1);
    return { status: 204 };
  });

  addIssue('The first one', 'Here to be commented on.');
  return {
    provider,
    token,
    accept: (isGood) => void (isAccepted = isGood),
    hooks,
    events: entries,
    comment: (issue, body) => void addComment({ headers: {}, body: { body } }, issue),
    close(issue) {
      const about = issues.find(({ answer }) => answer['key'] === issue);
      if (about) addEvent('issue.closed', { issue: { ...about.answer, state: 'closed' } });
    },
    addIssues(count) {
      for (let made = 0; made < count; made++) addIssue('Another one', 'By someone else.');
    },
  };
}

/** An error in the provider's own form. */
export function exampleError(status: number): FakeAnswer {
  return { status, body: { error: { code: `e${status}`, message: `Example says ${status}.` } } };
}
