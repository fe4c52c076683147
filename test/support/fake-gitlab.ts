import type { Clock } from '../../src/core/clock.js';
import {
  type Issue,
  type MergeRequest,
  PROJECT,
  type Status,
  gitlabError,
  page,
  toIssue,
  toMergeRequest,
  toNote,
  toNoteEvent,
  toListedPipeline,
  toPipeline,
  toStatus,
  user,
} from './fake-gitlab-answers.js';
import { HEAD_SHA, type TanukiDemo, createTanukiDemo } from './fake-gitlab-data.js';
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeProvider,
  type FakeRequest,
  startFakeProvider,
} from './fake-provider.js';

export { gitlabError } from './fake-gitlab-answers.js';
export { HEAD_SHA } from './fake-gitlab-data.js';

export interface FakeGitLab {
  readonly provider: FakeProvider;
  /** The only token it accepts: a personal one with the scope `api`. */
  readonly token: string;
  /** What is in it, and what people do there. */
  readonly tanuki: TanukiDemo;
}

interface IssueBody {
  readonly title?: string;
  readonly description?: string;
  readonly labels?: readonly string[];
  readonly assignee_ids?: readonly number[];
  readonly state_event?: string;
}

interface StatusBody {
  readonly state?: string;
  readonly name?: string;
  readonly description?: string;
  readonly target_url?: string;
}

const STATES = new Set(['pending', 'running', 'success', 'failed', 'canceled', 'skipped']);

/** The part of GitLab's REST API that our connector calls, with the one project of {@link createTanukiDemo}. */
export async function startFakeGitLab(clock: Clock): Promise<FakeGitLab> {
  const provider = await startFakeProvider();
  const token = ['glpat', 'of_the_fake_and_of_nobody_else'].join('-');
  const tanuki = createTanukiDemo(clock);
  const { issues, mergeRequests, statuses } = tanuki;

  function createIssue({ body }: FakeRequest): FakeAnswer {
    const { title, description = null, labels = [], assignee_ids: assigneeIds = [] } = body as IssueBody;
    if (!title) return gitlabError(400, { title: ["can't be blank"] });
    provider.addEffect('issue');
    return { status: 201, body: toIssue(tanuki.addIssue({ title, description, labels, assigneeIds })) };
  }

  /** What is not given stays. What is as it was is no effect. */
  function updateIssue({ body }: FakeRequest, issue: Issue): FakeAnswer {
    const before = JSON.stringify(toIssue(issue));
    const { title, description, labels, assignee_ids: assigneeIds, state_event: event } = body as IssueBody;
    if (event !== undefined && event !== 'close' && event !== 'reopen') return gitlabError(400);
    if (event === 'close' && !issue.closedAt) tanuki.close(issue);
    if (event === 'reopen' && issue.closedAt) tanuki.reopen(issue);
    if (title !== undefined) issue.title = title;
    if (description !== undefined) issue.description = description;
    if (labels !== undefined) issue.labels = labels;
    if (assigneeIds !== undefined) issue.assigneeIds = assigneeIds;
    if (JSON.stringify(toIssue(issue)) !== before) provider.addEffect('change');
    return { status: 200, body: toIssue(issue) };
  }

  function createNote({ body }: FakeRequest, kind: Kind, item: Issue | MergeRequest): FakeAnswer {
    const { body: text } = body as { body?: string };
    if (!text) return gitlabError(400, '400 (Bad request) "Note" not given');
    provider.addEffect('note');
    return { status: 201, body: toNote(tanuki.addNote(item, text), kind, item) };
  }

  /** https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request */
  function merge({ body }: FakeRequest, item: MergeRequest): FakeAnswer {
    const { sha } = (body ?? {}) as { sha?: string };
    if (item.merged || !item.isMergeable) return gitlabError(405);
    if (sha && sha !== item.sha) return gitlabError(409);
    provider.addEffect('merge');
    tanuki.merge(item);
    return { status: 200, body: toMergeRequest(item) };
  }

  /** https://docs.gitlab.com/api/commits/#set-commit-pipeline-status: what ended can't end in the same way again. */
  function createStatus({ body }: FakeRequest, sha: string): FakeAnswer {
    const {
      state = '',
      name = 'default',
      description = null,
      target_url: targetUrl = null,
    } = body as StatusBody;
    if (sha !== HEAD_SHA) return gitlabError(404, '404 Commit Not Found');
    if (!STATES.has(state)) return gitlabError(400, 'state does not have a valid value');
    const before = statuses.findLast((status) => status.name === name);
    if (!before || !saysTheSame(before, state, description, targetUrl)) provider.addEffect('status');
    return {
      status: 201,
      body: toStatus(tanuki.setStatus({ sha, name, status: state, description, targetUrl })),
    };
  }

  /** The latest of each name. */
  function listStatuses(request: FakeRequest, sha: string): FakeAnswer {
    if (sha !== HEAD_SHA) return gitlabError(404, '404 Commit Not Found');
    const latest = new Map(statuses.map((status) => [status.name, status]));
    const { name } = request.query;
    const found = [...latest.values()].filter((status) => name === undefined || status.name === name);
    return page(found.map(toStatus), request);
  }

  function createPipeline({ body }: FakeRequest): FakeAnswer {
    const { ref, variables = [] } = body as { ref?: string; variables?: unknown };
    if (!ref || !Array.isArray(variables)) return gitlabError(400, { base: ['Reference not found'] });
    provider.addEffect('pipeline');
    return { status: 201, body: toPipeline(tanuki.addPipeline({ ref })) };
  }

  /** https://docs.gitlab.com/api/events: `after` is a day, and the day is not in it. */
  function listEvents(request: FakeRequest): FakeAnswer {
    const { action, after = '', sort } = request.query;
    if (action !== 'commented') return gitlabError(400);
    const found = [
      ...issues.flatMap((item) => item.notes.map((note) => toNoteEvent(note, 'Issue', item))),
      ...mergeRequests.flatMap((item) => item.notes.map((note) => toNoteEvent(note, 'MergeRequest', item))),
    ].filter(({ created_at: at }) => at.slice(0, 10) > after);
    const sorted = found.toSorted((one, other) => one.created_at.localeCompare(other.created_at));
    return page(sort === 'asc' ? sorted : sorted.toReversed(), request);
  }

  const on = (route: string, handle: FakeHandler): void =>
    provider.on(route, (request, params) => {
      const { status, headers, body } = guard(request, params) ?? handle(request, params);
      return { status, headers: { ...rateLimit(clock, provider.requests.length), ...headers }, body };
    });

  function guard({ headers }: FakeRequest, { id }: Readonly<Record<string, string>>): FakeAnswer | undefined {
    if (headers['authorization'] !== `Bearer ${token}`) return gitlabError(401);
    return id !== undefined && id !== PROJECT ? gitlabError(404, '404 Project Not Found') : undefined;
  }

  function onItem<T extends Issue | MergeRequest>(
    route: string,
    items: readonly T[],
    handle: (request: FakeRequest, item: T) => FakeAnswer,
  ): void {
    on(route, (request, { iid }) => {
      const item = items.find((candidate) => String(candidate.iid) === iid);
      return item ? handle(request, item) : gitlabError(404);
    });
  }

  on('GET /user', () => ({ status: 200, body: user }));
  on('GET /users', ({ query }) => ({ status: 200, body: query['username'] === user.username ? [user] : [] }));
  on('GET /personal_access_tokens/self', () => ({
    status: 200,
    body: { id: 1, name: 'fake', active: true, revoked: false, scopes: ['api'], user_id: user.id },
  }));
  const project = '/projects/{id}';
  on(`POST ${project}/issues`, createIssue);
  on(`GET ${project}/issues`, (request) => page(inOrder(issues, request).map(toIssue), request));
  onItem(`PUT ${project}/issues/{iid}`, issues, updateIssue);
  on(`GET ${project}/merge_requests`, (request) =>
    page(inOrder(mergeRequests, request).map(toMergeRequest), request),
  );
  onItem(`GET ${project}/merge_requests/{iid}`, mergeRequests, (_, item) => ({
    status: 200,
    body: toMergeRequest(item),
  }));
  onItem(`PUT ${project}/merge_requests/{iid}/merge`, mergeRequests, merge);
  for (const [path, kind, items] of [
    ['issues', 'Issue', issues],
    ['merge_requests', 'MergeRequest', mergeRequests],
  ] as const) {
    const route = `${project}/${path}/{iid}/notes`;
    onItem<Issue | MergeRequest>(`POST ${route}`, items, (request, item) => createNote(request, kind, item));
    onItem<Issue | MergeRequest>(`GET ${route}`, items, (request, item) => listNotes(request, kind, item));
  }
  on(`POST ${project}/statuses/{sha}`, (request, { sha = '' }) => createStatus(request, sha));
  on(`GET ${project}/repository/commits/{sha}/statuses`, (request, { sha = '' }) =>
    listStatuses(request, sha),
  );
  on(`POST ${project}/pipeline`, createPipeline);
  on(`GET ${project}/pipelines`, (request) =>
    page(inOrder(tanuki.pipelines, request).map(toListedPipeline), request),
  );
  on(`GET ${project}/pipelines/{pipeline}`, (_, { pipeline }) => {
    const found = tanuki.pipelines.find((one) => String(one.id) === pipeline);
    return found ? { status: 200, body: toPipeline(found) } : gitlabError(404);
  });
  on(`GET ${project}/events`, listEvents);

  return { provider, token, tanuki };
}

type Kind = 'Issue' | 'MergeRequest';

/** Newest first, unless it was asked for otherwise. */
function listNotes(request: FakeRequest, kind: Kind, item: Issue | MergeRequest): FakeAnswer {
  const notes = item.notes.map((note) => toNote(note, kind, item));
  return page(request.query['sort'] === 'asc' ? notes : notes.toReversed(), request);
}

/** By creation, newest first, unless it was asked for otherwise; `…_after` has the moment itself in it. */
function inOrder<T extends Pick<Issue, 'createdAt' | 'updatedAt'>>(
  items: readonly T[],
  { query }: FakeRequest,
): readonly T[] {
  const field = query['order_by'] === 'updated_at' ? 'updatedAt' : 'createdAt';
  const sorted = items
    .filter((item) => isAfter(item.updatedAt, query['updated_after']))
    .filter((item) => isAfter(item.createdAt, query['created_after']))
    .toSorted((one, other) => one[field].getTime() - other[field].getTime());
  return query['sort'] === 'asc' ? sorted : sorted.toReversed();
}

const isAfter = (time: Date, after: string | undefined): boolean => !after || time >= new Date(after);

/** https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers */
function rateLimit(clock: Clock, used: number): Record<string, string> {
  return {
    'ratelimit-name': 'throttle_authenticated_api',
    'ratelimit-limit': '2000',
    'ratelimit-observed': String(used),
    'ratelimit-remaining': String(2000 - used),
    'ratelimit-reset': String(Math.ceil(clock.now().getTime() / 60_000) * 60),
  };
}

function saysTheSame(
  before: Status,
  state: string,
  description: string | null,
  targetUrl: string | null,
): boolean {
  return before.status === state && before.description === description && before.targetUrl === targetUrl;
}
