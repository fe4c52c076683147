import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Kind, type OperationDefinitionNode, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Request, countValues, requireAffordable } from '../resolvers/limits.js';
import { createFanOut } from '../resolvers/fan-out.js';
import { buildSchema } from '../resolvers/schema.js';
import { attachSockets } from '../resolvers/socket.js';
import { readConfig } from '../src/config.js';
import type { Authenticator, Identity } from '../src/core/auth.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { MAX_PAGE } from '../src/core/page.js';
import type { Services } from '../src/services.js';
import { type TestApp, createCaller, startTestApp, useTestApp } from './support/app.js';
import { useIssuer } from './support/issuer.js';

const { schema } = buildSchema();
const limits = readConfig({});
const { GRAPHQL_MAX_REPRESENTATIONS: MAX_REPRESENTATIONS, GRAPHQL_MAX_COST: MAX_COST } = limits;

function requestOf(query: string, variables: Record<string, unknown> = {}): Request {
  const document = parse(query);
  const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  return { schema, document, operation: operation as OperationDefinitionNode, variables, limits };
}

/** What a page costs beside its nodes: its statement. */
const PAGE = 50;

const count = (query: string, variables?: Record<string, unknown>) =>
  countValues(requestOf(query, variables));

/** Pages of signals inside pages of signals, down to ids. */
function nested(...pages: readonly (number | string)[]): string {
  return pages.reduceRight<string>((inner, first, depth) => {
    const page = `signals(first: ${first}) { nodes { ${inner} } }`;
    return depth === 0 ? `{ ${page} }` : `connection { ${page} }`;
  }, 'id');
}

/** As many entities as a gateway might join. */
const ENTITIES =
  'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Signal { id } } }';
const entities = (length: number) => ({
  representations: Array.from({ length }, () => ({ __typename: 'Signal', id: randomUUID() })),
});

describe('what an operation may answer', () => {
  it('is counted as values: a page as often as it has nodes', () => {
    expect(count('{ signals(first: 7) { nodes { id type } } }')).toBe(PAGE + 7 * (1 + 1 + 2));
    expect(count(nested(3, 4))).toBe(PAGE + 3 * (1 + 1 + 1 + PAGE + 4 * (1 + 1 + 1)));
  });

  it('takes the schema’s own size where none is given, and the largest for what is none', () => {
    expect(count('{ signals { nodes { id } } }')).toBe(PAGE + 50 * 3);
    expect(count('{ receipts { nodes { id } } }')).toBe(PAGE + 20 * 3);
    expect(count('{ signals(first: null) { nodes { id } } }')).toBe(PAGE + MAX_PAGE * 3);
    expect(count('{ signals(first: 2000000) { nodes { id } } }')).toBe(PAGE + MAX_PAGE * 3);
    expect(count('{ signals(first: -5) { nodes { id } } }')).toBe(PAGE + 3);
  });

  it('knows the variables', () => {
    const query = 'query ($first: Int = 30) { signals(first: $first) { nodes { id } } }';
    expect(count(query)).toBe(PAGE + 30 * 3);
    expect(count(query, { first: 7 })).toBe(PAGE + 7 * 3);
    expect(count(query, { first: 'many' })).toBe(0);
  });

  it('takes a list without a size for ten', () => {
    expect(count('{ signal(id: "x") { evidence { url } } }')).toBe(1 + 10 * 2);
  });

  it('sees through fragments, named and not, and through aliases', () => {
    const query = `{ a: signals(first: 7) { ...Page } b: signals(first: 7) { ... on SignalPage { nodes { id } } } }
      fragment Page on SignalPage { nodes { ...Node } } fragment Node on Signal { id }`;
    expect(count(query)).toBe(2 * (PAGE + 7 * 3));
  });

  it('is counted at once where fragments spread one another', () => {
    const fragments = Array.from(
      { length: 40 },
      (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`,
    );
    const query = `{ ...F0 } ${fragments.join(' ')} fragment F40 on Query { health { counts { count } } }`;
    expect(() => requireAffordable(requestOf(query))).toThrow(/lower `first`/);
  });

  it('does not count introspection', () => {
    expect(count('{ __schema { types { fields { args { name } } } } _service { sdl } }')).toBe(2);
  });

  it.each(readdirSync('schema/operations'))('is well above %s with the largest page', (file) => {
    const query = readFileSync(`schema/operations/${file}`, 'utf8');
    const operation = requestOf(query).operation;
    // Asked with a page alone: of the other variables only inputs are required, and they make no answer longer.
    const definitions = operation.variableDefinitions?.filter(
      ({ variable }) => variable.name.value === 'first',
    );
    const request = {
      ...requestOf(query, { first: MAX_PAGE }),
      operation: { ...operation, variableDefinitions: definitions ?? [] },
    };
    expect(countValues(request)).toBeGreaterThan(0);
    expect(countValues(request)).toBeLessThan(MAX_COST / 3);
  });
});

describe('too much', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const VARIABLE = `query ($n: Int) ${nested('$n', '$n')}`;

  it.each<[string, string, Record<string, unknown> | undefined, RegExp]>([
    ['pages inside pages', nested(200, 200, 200), undefined, /lower `first`/],
    ['pages of a variable’s size', VARIABLE, { n: 200 }, /lower `first`/],
    ['entities', ENTITIES, entities(MAX_REPRESENTATIONS + 1), /at most 200 representations at once, not 201/],
  ])('%s: refused over HTTP and over WebSocket', async (_name, query, variables, message) => {
    const caller = await app.caller();
    const refusal = {
      message: expect.stringMatching(message),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    };
    expect(await caller.ask(query, variables)).toMatchObject({ status: 400, errors: [refusal] });
    const answers = caller.socket().iterate({ query, ...(variables && { variables }) });
    await expect(answers.next()).rejects.toMatchObject([refusal]);
  });

  it('and just enough is answered', async () => {
    const caller = await app.caller();
    expect(await caller.ask(VARIABLE, { n: 100 })).toMatchObject({ status: 200, errors: [] });
    expect(await caller.ask(ENTITIES, entities(MAX_REPRESENTATIONS))).toMatchObject({
      status: 200,
      errors: [],
    });
  });
});

describe('while the keys of the issuer can’t be had', () => {
  it('HTTP answers 503 and a socket is told to come again', async () => {
    const { env, sign, fail } = await useIssuer();
    const app = await useTestApp({ env });
    const token = await sign();
    fail('answers 500');
    expect(await createCaller(app.url, token).ask('{ __typename }')).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'KEYS_UNAVAILABLE', details: { retry_after_seconds: 5 } } }],
    });
    const rest = await fetch(`${app.url}/v1/integrations/connections`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(rest.status).toBe(503);
    const socket = await init(app.url, token);
    expect(await closeOf(socket)).toBe(1013);
  });
});

/** A socket that has asked to be let in. */
async function init(url: string, token = ''): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  return socket;
}

async function closeOf(socket: WebSocket): Promise<number> {
  return ((await once(socket, 'close')) as [number])[0];
}

/** Sockets alone, under an authenticator that answers when it is told to. */
async function useSockets() {
  const asked = new EventEmitter();
  const authenticate: Authenticator['authenticate'] = () =>
    new Promise((resolve) => {
      asked.emit('asked', resolve);
    });
  const server: Server = createServer();
  const log = createLog('silent');
  const deps = {
    services: {} as Services,
    authenticator: { authenticate },
    log,
    metrics: createMetrics(),
    environment: 'dev',
    limits,
    queryBudget: { charge: async () => {} },
    fanOut: createFanOut(schema, limits.GRAPHQL_MAX_SUBSCRIPTIONS),
  } as const;
  const sockets = attachSockets(server, schema, deps);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    await sockets.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const nextAsked = async () => ((await once(asked, 'asked')) as [(identity: Identity) => void])[0];
  return { server, url, nextAsked };
}

const identity = (lifetimeMs: number): Identity => ({
  tenantId: 'acme',
  subject: 'ada',
  scopes: new Set(),
  expiresAt: new Date(Date.now() + lifetimeMs),
});

/** The timers set from now on that wait longer than a test. */
function watchTimers() {
  const spy = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.map(([ring, ms = 0]) => ({ ring, ms })).filter(({ ms }) => ms > 1_000_000);
}

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

const DAY_MS = 86_400_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

describe('the timer of a socket’s token', () => {
  it('is not set for a socket that has gone while its token was checked', async () => {
    const { server, url, nextAsked } = await useSockets();
    const connected = once(server, 'connection');
    const asking = nextAsked();
    const socket = await init(url);
    const [[peer], letIn] = await Promise.all([connected, asking]);
    const closed = once(peer as EventEmitter, 'close');
    socket.terminate();
    await closed;
    const longTimers = watchTimers();
    letIn(identity(DAY_MS));
    await new Promise(setImmediate);
    expect(longTimers()).toEqual([]);
  });

  it('is set again for a token that lives longer than a timer can wait', async () => {
    const { url, nextAsked } = await useSockets();
    const longTimers = watchTimers();
    const asking = nextAsked();
    const socket = await init(url);
    (await asking)(identity(30 * DAY_MS));
    await once(socket, 'message');
    const first = only(longTimers());
    expect(first.ms).toBe(MAX_TIMER_MS);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + MAX_TIMER_MS });
    onTestFinished(() => void vi.useRealTimers());
    first.ring();
    const second = only(longTimers().slice(1));
    expect(second.ms).toBeGreaterThan(30 * DAY_MS - MAX_TIMER_MS - 60_000);
    expect(second.ms).toBeLessThanOrEqual(30 * DAY_MS - MAX_TIMER_MS);
    expect(socket.readyState).toBe(WebSocket.OPEN);

    vi.setSystemTime(Date.now() + second.ms);
    second.ring();
    expect(await closeOf(socket)).toBe(4403);
  });
});
