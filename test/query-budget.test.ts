import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { readConfig } from '../src/config.js';
import { type TestApp, type TestCaller, startTestApp, useTestApp } from './support/app.js';

/** Fifty for the page, and three for each of fifty nodes. */
const PAGE = '{ signals { nodes { id } } }';
const PRICE = 200;
const BUDGET = { GRAPHQL_COST_PER_MINUTE: String(3 * PRICE), GRAPHQL_MAX_COST: String(3 * PRICE) };
/** Only this run's tenants: what an earlier one has spent is still counted in Redis. */
const tenant = () => `tenant-${process.pid}-${performance.now()}`;

const refusal = {
  message: expect.stringContaining('come back when the minute is over'),
  extensions: {
    code: 'RATE_LIMITED',
    details: { retry_after_seconds: expect.any(Number), limit: 3 * PRICE, used: 3 * PRICE },
  },
};

async function spend(caller: TestCaller, times = 3): Promise<void> {
  for (let n = 0; n < times; n += 1)
    expect(await caller.ask(PAGE)).toMatchObject({ status: 200, errors: [] });
}

async function costs({ url }: TestApp): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

describe('what a tenant’s operations cost in a minute', () => {
  it('is counted for the tenant, refused beyond the budget by HTTP and sockets alike, and nobody else’s', async () => {
    const app = await useTestApp({ env: BUDGET });
    const [one, other] = [tenant(), tenant()];
    const caller = await app.caller(one);
    await spend(caller);

    const refused = await (await app.caller(one, 'integrations:read')).ask(PAGE);
    expect(refused).toMatchObject({ status: 429, errors: [refusal] });
    const { retry_after_seconds: seconds } = (refused.errors[0]?.extensions['details'] ?? {}) as {
      retry_after_seconds: number;
    };
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get('retry-after')).toBe(String(seconds));
    await expect(caller.socket().iterate({ query: PAGE }).next()).rejects.toMatchObject([refusal]);
    const watch = 'subscription { signalReceived { id } }';
    await expect(caller.socket().iterate({ query: watch }).next()).rejects.toMatchObject([refusal]);

    // What costs nothing is answered still, and so is everyone else.
    expect(await caller.ask('{ __schema { queryType { name } } }')).toMatchObject({
      status: 200,
      errors: [],
    });
    await spend(await app.caller(other), 1);
    expect(await costs(app)).toContain(`tributary_graphql_cost_total{operation="query"} ${4 * PRICE}`);
    expect(await costs(app)).toContain('tributary_errors_total{api="graphql",code="RATE_LIMITED"} 3');
  });

  it('is one count over all processes that share Redis, and each one’s own while that is away', async () => {
    const env = { ...BUDGET, REDIS_URL: inject('redisUrl') };
    const app = await useTestApp({ env });
    const beside = await startTestApp({ env, beside: app });
    onTestFinished(() => beside.close());
    const tenantId = tenant();
    await spend(await app.caller(tenantId), 2);
    await spend(await beside.caller(tenantId), 1);
    expect(await (await app.caller(tenantId)).ask(PAGE)).toMatchObject({ status: 429, errors: [refusal] });

    const redis = new Redis(inject('redisUrl'));
    onTestFinished(() => redis.disconnect());
    const key = `tributary:limit:graphql:${tenantId}`;
    // A refused operation is not charged, and the minute ends.
    expect(await redis.get(key)).toBe(String(3 * PRICE));
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    await redis.del(key);
    await spend(await beside.caller(tenantId), 1);

    const alone = await startTestApp({ env: { ...BUDGET, REDIS_URL: 'redis://127.0.0.1:1' }, beside: app });
    onTestFinished(() => alone.close());
    const caller = await alone.caller(tenantId);
    await spend(caller);
    expect(await caller.ask(PAGE)).toMatchObject({ status: 429, errors: [refusal] });
  });

  it('has no limit where that is 0, and never one that a single operation may not reach', async () => {
    const app = await useTestApp({ env: { GRAPHQL_COST_PER_MINUTE: '0' } });
    await spend(await app.caller(tenant()), 4);
    expect(() => readConfig({ GRAPHQL_COST_PER_MINUTE: '100' })).toThrow(
      /GRAPHQL_COST_PER_MINUTE: must not be less than GRAPHQL_MAX_COST/,
    );
  });
});

const nested = (...names: string[]) => names.reduceRight((inner, name) => `${name} { ${inner} }`, 'id');

describe('every limit of a document is the operator’s to set', () => {
  const entities = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }`;
  const signal = { __typename: 'Signal', id: 'x' };

  it.each<[name: string, value: string, just: string, beyond: string, message: RegExp, variables?: object[]]>(
    [
      [
        'GRAPHQL_MAX_COST',
        '100',
        '{ signals(first: 10) { nodes { id } } }',
        PAGE,
        /at most 100 are answered/,
      ],
      ['GRAPHQL_MAX_TOKENS', '8', '{ quota { plan } }', '{ quota { plan } a: quota { plan } }', /8 tokens/],
      [
        'GRAPHQL_MAX_DEPTH',
        '3',
        `{ ${nested('signals', 'nodes')} }`,
        `{ ${nested('signals', 'nodes', 'connection')} }`,
        /3 levels/,
      ],
      [
        'GRAPHQL_MAX_ROOT_FIELDS',
        '1',
        '{ quota { plan } }',
        '{ a: quota { plan } b: quota { plan } }',
        /1 fields of its root/,
      ],
      [
        'GRAPHQL_MAX_REPEATS',
        '0',
        '{ quota { plan } }',
        '{ quota { plan plan } }',
        /repeat its fields 0 times/,
      ],
      [
        'GRAPHQL_MAX_SPREADS',
        '0',
        '{ quota { plan } }',
        '{ ...A } fragment A on Query { quota { plan } }',
        /spread fragments 0 times/,
      ],
      [
        'GRAPHQL_MAX_REPRESENTATIONS',
        '1',
        entities,
        entities,
        /at most 1 representations/,
        [{ r: [signal] }, { r: [signal, signal] }],
      ],
    ],
  )('%s', async (name, value, just, beyond, message, [variables, others] = []) => {
    const app = await useTestApp({ env: { [name]: value } });
    const caller = await app.caller();
    expect(await caller.ask(just, variables)).toMatchObject({ status: 200, errors: [] });
    const refused = { message: expect.stringMatching(message) };
    expect(await caller.ask(beyond, others)).toMatchObject({ status: 400, errors: [refused] });
    const query = { query: beyond, ...(others && { variables: { ...others } }) };
    await expect(caller.socket().iterate(query).next()).rejects.toMatchObject([refused]);
  });

  it('and of what carries it', async () => {
    const app = await useTestApp({
      env: {
        GRAPHQL_MAX_BODY_BYTES: '1000',
        GRAPHQL_MAX_MESSAGE_BYTES: '1000',
        GRAPHQL_MAX_SOCKET_OPERATIONS: '1',
        GRAPHQL_MAX_SUBSCRIPTIONS: '2',
        GRAPHQL_MAX_INIT_SECONDS: '0.1',
      },
    });
    const caller = await app.caller();
    const long = `{ quota { plan } } # ${'x'.repeat(1_000)}`;
    expect((await caller.ask(long)).status).toBe(413);
    await expect(caller.socket().iterate({ query: long }).next()).rejects.toMatchObject({ code: 1009 });

    const silent = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = await new Promise<CloseEvent>((resolve) => silent.addEventListener('close', resolve));
    expect(closed.code).toBe(4408);

    const query = 'subscription { signalReceived { id } }';
    const limited = [{ extensions: { code: 'RATE_LIMITED' } }];
    const [socket, second, third] = [caller.socket(), caller.socket(), caller.socket()];
    void socket.iterate({ query }).next();
    const more = () => socket.iterate({ query: '{ __typename }' }).next();
    await expect
      .poll(() =>
        more().then(
          () => 'answered',
          (errors: unknown) => errors,
        ),
      )
      .toMatchObject(limited);
    void second.iterate({ query }).next();
    const watchers = async () => /tributary_feed_subscribers (\d+)/.exec(await costs(app))?.[1];
    await expect.poll(watchers).toBe('2');
    expect(await third.iterate({ query }).next()).toMatchObject({ value: { errors: limited } });
  });
});
