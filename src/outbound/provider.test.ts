import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type Connector, type ProviderRequest, ProviderFailure } from '../connector/index.js';
import { createMetrics } from '../core/metrics.js';
import { Secret } from '../core/secret.js';
import { example } from '../../connectors/example/index.js';
import { type HttpRequest, type HttpResponse, HttpError } from './client.js';
import { type CallObservation, type ProviderTarget, createProviderGate } from './provider.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const TOKEN = 'ex_planted_secret';
const OK: HttpResponse = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  text: '{"ok":true}',
};

interface Setup {
  readonly connector?: Connector;
  readonly baseUrl?: string;
  /** An Error is thrown. */
  readonly reply?: Partial<HttpResponse> | Error;
}

/** The gate over a client that only remembers: what the real one makes of it is in client.test.ts and conformance. */
function setUp({ connector = example, baseUrl, reply = {} }: Setup = {}) {
  const sent: HttpRequest[] = [];
  const observed: CallObservation[] = [];
  const lines: string[] = [];
  const metrics = createMetrics();
  const gate = createProviderGate({
    client: {
      send: (request) => {
        sent.push(request);
        return reply instanceof Error ? Promise.reject(reply) : Promise.resolve({ ...OK, ...reply });
      },
      close: () => Promise.resolve(),
    },
    clock: { now: () => NOW },
    log: pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
    metrics,
    random: () => 0,
    baseUrls: new Map(baseUrl ? [[connector.manifest.id, baseUrl]] : []),
    observe: (call) => void observed.push(call),
  });
  const contextOf = (changes: Partial<ProviderTarget> = {}) =>
    gate.contextFor({
      tenantId: 'tenant-1',
      connectionId: 'connection-1',
      connector,
      credential: { token: new Secret(TOKEN) },
      settings: { team: 'door' },
      correlationId: 'correlation-1',
      operation: 'test',
      ...changes,
    });
  const outcomes = async () => (await metrics.providerCalls.get()).values;
  const refusals = async () => (await metrics.providerRefusals.get()).values;
  return { sent, observed, lines, contextOf, context: contextOf(), outcomes, refusals };
}

const get: ProviderRequest = { method: 'GET', path: '/v1/me' };

async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  const error = await work.catch((failure: unknown) => failure);
  if (error instanceof ProviderFailure) return error;
  throw new Error('wanted a ProviderFailure', { cause: error });
}

/** A manifest with these limits, so that nothing has to be called three hundred times. */
function limitedTo(...points: readonly number[]): Connector {
  const rateLimits = points.map((count, index) => ({
    bucket: `b${index}`,
    points: count,
    durationSeconds: 60,
  }));
  return { ...example, manifest: { ...example.manifest, rateLimits } };
}

describe('a request', () => {
  it('is addressed, signed and marked', async () => {
    const { context, sent } = setUp();
    await context.request({
      method: 'POST',
      path: '/v1/x',
      query: { a: 1, b: undefined, c: 'ä&' },
      body: { d: 1 },
    });
    expect(sent).toMatchObject([{ method: 'POST', body: '{"d":1}' }]);
    // Ten seconds for everything, of which a little is gone.
    expect(sent[0]?.deadlineMs).toBeGreaterThan(8_000);
    expect(sent[0]?.deadlineMs).toBeLessThanOrEqual(10_000);
    expect(sent[0]?.url.href).toBe('https://api.example.com/v1/x?a=1&c=%C3%A4%26');
    expect(sent[0]?.headers).toEqual({
      ...example.manifest.headers,
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
      'x-correlation-id': 'correlation-1',
    });
  });

  it('without a body has no content type', async () => {
    const { context, sent } = setUp();
    await context.request(get);
    expect(sent[0]).not.toHaveProperty('body');
    expect(sent[0]?.headers).not.toHaveProperty('content-type');
  });

  it('can’t sign for itself', async () => {
    const { context, sent } = setUp();
    await context.request({ ...get, headers: { authorization: 'Bearer of-another', accept: 'text/plain' } });
    expect(sent[0]?.headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, accept: 'text/plain' });
  });

  it('goes where the operator says', async () => {
    const { context, sent } = setUp({ baseUrl: 'http://127.0.0.1:7/base' });
    await context.request(get);
    expect(sent[0]?.url.href).toBe('http://127.0.0.1:7/base/v1/me');
  });
});

describe('a path’s value', () => {
  const path = '/v1/projects/{project}/issues/{issue}/comments';

  it.each(['', '.', '..', undefined])('%j is refused before anything is sent', async (project) => {
    const { context, sent } = setUp();
    const params = { issue: 1, ...(project !== undefined && { project }) };
    const { details } = await failureOf(context.request({ method: 'GET', path, params }));
    expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_path' });
    expect(sent).toEqual([]);
  });

  it('never leaves its segment', async () => {
    const { context, sent } = setUp({ connector: limitedTo() });
    const value = fc.string({ unit: 'grapheme', minLength: 1 });
    const nasty = fc.constantFrom(
      '../..',
      'a/b',
      'a?b=c',
      'a#b',
      '%2e%2e',
      '..%2f',
      '\\..\\',
      ' ',
      '{issue}',
      '$&',
      '@host',
    );
    const property = fc.asyncProperty(fc.oneof(value, nasty), async (project) => {
      fc.pre(project !== '.' && project !== '..');
      await context.request({ method: 'GET', path, params: { project, issue: 7 } });
      const { origin, pathname, search, hash } = sent.at(-1)!.url;
      expect([origin, search, hash]).toEqual(['https://api.example.com', '', '']);
      const [, v1, projects, segment, ...rest] = pathname.split('/');
      expect([v1, projects, ...rest]).toEqual(['v1', 'projects', 'issues', '7', 'comments']);
      expect(decodeURIComponent(segment!)).toBe(project);
    });
    await fc.assert(property);
  });
});

describe('a path', () => {
  it.each([
    '/v1/../admin',
    '/v1/%2e%2E/admin',
    '/v1/.%2e/admin',
    '/v1/./me',
    '/v1/%2e',
    '/v1/..?all=true',
    '/v1/%2e%2e#end',
    '/v1/..\\admin',
    '/v1/.\t./admin',
    '/v1/%2{digit}%2{digit}/admin',
  ])('with a dot segment is refused before anything is sent: %j', async (path) => {
    const { context, sent } = setUp();
    const { details } = await failureOf(context.request({ method: 'GET', path, params: { digit: 'e' } }));
    expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_path' });
    expect(sent).toEqual([]);
  });

  it.each(['/v1/a..b/.x/...', '/v1/me?range=/../', '/v1/%2e%2e%2e'])(
    'with dots of another meaning is sent as it is: %s',
    async (path) => {
      const { context, sent } = setUp();
      await context.request({ method: 'GET', path });
      expect(sent.at(-1)!.url.href).toBe(`https://api.example.com${path}`);
    },
  );
});

const answering = (reply: Partial<HttpResponse>) => setUp({ reply }).context.request(get);

describe('an answer', () => {
  it('is JSON, text or nothing', async () => {
    expect(await answering({})).toEqual({ status: 200, headers: OK.headers, body: { ok: true } });
    const vendor = { 'content-type': 'application/vnd.example+json; charset=utf-8' };
    expect(await answering({ headers: vendor })).toMatchObject({ body: { ok: true } });
    expect(await answering({ headers: { 'content-type': 'text/csv' } })).toMatchObject({
      body: '{"ok":true}',
    });
    expect(await answering({ status: 204, text: '' })).toMatchObject({ body: undefined });
  });

  it('that only calls itself JSON may have had its effect', async () => {
    const { details } = await failureOf(answering({ text: '<html>' }));
    expect(details).toMatchObject({ category: 'PROVIDER', code: 'unreadable_answer', isAmbiguous: true });
  });

  it.each([199, 301, 304, 404, 500])('of %i is a failure', async (status) => {
    expect((await failureOf(answering({ status }))).details.providerStatus).toBe(status);
  });
});

describe('the limiter', () => {
  it('refuses what the provider would refuse, without asking it', async () => {
    const { context, sent, observed, refusals } = setUp({ connector: limitedTo(2) });
    await context.request(get);
    await context.request(get);
    const { details } = await failureOf(context.request(get));
    expect(details).toMatchObject({ category: 'RATE_LIMIT', code: 'local_limit' });
    expect(details.retryAt?.getTime()).toBeGreaterThan(NOW.getTime());
    expect(details.retryAt?.getTime()).toBeLessThanOrEqual(NOW.getTime() + 60_000);
    expect(sent).toHaveLength(2);
    // What was not asked says nothing about the provider's health.
    expect(observed).toHaveLength(2);
    expect(await refusals()).toMatchObject([{ labels: { provider: 'example', guard: 'limit' }, value: 1 }]);
  });

  it('holds every window, and each connection to its own', async () => {
    const { context, contextOf, sent } = setUp({ connector: limitedTo(5, 1) });
    await context.request(get);
    await failureOf(context.request(get));
    await contextOf({ connectionId: 'connection-2' }).request(get);
    expect(sent).toHaveLength(2);
  });
});

describe('observation', () => {
  const request: ProviderRequest = {
    method: 'GET',
    path: '/v1/projects/{project}',
    params: { project: 'private-name' },
  };

  it('tells of every call once, by its template', async () => {
    const { context, observed, outcomes } = setUp();
    await context.request(request);
    expect(observed).toEqual([
      {
        tenantId: 'tenant-1',
        connectionId: 'connection-1',
        providerId: 'example',
        method: 'GET',
        path: '/v1/projects/{project}',
        at: NOW,
        durationMs: expect.any(Number) as number,
        lane: 'interactive',
      },
    ]);
    expect(await outcomes()).toMatchObject([{ labels: { provider: 'example', outcome: 'ok' }, value: 1 }]);
  });

  it('tells of failures with what they were', async () => {
    const { context, observed, outcomes } = setUp({ reply: { status: 404 } });
    const failure = await failureOf(context.request(request));
    expect(observed).toMatchObject([{ failure }]);
    expect(await outcomes()).toMatchObject([{ labels: { outcome: 'NOT_FOUND' }, value: 1 }]);
  });

  it('says neither secrets nor values nor bodies in the log', async () => {
    const reply = {
      status: 422,
      headers: { 'set-cookie': 'session' },
      text: 'answer-body',
    };
    const { context, lines } = setUp({ reply });
    await failureOf(
      context.request({
        ...request,
        method: 'POST',
        query: { q: 'query-value' },
        body: { b: 'request-body' },
      }),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('/v1/projects/{project}');
    for (const word of [TOKEN, 'private-name', 'query-value', 'request-body', 'answer-body', 'session']) {
      expect(lines[0]).not.toContain(word);
    }
  });
});

describe('trouble', () => {
  it('of the line is a ProviderFailure', async () => {
    const reply = new HttpError('interrupted', true, 'broke');
    const { details } = await failureOf(setUp({ reply }).context.request(get));
    expect(details).toMatchObject({ category: 'NETWORK', code: 'interrupted', isAmbiguous: true });
  });

  it('of our own is not dressed up as the provider’s', async () => {
    const bug = new TypeError('x is not a function');
    const { context, observed } = setUp({ reply: bug });
    await expect(context.request(get)).rejects.toBe(bug);
    expect(observed).toEqual([]);
  });
});
