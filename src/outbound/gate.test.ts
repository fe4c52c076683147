import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { example } from '../../connectors/example/index.js';
import { type TestClock, createTestClock } from '../../test/support/clock.js';
import { answer, drop, hang } from '../../test/support/fake-behavior.js';
import { type FakeProvider, startFakeProvider } from '../../test/support/fake-provider.js';
import { type Connector, ProviderFailure, type ProviderRequest } from '../connector/index.js';
import { createMetrics } from '../core/metrics.js';
import { Secret } from '../core/secret.js';
import type { CallBudget } from './budget.js';
import { createHttpClient } from './client.js';
import { createEgressPolicy } from './egress.js';
import {
  type CallObservation,
  type CircuitChange,
  type ProviderTarget,
  createProviderGate,
} from './provider.js';

/** One for all: each set of metrics watches the process by itself. */
const metrics = createMetrics();
const get: ProviderRequest = { method: 'GET', path: '/things' };
const post: ProviderRequest = { method: 'POST', path: '/things', body: {} };

interface World {
  readonly fake: FakeProvider;
  readonly clock: TestClock;
  readonly gate: ReturnType<typeof createProviderGate>;
  readonly calls: readonly CallObservation[];
  readonly circuits: readonly CircuitChange[];
  send(request?: ProviderRequest, target?: Partial<ProviderTarget>): Promise<unknown>;
  readonly ref: { readonly tenantId: string; readonly connectionId: string; readonly connector: Connector };
}

/** The whole gate before a provider that answers everything with 200, unless told otherwise. */
async function setUp(budgets: readonly CallBudget[] = [], connector: Connector = example): Promise<World> {
  const fake = await startFakeProvider();
  fake.on('GET /things', () => ({ status: 200, body: { ok: true } }));
  fake.on('POST /things', () => ({ status: 201, body: { ok: true } }));
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    await fake.close();
  });
  const clock = createTestClock();
  const calls: CallObservation[] = [];
  const circuits: CircuitChange[] = [];
  const gate = createProviderGate({
    client,
    clock,
    metrics,
    log: pino({ level: 'silent' }),
    baseUrls: new Map([[connector.manifest.id, fake.url]]),
    observe: (call) => void calls.push(call),
    onCircuit: (change) => void circuits.push(change),
    findBudgets: () => Promise.resolve(budgets),
    random: () => 0,
  });
  const ref = { tenantId: 'acme', connectionId: crypto.randomUUID(), connector };
  const standing = {
    credential: { token: new Secret('t') },
    settings: {},
    correlationId: 'c',
    operation: 'test',
  };
  return {
    fake,
    clock,
    gate,
    calls,
    circuits,
    ref,
    send: (request = get, target = {}) =>
      gate.contextFor({ ...ref, ...standing, ...target }).request(request),
  };
}

async function detailsOf(work: Promise<unknown>) {
  const error = await work.catch((failure: unknown) => failure);
  if (error instanceof ProviderFailure) return error.details;
  throw new Error('wanted a ProviderFailure', { cause: error });
}

describe('a provider that stumbles', () => {
  it('is asked again, and health hears of every try', async () => {
    const { fake, calls, send } = await setUp();
    fake.next('GET /things', answer({ status: 503 }), drop());
    expect(await send()).toMatchObject({ status: 200 });
    expect(calls.map(({ failure }) => failure?.details.code)).toEqual(['http_503', 'interrupted', undefined]);
  });

  it('is not asked to do a thing twice, unless it knows it by a key', async () => {
    const { fake, send } = await setUp();
    fake.next('POST /things', answer({ status: 503 }));
    expect(await detailsOf(send(post))).toMatchObject({ code: 'http_503', isAmbiguous: true });
    fake.next('POST /things', answer({ status: 503 }));
    expect(await send({ ...post, isRepeatable: true })).toMatchObject({ status: 201 });
    expect(fake.requests).toHaveLength(3);
  });

  it('is left alone as long as it wants, by whoever calls next', async () => {
    const { fake, clock, gate, ref, send } = await setUp();
    fake.next('GET /things', answer({ status: 429, headers: { 'retry-after': '30' } }));
    expect(await detailsOf(send())).toMatchObject({ category: 'RATE_LIMIT', code: 'http_429' });
    const refused = await detailsOf(send(post));
    expect(refused).toMatchObject({ category: 'RATE_LIMIT', code: 'local_limit' });
    expect(fake.requests).toHaveLength(1);
    expect(await gate.rateLimit(ref)).toMatchObject({ multiplier: 0.5, pausedUntil: refused.retryAt });
    clock.advance(30_000);
    expect(await send(post)).toMatchObject({ status: 201 });
  });

  it('may ask for a pause while it answers, where its manifest says so', async () => {
    const { manifest } = example;
    const failures = { ...manifest.failures, pausesOnSuccess: true };
    const polite = { ...example, manifest: { ...manifest, failures } };
    for (const [connector, pauses] of [
      [example, false],
      [polite, true],
    ] as const) {
      const { fake, gate, ref, send } = await setUp([], connector);
      fake.next('GET /things', answer({ status: 200, headers: { 'retry-after': '30' } }));
      await send();
      expect((await gate.rateLimit(ref)).pausedUntil !== null).toBe(pauses);
    }
  });

  it('may fail with 200, where its manifest says how', async () => {
    const { manifest } = example;
    const rule = {
      status: [200],
      bodyContains: '"ok":false',
      category: 'INVALID',
      code: 'not_in_channel',
    } as const;
    const failures = { ...manifest.failures, rules: [rule] };
    const slack = { ...example, manifest: { ...manifest, failures } };
    const { fake, calls, send } = await setUp([], slack);
    fake.next('GET /things', answer({ status: 200, body: { ok: false } }));
    expect(await detailsOf(send())).toMatchObject({ category: 'INVALID', code: 'not_in_channel' });
    expect(calls).toMatchObject([{ failure: { details: { providerStatus: 200 } } }]);
  });
});

describe('the limits of a connection', () => {
  it('can be read, and follow what the provider tells', async () => {
    const { fake, clock, gate, ref, send } = await setUp();
    const fresh = { limit: 60, remaining: 60, resetsAt: null };
    expect(await gate.rateLimit(ref)).toMatchObject({
      multiplier: 1,
      pausedUntil: null,
      windows: [
        { bucket: 'api', limit: 300 },
        { bucket: 'writes', ...fresh },
      ],
    });
    const resetsAt = new Date(Math.floor(clock.now().getTime() / 1000 + 30) * 1000);
    const headers = {
      'example-limit-remaining': '17',
      'example-limit-reset': String(resetsAt.getTime() / 1000),
    };
    fake.next('POST /things', answer({ status: 201, headers, body: {} }));
    await send(post);
    const { windows } = await gate.rateLimit(ref);
    expect(windows).toMatchObject([{ remaining: 17 }, { remaining: 59 }]);
    const drift = (windows[0]?.resetsAt?.getTime() ?? 0) - resetsAt.getTime();
    expect(Math.abs(drift)).toBeLessThan(1_500);
  });

  it('leave an action room that a backfill can’t take', async () => {
    const { fake, send } = await setUp();
    const headers = { 'example-limit-remaining': '121', 'example-limit-reset': '99999999999' };
    fake.next('GET /things', answer({ status: 200, headers, body: {} }));
    await send();
    expect(await send(get, { lane: 'backfill' })).toMatchObject({ status: 200 });
    expect(await detailsOf(send(get, { lane: 'backfill' }))).toMatchObject({ code: 'local_limit' });
    expect(await send(get, { lane: 'interactive' })).toMatchObject({ status: 200 });
  });
});

describe('a budget', () => {
  const budget = { scope: 'TENANT', scopeId: '', callsPerHour: 2, callsPerDay: null } as const;

  it('that is spent refuses until its hour is over, without asking the provider', async () => {
    const { fake, gate, clock, ref, send } = await setUp([budget]);
    await send();
    await send(post, { connectionId: 'another' });
    const { category, code, retryAt } = await detailsOf(send());
    expect([category, code]).toEqual(['BUDGET', 'budget_spent']);
    const waitMs = (retryAt?.getTime() ?? 0) - clock.now().getTime();
    expect(waitMs).toBeGreaterThan(3_500_000);
    expect(waitMs).toBeLessThanOrEqual(3_600_000);
    expect(fake.requests).toHaveLength(2);
    // What the budget refuses takes nothing from the provider's windows.
    expect((await gate.rateLimit(ref)).windows[0]).toMatchObject({ remaining: 299 });
    expect(await send(get, { tenantId: 'other' })).toMatchObject({ status: 200 });
  });

  it('counts every try', async () => {
    const { fake, send } = await setUp([budget]);
    fake.next('GET /things', answer({ status: 408 }), answer({ status: 408 }));
    expect(await detailsOf(send())).toMatchObject({ category: 'BUDGET' });
    expect(fake.requests).toHaveLength(2);
  });

  it('of none stops everything; the smaller of two counts', async () => {
    const none = {
      ...budget,
      scope: 'CONNECTION',
      scopeId: 'a',
      callsPerHour: null,
      callsPerDay: 0,
    } as const;
    const { fake, send } = await setUp([budget, none]);
    expect(await detailsOf(send())).toMatchObject({ category: 'BUDGET' });
    expect(fake.requests).toEqual([]);
  });
});

describe('a provider that is down', () => {
  it('is left in peace, probed once, and called again when it is well', async () => {
    const { fake, clock, circuits, gate, ref, send } = await setUp();
    fake.next('POST /things', ...Array.from({ length: 6 }, () => answer({ status: 500 })));
    for (let n = 0; n < 5; n += 1) await detailsOf(send(post));
    expect(await detailsOf(send(get))).toMatchObject({ category: 'CIRCUIT_OPEN' });
    expect(fake.requests).toHaveLength(5);
    expect(await gate.circuit(ref)).toMatchObject({ state: 'OPEN' });
    expect(await send(get, { connectionId: 'another' })).toMatchObject({ status: 200 });

    clock.advance(15_000);
    // A probe is one request, even one that could be repeated.
    expect(await detailsOf(send({ ...post, isRepeatable: true }))).toMatchObject({ code: 'http_500' });
    expect(fake.requests).toHaveLength(7);
    clock.advance(30_000);
    expect(await send()).toMatchObject({ status: 200 });
    expect(await gate.circuit(ref)).toMatchObject({ state: 'CLOSED' });
    expect(circuits.map(({ state }) => state)).toEqual(['OPEN', 'HALF_OPEN', 'OPEN', 'HALF_OPEN', 'CLOSED']);
  });
});

describe('a provider that hangs', () => {
  /** The 90th percentile of so many calls, one after the other, in milliseconds. */
  async function latency(world: World, target: Partial<ProviderTarget>): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 60; n += 1) {
      const startedAt = performance.now();
      await world.send(get, target);
      times.push(performance.now() - startedAt);
    }
    return times.toSorted((a, b) => a - b)[54] ?? Infinity;
  }

  it('takes no more than its own slots, and nobody else waits for it', async () => {
    const world = await setUp();
    const { fake, gate, ref } = world;
    const manifest = { ...example.manifest, id: 'hanging', rateLimits: [], baseUrl: fake.url };
    const hanging = { ...example, manifest };
    const slow = await startFakeProvider();
    onTestFinished(() => slow.close());
    slow.next(() => true, ...Array.from({ length: 100 }, () => hang()));
    const connector = { ...hanging, manifest: { ...manifest, baseUrl: slow.url } };

    const alone = await latency(world, { connectionId: 'fast' });
    const refused: string[] = [];
    const waiting = Array.from({ length: 100 }, async (_, index) => {
      const details = await detailsOf(world.send(get, { connector, connectionId: `slow-${index}` }));
      if (details.code === 'too_many_calls') refused.push(details.code);
      return details;
    });
    await expect.poll(() => slow.requests.length).toBe(32);
    const beside = await latency(world, { connectionId: 'fast' });
    expect(slow.requests).toHaveLength(32);
    // Generous, as the machine may be busy: without bulkheads it is the ten seconds of the deadline.
    expect(beside).toBeLessThan(Math.max(10 * alone, 100));
    expect(await gate.circuit(ref)).toMatchObject({ state: 'CLOSED' });

    // Nobody waits for a slot until the deadline.
    await expect.poll(() => refused.length).toBe(68);
    await slow.close();
    const outcomes = await Promise.all(waiting);
    expect(outcomes.filter(({ category }) => category === 'NETWORK')).toHaveLength(32);
  });

  it('leaves its other connections slots', async () => {
    const { fake, send } = await setUp();
    fake.next('POST /things', ...Array.from({ length: 20 }, () => hang()));
    const waiting = Array.from({ length: 20 }, () => detailsOf(send(post)));
    await expect.poll(() => fake.requests.length).toBe(8);
    expect(await send(get, { connectionId: 'another' })).toMatchObject({ status: 200 });
    expect(fake.requests).toHaveLength(9);
    await fake.close();
    expect(await Promise.all(waiting)).toHaveLength(20);
  });
});
