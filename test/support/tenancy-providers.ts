import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';
import { MARK, authorizationOf } from './tenancy-marks.js';
import { addMarkedHooks, addMarkedJira } from './tenancy-webhooks.js';

/** A GitHub where every tenant has accounts of its own: what it answers carries the mark of the token that asked. */
export async function startMarkedGitHub(): Promise<FakeProvider> {
  const provider = await startFakeProvider();
  let comments = 0;
  provider.on('GET /user', ({ headers }) => {
    const token = headers['authorization'] ?? '';
    const [mark] = token.match(MARK) ?? [];
    if (token.includes('refused')) return { status: 401, body: { message: `No token of ${mark}` } };
    const body = { id: 1, login: mark, html_url: `https://github.com/${mark}` };
    return { status: 200, headers: { 'x-oauth-scopes': 'repo' }, body };
  });
  provider.on('POST /repos/{owner}/{repo}/issues/{number}/comments', ({ headers }, { number }) => {
    const [mark] = headers['authorization']?.match(MARK) ?? [];
    if (number === '404') return { status: 404, body: { message: `No issue of ${mark}` } };
    comments += 1;
    return { status: 201, body: { id: comments, html_url: `https://github.com/${mark}#${comments}` } };
  });
  provider.on('GET /repos/{owner}/{repo}/issues/{number}/comments', () => ({ status: 200, body: [] }));
  addMarkedHooks(provider);
  return provider;
}

/** The provider of connectors/example with its tokens, the tenants' sinks and witnesses: what it did for whom. */
export interface MarkedExample {
  readonly url: string;
  /** How many events polls were given; each is given once a poll, and none twice. */
  handedOut(mark: string): number;
  /** How often an access token was renewed. */
  refreshed(mark: string): number;
  /** How often its webhook at Jira was renewed. */
  renewed(mark: string): number;
  /** What was sent to the tenant's sink. */
  sunk(mark: string): readonly FakeRequest[];
  /** What the tenant's witness was shown. */
  shown(mark: string): readonly FakeRequest[];
}

/** As everybody there has accounts of their own, ids are the same for all, and what is told carries the asker's mark. */
export function addMarkedExample(provider: FakeProvider): MarkedExample {
  const issued = new Set<string>();
  const handedOut = new Map<string, number>();
  const refreshed = new Map<string, number>();
  const keys = new Set<string>();

  /** Codes and refresh tokens are good for the client that they were made for. */
  function giveTokens(request: FakeRequest): FakeAnswer {
    const form = new URLSearchParams(request.text);
    const [mark = ''] = authorizationOf(request).match(MARK) ?? [];
    const isRefresh = form.get('grant_type') === 'refresh_token';
    const given = form.get(isRefresh ? 'refresh_token' : 'code') ?? '';
    if (!given.includes(mark)) return { status: 400, body: { error: 'invalid_grant' } };
    const n = isRefresh ? count(refreshed, mark) : 0;
    const token = `at-${mark}-${n}`;
    issued.add(token);
    const body = { token_type: 'Bearer', access_token: token, refresh_token: `rt-${mark}-${n}` };
    return { status: 200, body: { ...body, expires_in: 3_600, scope: 'openid read' } };
  }

  /** Something new happens before every look. */
  function listEvents(mark: string, { query }: FakeRequest): FakeAnswer {
    const start = Number(query['cursor'] ?? 0);
    const end = count(handedOut, mark);
    const items = Array.from({ length: end - start }, (_, index) => eventOf(mark, start + index + 1));
    return { status: 200, body: { items, next_cursor: String(end), has_more: false } };
  }

  /** The first answer to a key does not say what was made, so that nobody knows whether it was. */
  function comment({ headers, text }: FakeRequest): FakeAnswer {
    const key = headers['idempotency-key'] ?? '';
    if (!keys.has(key)) {
      keys.add(key);
      return { status: 201, body: {} };
    }
    const [mark] = text.match(MARK) ?? [];
    return { status: 201, body: { id: 'com_1', url: `https://example.com/${mark}` } };
  }

  const on = (route: string, handle: (mark: string, request: FakeRequest) => FakeAnswer): void =>
    provider.on(route, (request) => {
      const token = authorizationOf(request);
      const [mark = ''] = token.match(MARK) ?? [];
      return issued.has(token) ? handle(mark, request) : { status: 401, body: { error: { message: mark } } };
    });
  on('GET /v1/me', (mark) => {
    const headers = { 'example-scopes': 'issues:write events:read' };
    return { status: 200, headers, body: { id: 'acc_1', name: mark } };
  });
  on('GET /v1/events', listEvents);
  on('POST /v1/projects/{project}/issues/{issue}/comments', (_, request) => comment(request));
  provider.on('POST /token', giveTokens);
  provider.on('POST /sinks/{mark}', () => ({ status: 204 }));
  provider.on('POST /witnesses/{mark}', () => ({ status: 204 }));
  return {
    url: provider.url,
    handedOut: (mark) => handedOut.get(mark) ?? 0,
    refreshed: (mark) => refreshed.get(mark) ?? 0,
    renewed: addMarkedJira(provider).renewed,
    sunk: (mark) => provider.requests.filter(({ path }) => path === `/sinks/${mark}`),
    shown: (mark) => provider.requests.filter(({ path }) => path === `/witnesses/${mark}`),
  };
}

function eventOf(mark: string, n: number): object {
  const issue = { id: `iss_${n}`, key: `DEMO-${n}`, title: `about ${mark}`, url: 'https://example.com' };
  const common = { project: 'DEMO', actor: { id: 'usr_7' }, occurred_at: '2026-11-01T10:00:00Z' };
  return { id: `evt_${n}`, type: 'issue.created', ...common, issue };
}

/** Answers the count with this one. */
function count(counts: Map<string, number>, mark: string): number {
  const n = (counts.get(mark) ?? 0) + 1;
  counts.set(mark, n);
  return n;
}
