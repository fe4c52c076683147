import { textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeDynamicHooks, serveDynamicHooks } from './fake-jira-dynamic.js';
import { type FakeHook, serveHooks } from './fake-jira-hooks.js';
import {
  type Change,
  type Comment,
  type Issue,
  type Shop,
  ada,
  createShop,
  jiraTime,
  jqlTime,
  lin,
} from './fake-jira-data.js';
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeProvider,
  type FakeRequest,
  startFakeProvider,
} from './fake-provider.js';

export const SITE = 'https://acme.atlassian.net';
export const CLOUD_ID = '11223344-a1b2-4b33-8444-def123456789';
export const EMAIL = 'ada@acme.example';

export interface FakeJira {
  readonly provider: FakeProvider;
  /** Good at the gateway, and at no site. */
  readonly accessToken: string;
  /** Of {@link EMAIL}; good at the site, and not at the gateway. */
  readonly apiToken: string;
  readonly shop: Shop;
  readonly hooks: readonly FakeHook[];
  /** What the OAuth app has registered by API, at the gateway. */
  readonly dynamic: FakeDynamicHooks;
  /** What the grant is for. */
  resources: object[];
  /** More than a page of issues and comments, as other people make them. */
  crowd(): void;
}

const API = '/rest/api/3';
const GATEWAY = `/ex/jira/${CLOUD_ID}`;

/** The part of Jira's REST API that our connector calls: a site, and the gateway that leads to it. */
export async function startFakeJira(clock: Clock): Promise<FakeJira> {
  const provider = await startFakeProvider();
  const [accessToken, apiToken] = ['access_token_of_the_fake', 'api_token_of_the_fake'];
  const shop = createShop(clock);
  const basic = `Basic ${Buffer.from(`${EMAIL}:${apiToken}`).toString('base64')}`;

  const guarded =
    (proof: string, handle: FakeHandler): FakeHandler =>
    (request, params) =>
      request.headers['authorization'] === proof ? handle(request, params) : unauthorized(proof !== basic);
  const onGateway = (route: string, handle: FakeHandler): void =>
    provider.on(route.replace(' ', ` ${GATEWAY}`), guarded(`Bearer ${accessToken}`, handle));

  /** On the site and behind the gateway, each with its own proof. */
  function on(route: string, handle: FakeHandler): void {
    provider.on(route, guarded(basic, handle));
    onGateway(route, handle);
  }

  const onIssue = (route: string, handle: (issue: Issue, request: FakeRequest) => FakeAnswer): void =>
    on(route, (request, { issue: key }) => {
      const issue = shop.find(key);
      return issue ? handle(issue, request) : jiraError(404);
    });

  const fake: FakeJira = {
    provider,
    accessToken,
    apiToken,
    shop,
    hooks: serveHooks(provider, on),
    dynamic: serveDynamicHooks(provider, clock, (route, handle) =>
      onGateway(route.replace(' ', ` ${API}`), handle),
    ),
    resources: [
      {
        id: CLOUD_ID,
        url: SITE,
        name: 'acme',
        scopes: ['read:jira-user', 'read:jira-work', 'write:jira-work'],
      },
    ],
    crowd() {
      const first = shop.find('SHOP-1');
      for (let made = 0; made < 120; made++) {
        shop.add({ summary: 'Another one', description: null }, lin);
        if (first) shop.comment(first, document('Another one'), lin);
      }
    },
  };
  provider.on('GET /oauth/token/accessible-resources', ({ headers }) =>
    headers['authorization'] === `Bearer ${accessToken}`
      ? { status: 200, body: fake.resources }
      : unauthorized(true),
  );
  on(`GET ${API}/myself`, () => ({
    status: 200,
    body: { self: `${SITE}${API}/user`, ...ada, emailAddress: EMAIL },
  }));
  on(`GET ${API}/search/jql`, (request) => search(shop, request));
  on(`POST ${API}/issue`, (request) => createIssue(provider, shop, request));
  onIssue(`GET ${API}/issue/{issue}`, (issue) => ({ status: 200, body: toIssue(issue) }));
  onIssue(`PUT ${API}/issue/{issue}`, (issue, { body, query }) => {
    const { fields = {} } = body as { fields?: Issue['fields'] };
    if ('description' in fields && !isDocument(fields['description'])) return invalid('description');
    if (shop.change(issue, resolved(fields))) provider.addEffect('issue');
    return query['returnIssue'] === 'true' ? { status: 200, body: toIssue(issue) } : { status: 204 };
  });
  onIssue(`GET ${API}/issue/{issue}/transitions`, (issue) => ({
    status: 200,
    body: { transitions: transitionsFrom(shop, issue) },
  }));
  onIssue(`POST ${API}/issue/{issue}/transitions`, (issue, { body }) => {
    const id = textAt(body, 'transition', 'id');
    const found = transitionsFrom(shop, issue).find((transition) => transition.id === id);
    if (!found) return invalid('transition');
    if (shop.change(issue, { status: found.to })) provider.addEffect('transition');
    return { status: 204 };
  });
  onIssue(`GET ${API}/issue/{issue}/comment`, listComments);
  onIssue(`POST ${API}/issue/{issue}/comment`, (issue, request) =>
    addComment(provider, shop, issue, request),
  );
  return fake;
}

/** Every status but the one it is in, by a transition with another name. */
function transitionsFrom({ statuses }: Shop, { fields }: Issue) {
  return statuses
    .filter((status) => status !== fields['status'])
    .map((to) => ({ id: `${to.id}1`, name: `Move to ${to.name}`, to }));
}

function createIssue(provider: FakeProvider, shop: Shop, { body }: FakeRequest): FakeAnswer {
  const { fields = {}, properties } = body as { fields?: Issue['fields']; properties?: Issue['properties'] };
  if (textAt(fields, 'project', 'key') !== 'SHOP') return invalid('project');
  if (typeof fields['summary'] !== 'string') return invalid('summary');
  if ('description' in fields && !isDocument(fields['description'])) return invalid('description');
  provider.addEffect('issue');
  const { id, key } = shop.add(resolved(fields), ada, properties);
  return { status: 201, body: { id, key, self: `${SITE}${API}/issue/${id}` } };
}

/** People by their ids become people. */
function resolved(fields: Issue['fields']): Issue['fields'] {
  const accountId = textAt(fields, 'assignee', 'accountId');
  const found = [ada, lin].find((person) => person.accountId === accountId);
  return found ? { ...fields, assignee: found } : fields;
}

function addComment(provider: FakeProvider, shop: Shop, issue: Issue, { body }: FakeRequest): FakeAnswer {
  const { body: text, properties } = body as { body?: unknown; properties?: readonly unknown[] };
  if (!isDocument(text)) return invalid('comment');
  provider.addEffect('comment');
  return { status: 201, body: toComment(issue, shop.comment(issue, text, ada, properties)) };
}

function listComments(issue: Issue, { query }: FakeRequest): FakeAnswer {
  const sorted = query['orderBy'] === '-created' ? issue.comments.toReversed() : issue.comments;
  const startAt = Number(query['startAt'] ?? 0);
  const maxResults = Math.min(Number(query['maxResults'] ?? 50), 100);
  const withProperties = query['expand'] === 'properties';
  const comments = sorted.slice(startAt, startAt + maxResults).map((comment) => ({
    ...toComment(issue, comment),
    ...(withProperties && { properties: comment.properties }),
  }));
  return { status: 200, body: { startAt, maxResults, total: issue.comments.length, comments } };
}

/** The JQL that the connector writes, and no other. */
function search(shop: Shop, { query }: FakeRequest): FakeAnswer {
  const jql = query['jql'] ?? '';
  const project = /project = "((?:[^"\\]|\\.)*)"/.exec(jql)?.[1];
  const since = /updated >= "(\d{4}-\d\d-\d\d \d\d:\d\d)"/.exec(jql)?.[1] ?? '';
  const order = /ORDER BY (updated ASC, key ASC|created DESC)$/.exec(jql)?.[1];
  if (!order) return { status: 400, body: { errorMessages: [`The fake can't read: ${jql}`], errors: {} } };
  if (project !== 'SHOP')
    return {
      status: 400,
      body: {
        errorMessages: [`The value '${project ?? ''}' does not exist for the field 'project'.`],
        errors: {},
      },
    };
  const mine = shop.issues.filter(
    ({ creator }) => !jql.includes('creator = currentUser()') || creator === ada,
  );
  const found = mine.filter(({ updated }) => jqlTime(updated) >= since);
  const sorted =
    order === 'created DESC'
      ? found.toReversed()
      : found.toSorted((a, b) => a.updated.getTime() - b.updated.getTime());
  const start = startOf(query['nextPageToken']);
  if (Number.isNaN(start))
    return { status: 400, body: { errorMessages: ['The token is not valid.'], errors: {} } };
  const end = start + Math.min(Number(query['maxResults'] ?? 50), 100);
  const isLast = end >= sorted.length;
  const issues = sorted.slice(start, end).map((issue) => expanded(issue, query));
  return { status: 200, body: { issues, isLast, ...(!isLast && { nextPageToken: `token-${end}` }) } };
}

function startOf(token: string | undefined): number {
  return token === undefined ? 0 : Number(/^token-(\d+)$/.exec(token)?.[1] ?? Number.NaN);
}

function expanded(issue: Issue, { fields: asked = 'id', expand, properties }: FakeRequest['query']) {
  const { fields, ...rest } = toIssue(issue);
  const names = asked.split(',');
  const shown = Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
  const own = issue.properties.filter(({ key }) => properties?.split(',').includes(key));
  return {
    ...rest,
    fields: shown,
    ...(expand === 'changelog' && {
      changelog: {
        startAt: 0,
        total: issue.changes.length,
        histories: issue.changes.map(toHistory).toReversed(),
      },
    }),
    ...(properties && { properties: Object.fromEntries(own.map(({ key, value }) => [key, value])) }),
  };
}

export function toIssue(issue: Issue) {
  const { id, key, fields, created, updated, creator, comments } = issue;
  return {
    id,
    key,
    self: `https://api.atlassian.com${GATEWAY}${API}/issue/${id}`,
    fields: {
      ...fields,
      project: { id: '10000', key: 'SHOP', name: 'Shop' },
      creator,
      reporter: creator,
      created: jiraTime(created),
      updated: jiraTime(updated),
      comment: {
        comments: comments.map((comment) => toComment(issue, comment)),
        total: comments.length,
        startAt: 0,
      },
    },
  };
}

export function toComment({ id: issue }: Issue, { id, at, body, author }: Comment) {
  const self = `https://api.atlassian.com${GATEWAY}${API}/issue/${issue}/comment/${id}`;
  return { self, id, body, author, updateAuthor: author, created: jiraTime(at), updated: jiraTime(at) };
}

export function toHistory({ id, at, items }: Change) {
  return { id, author: lin, created: jiraTime(at), items };
}

export function document(text: string) {
  return { type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text }] }] };
}

function isDocument(value: unknown): boolean {
  return value === null || (textAt(value, 'type') === 'doc' && textAt(value, 'version') === '1');
}

function invalid(field: string): FakeAnswer {
  return { status: 400, body: { errorMessages: [], errors: { [field]: `${field} is not valid.` } } };
}

/** The gateway has words of its own. */
function unauthorized(isGateway: boolean): FakeAnswer {
  return isGateway ? { status: 401, body: { code: 401, message: 'Unauthorized' } } : jiraError(401);
}

/** An error in Jira's own form. */
export function jiraError(status: number): FakeAnswer {
  return { status, body: { errorMessages: [`Jira says ${status}.`], errors: {} } };
}

export { ada };
