import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { example } from '../../connectors/example/index.js';
import { type TestClock, createTestClock } from '../../test/support/clock.js';
import { type RedisLine, connectByLine } from '../../test/support/redis-line.js';
import { type RedisServer, findOrStartRedis } from '../../test/support/redis-server.js';
import { type FailureCategory, ProviderFailure } from '../connector/index.js';
import { type CircuitChange, createBreaker } from './breaker.js';
import { HttpError } from './client.js';
import { failureOfError } from './failure.js';
import { Refusal } from './refusal.js';
import { createShared, createSharedRecords } from './shared.js';
import type { ConnectionRef } from './target.js';

const log = pino({ level: 'silent' });
const SECOND = 1_000;
/** How long a call may take here. */
const CALL_MS = 10 * SECOND;

function setUp({ clock = createTestClock(), line }: { clock?: TestClock; line?: RedisLine } = {}) {
  const changes: CircuitChange[] = [];
  const breaker = createBreaker({
    records: createSharedRecords(createShared({ redis: line?.redis, log }), clock),
    clock,
    onChange: (change) => void changes.push(change),
  });
  /** One call that ends so. */
  async function call(ref: ConnectionRef, error?: unknown): Promise<void> {
    await (await breaker.enter(ref, CALL_MS)).settle(error);
  }
  return {
    clock,
    breaker,
    call,
    states: () => changes.map(({ state }) => state),
    changes,
    async open(ref: ConnectionRef) {
      for (let n = 0; n < 5; n += 1) await call(ref, failure('PROVIDER'));
    },
  };
}

const newRef = (): ConnectionRef => ({
  tenantId: 'acme',
  connectionId: crypto.randomUUID(),
  connector: example,
});

const probeKey = ({ tenantId, connectionId }: ConnectionRef): string =>
  `tributary:probe:${tenantId}/${connectionId}`;

function failure(category: FailureCategory, providerStatus?: number): ProviderFailure {
  const status = providerStatus === undefined ? {} : { providerStatus };
  return new ProviderFailure({ category, code: 'x', message: 'x', ...status });
}

const givenUp = failureOfError(new HttpError('cancelled', true, 'x'));

const refusal = new Refusal({ guard: 'limit', category: 'RATE_LIMIT', code: 'x', message: 'x' });

async function refusalOf(entering: Promise<unknown>): Promise<Refusal> {
  const error = await entering.catch((reason: unknown) => reason);
  if (error instanceof Refusal) return error;
  throw new Error('wanted a refusal', { cause: error });
}

describe('a circuit opens', () => {
  it.each(['PROVIDER', 'NETWORK', 'RATE_LIMIT'] as const)('on the fifth %s of five', async (category) => {
    const { breaker, call, changes, clock } = setUp();
    const ref = newRef();
    for (let n = 0; n < 4; n += 1) await call(ref, failure(category, 503));
    expect(await breaker.read(ref)).toEqual({ state: 'CLOSED', openedAt: null, retryAt: null });
    await call(ref, failure(category, 503));
    expect(changes).toMatchObject([
      { tenantId: 'acme', providerId: 'example', state: 'OPEN', failure: { category } },
    ]);
    expect(await breaker.read(ref)).toMatchObject({ state: 'OPEN' });
    const { details } = await refusalOf(breaker.enter(ref, CALL_MS));
    expect(details).toMatchObject({ category: 'CIRCUIT_OPEN', code: 'circuit_open' });
    const waitMs = (details.retryAt?.getTime() ?? 0) - clock.now().getTime();
    expect(waitMs).toBeGreaterThan(14 * SECOND);
    expect(waitMs).toBeLessThanOrEqual(15 * SECOND);
  });

  it('not before more than half of the last calls failed', async () => {
    const { call, states } = setUp();
    const ref = newRef();
    for (let n = 0; n < 20; n += 1) await call(ref, n % 2 ? failure('PROVIDER') : undefined);
    expect(states()).toEqual([]);
    await call(ref, failure('NETWORK'));
    expect(states()).toEqual(['OPEN']);
  });

  it('neither on what a provider refuses for good reasons, nor on what it was not asked', async () => {
    const { call, states } = setUp();
    const ref = newRef();
    const fine = [failure('AUTH', 401), failure('INVALID', 422), failure('NOT_FOUND', 404)];
    for (let n = 0; n < 4; n += 1) for (const error of fine) await call(ref, error);
    for (let n = 0; n < 20; n += 1) {
      await call(ref, refusal);
      await call(ref, failure('INVALID'));
      await call(ref, new TypeError('a bug'));
    }
    expect(states()).toEqual([]);
  });

  it('as soon with calls among them that were given up: they show neither that it ails nor that it is well', async () => {
    const { call, states } = setUp();
    const ref = newRef();
    for (let n = 0; n < 20; n += 1) await call(ref, givenUp);
    for (let n = 0; n < 5; n += 1) {
      expect(states()).toEqual([]);
      await call(ref, failure('PROVIDER'));
    }
    expect(states()).toEqual(['OPEN']);
  });

  it('for one connection alone', async () => {
    const { breaker, open } = setUp();
    await open(newRef());
    expect((await breaker.enter(newRef(), CALL_MS)).isProbe).toBe(false);
  });
});

describe('an open circuit', () => {
  it('lets one call probe when its time is over, and closes when that is well', async () => {
    const { breaker, call, clock, open, states } = setUp();
    const ref = newRef();
    await open(ref);
    clock.advance(15 * SECOND);
    expect(await breaker.read(ref)).toMatchObject({ state: 'HALF_OPEN' });
    const probe = await breaker.enter(ref, CALL_MS);
    expect(probe.isProbe).toBe(true);
    expect(await refusalOf(breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
    await probe.settle();
    expect(await breaker.read(ref)).toMatchObject({ state: 'CLOSED' });
    await call(ref, failure('PROVIDER'));
    expect(states()).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
  });

  it('stays open twice as long after every probe that fails, up to five minutes', async () => {
    const { breaker, call, clock, open } = setUp();
    const ref = newRef();
    await open(ref);
    for (const seconds of [15, 30, 60, 120, 240, 300, 300]) {
      clock.advance(seconds * SECOND - 500);
      expect(await refusalOf(breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
      clock.advance(500);
      await call(ref, failure('NETWORK'));
    }
  });

  it.each([
    ['was refused by another guard', refusal],
    ['ended in a bug of ours', new TypeError('a bug')],
    ['was given up', givenUp],
  ])('gives the probe to the next call when it %s', async (_, error) => {
    const { breaker, call, clock, open } = setUp();
    const ref = newRef();
    await open(ref);
    clock.advance(15 * SECOND);
    await call(ref, error);
    expect((await breaker.enter(ref, CALL_MS)).isProbe).toBe(true);
  });

  it('is probed by another when nobody hears of the probe any more', async () => {
    const { breaker, clock, open } = setUp();
    const ref = newRef();
    await open(ref);
    clock.advance(15 * SECOND);
    await breaker.enter(ref, CALL_MS);
    clock.advance(CALL_MS + 5 * SECOND);
    expect((await breaker.enter(ref, CALL_MS)).isProbe).toBe(true);
  });

  it('waits for its one probe as long as that call may take', async () => {
    const { breaker, clock, open, states } = setUp();
    const ref = newRef();
    await open(ref);
    clock.advance(15 * SECOND);
    const long = await breaker.enter(ref, 15 * 60 * SECOND);
    clock.advance(15 * 60 * SECOND);
    expect(await refusalOf(breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
    await long.settle();
    expect(states()).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
  });
});

describe('shared by Redis', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await findOrStartRedis()));
  afterAll(() => server.stop());

  async function setUpTwo() {
    const clock = createTestClock();
    const here = setUp({ clock, line: await connectByLine(server.url) });
    const line = await connectByLine(server.url);
    return { clock, here, there: { ...setUp({ clock, line }), line }, ref: newRef() };
  }

  it('a circuit that one process opens is open in all, and told of once', async () => {
    const { here, there, ref } = await setUpTwo();
    const early = await Promise.all(Array.from({ length: 5 }, () => there.breaker.enter(ref, CALL_MS)));
    await here.open(ref);
    expect(await refusalOf(there.breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
    for (const pass of early) await pass.settle(failure('PROVIDER'));
    expect([here.states(), there.states()]).toEqual([['OPEN'], []]);
  });

  it('one process probes, and closes it for all', async () => {
    const { clock, here, there, ref } = await setUpTwo();
    await here.open(ref);
    clock.advance(15 * SECOND);
    const probe = await there.breaker.enter(ref, CALL_MS);
    expect(await refusalOf(here.breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
    await probe.settle();
    expect((await here.breaker.enter(ref, CALL_MS)).isProbe).toBe(false);
    expect([here.states(), there.states()]).toEqual([['OPEN'], ['HALF_OPEN', 'CLOSED']]);
  });

  it.each([
    ['well', undefined],
    ['in a failure', failure('PROVIDER')],
    ['in what shows nothing', refusal],
  ])('a probe that ends late and %s leaves the next one its place and its word', async (_, error) => {
    const { clock, here, there, ref } = await setUpTwo();
    await here.open(ref);
    clock.advance(15 * SECOND);
    // Redis counts in real time: this place is over at once.
    const late = await there.breaker.enter(ref, 1 - 5 * SECOND);
    await expect.poll(() => there.line.redis.exists(probeKey(ref))).toBe(0);
    const next = await here.breaker.enter(ref, CALL_MS);
    expect(next.isProbe).toBe(true);
    await late.settle(error);
    expect(await refusalOf(there.breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
    expect(there.states()).toEqual(['HALF_OPEN']);
    await next.settle();
    expect(here.states()).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
    expect(await there.line.redis.exists(probeKey(ref))).toBe(0);
  });

  it('what another process had counted before is forgotten, once it has seen the circuit open', async () => {
    const { clock, here, there, ref } = await setUpTwo();
    for (let n = 0; n < 4; n += 1) await there.call(ref, failure('PROVIDER'));
    await here.open(ref);
    await refusalOf(there.breaker.enter(ref, CALL_MS));
    clock.advance(15 * SECOND);
    await here.call(ref);
    await there.call(ref, failure('PROVIDER'));
    expect(await there.breaker.read(ref)).toMatchObject({ state: 'CLOSED' });
  });

  it('goes on in the process alone while Redis is gone', async () => {
    const { there, ref } = await setUpTwo();
    await there.line.cut();
    await there.open(ref);
    expect(await refusalOf(there.breaker.enter(ref, CALL_MS))).toMatchObject({ guard: 'circuit' });
  });
});
