import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { example } from '../../connectors/example/index.js';
import type { Method, RateLimitRule } from '../connector/index.js';
import { takeAll } from './demand.js';
import { type Limits, createLimits } from './limits.js';
import { Refusal } from './refusal.js';
import { createShared } from './shared.js';
import { type ConnectionRef, type Lane, lanes } from './target.js';

const clock = { now: () => new Date() };
const shared = createShared({ log: pino({ level: 'silent' }) });

/** A connection of a provider with these windows. */
function refWith(...rateLimits: readonly Partial<RateLimitRule>[]): ConnectionRef {
  const rules = rateLimits.map((rule, index) => ({
    bucket: `b${index}`,
    points: 10,
    durationSeconds: 60,
    ...rule,
  }));
  const connector = { ...example, manifest: { ...example.manifest, rateLimits: rules } };
  return { tenantId: 'acme', connectionId: crypto.randomUUID(), connector };
}

interface Call {
  readonly lane?: Lane;
  readonly method?: Method;
  readonly multiplier?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Takes, and lets the windows learn from the answer. */
async function call(limits: Limits, ref: ConnectionRef, asked: Call = {}): Promise<'passed' | Refusal> {
  const { lane = 'interactive', method = 'GET', multiplier = 1, headers } = asked;
  try {
    const demands = limits.demandsOf(ref, lane, method);
    const { added } = await takeAll(demands, Promise.resolve({ multiplier }), clock);
    if (headers) await limits.sync(demands, added, { headers });
    return 'passed';
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

async function countPassed(limits: Limits, ref: ConnectionRef, asked: Call, calls = 20): Promise<number> {
  let passed = 0;
  for (let n = 0; n < calls; n += 1) if ((await call(limits, ref, asked)) === 'passed') passed += 1;
  return passed;
}

const remainingOf = async (limits: Limits, ref: ConnectionRef) =>
  (await limits.read(ref)).map(({ remaining }) => remaining);

describe('windows', () => {
  it('refuse with the time when the last of the full ones ends', async () => {
    const rules = [{ points: 1, durationSeconds: 10 }, { points: 1 }, { durationSeconds: 3_600 }];
    const [limits, ref] = [createLimits(shared, clock), refWith(...rules)];
    expect(await call(limits, ref)).toBe('passed');
    const refusal = await call(limits, ref);
    expect(refusal).toMatchObject({ guard: 'limit', details: { category: 'RATE_LIMIT' } });
    const waitMs = ((refusal as Refusal).details.retryAt?.getTime() ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it('lose nothing to a call that another one refuses', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ points: 10 }, { points: 1 })];
    expect(await countPassed(limits, ref, {})).toBe(1);
    expect(await remainingOf(limits, ref)).toEqual([9, 0]);
  });

  it('count what they say they count, at its price', async () => {
    const rules = [{ points: 100, costs: { POST: 5 } }, { methods: ['POST', 'PUT'] as const }];
    const [limits, ref] = [createLimits(shared, clock), refWith(...rules)];
    await call(limits, ref, { method: 'GET' });
    await call(limits, ref, { method: 'POST' });
    await call(limits, ref, { method: 'PUT' });
    expect(await remainingOf(limits, ref)).toEqual([93, 8]);
  });

  it('let a call through that costs more than its share, when nothing else was counted', async () => {
    const rules = { points: 10, costs: { POST: 8 } };
    const [limits, ref] = [createLimits(shared, clock), refWith(rules)];
    expect(await call(limits, ref, { method: 'POST', multiplier: 0.1 })).toBe('passed');
    expect(await call(limits, ref, { method: 'POST', multiplier: 0.1 })).toBeInstanceOf(Refusal);
  });

  it('count each connection for itself', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ points: 1 })];
    expect(await call(limits, ref)).toBe('passed');
    expect(await call(limits, { ...ref, connectionId: 'other' })).toBe('passed');
    expect(await call(limits, { ...ref, tenantId: 'other' })).toBe('passed');
    expect(await call(limits, ref)).toBeInstanceOf(Refusal);
  });

  it('are never overdrawn, whoever asks at once, and take from all or from none', async () => {
    const rule = fc.record({
      points: fc.integer({ min: 1, max: 20 }),
      methods: fc.constantFrom<readonly Method[]>(['GET'], ['POST'], ['GET', 'POST']),
    });
    const asked = fc.record({
      lane: fc.constantFrom(...lanes),
      method: fc.constantFrom<Method>('GET', 'POST'),
    });
    const property = fc.asyncProperty(
      fc.array(rule, { minLength: 1, maxLength: 4 }),
      fc.array(asked, { maxLength: 40 }),
      async (rules, calls) => {
        const [limits, ref] = [createLimits(shared, clock), refWith(...rules)];
        const results = await Promise.all(calls.map((one) => call(limits, ref, one)));
        const passed = calls.filter((_, index) => results[index] === 'passed');
        const counted = rules.map(
          ({ methods }) => passed.filter(({ method }) => methods.includes(method)).length,
        );
        rules.forEach(({ points }, index) => expect(counted[index]).toBeLessThanOrEqual(points));
        const left = rules.map(({ points }, index) => points - (counted[index] ?? 0));
        expect(await remainingOf(limits, ref)).toEqual(left);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('lanes and the multiplier', () => {
  it.each([
    ['interactive', 10],
    ['webhook', 9],
    ['poll', 8],
    ['backfill', 6],
  ] as const)('%s may fill %i of 10', async (lane, most) => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ points: 10 })];
    expect(await countPassed(limits, ref, { lane })).toBe(most);
    expect(await countPassed(limits, ref, { lane: 'interactive' })).toBe(10 - most);
  });

  it('leave each lane something of the smallest window', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ points: 1 })];
    expect(await countPassed(limits, ref, { lane: 'backfill', multiplier: 0.05 })).toBe(1);
  });

  it('narrow the window', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ points: 10 })];
    expect(await countPassed(limits, ref, { multiplier: 0.5 })).toBe(5);
  });
});

describe('what the provider tells', () => {
  const reset = { header: 'reset', unit: 'seconds' } as const;
  const headers = { remaining: 'left', reset, when: { bucket: 'core' } };
  const told = (left: number, bucket = 'core') => ({
    headers: { left: String(left), reset: '30', bucket },
  });

  it('drains a window that others use as well', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ headers })];
    await call(limits, ref, told(1));
    const [state] = await limits.read(ref);
    expect(state).toMatchObject({ limit: 10, remaining: 1 });
    const resetsInMs = (state?.resetsAt?.getTime() ?? 0) - Date.now();
    expect(resetsInMs).toBeGreaterThan(25_000);
    expect(resetsInMs).toBeLessThanOrEqual(30_000);
    expect(await countPassed(limits, ref, {})).toBe(1);
  });

  it('refills a window that began anew', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ headers })];
    expect(await countPassed(limits, ref, {}, 9)).toBe(9);
    await call(limits, ref, told(9));
    expect(await remainingOf(limits, ref)).toEqual([9]);
  });

  it('never closes a window for longer than it lasts', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ headers })];
    await call(limits, ref, { headers: { left: '0', reset: '99999999999', bucket: 'core' } });
    const [state] = await limits.read(ref);
    expect(state?.remaining).toBe(0);
    expect((state?.resetsAt?.getTime() ?? 0) - Date.now()).toBeLessThanOrEqual(60_000);
  });

  it('may be more than was declared', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ headers })];
    await call(limits, ref, told(50));
    expect(await countPassed(limits, ref, {}, 60)).toBe(50);
  });

  it('is left alone where it is about another bucket, unreadable, or as good as known', async () => {
    const [limits, ref] = [createLimits(shared, clock), refWith({ headers, points: 100 })];
    await call(limits, ref, told(1, 'search'));
    await call(limits, ref, { headers: { left: 'some', bucket: 'core' } });
    await call(limits, ref, { headers: {} });
    // Ours counts calls that are still under way.
    await call(limits, ref, told(99));
    expect(await remainingOf(limits, ref)).toEqual([96]);
  });
});
