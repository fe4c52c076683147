import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../test/support/clock.js';
import { type FailureCategory, ProviderFailure } from '../connector/index.js';
import { type Finding, createPacer } from './pace.js';
import { Refusal } from './refusal.js';
import { createShared, createSharedRecords } from './shared.js';

function setUp() {
  const clock = createTestClock();
  const pacer = createPacer(
    createSharedRecords(createShared({ log: pino({ level: 'silent' }) }), clock),
    clock,
  );
  return {
    clock,
    read: () => pacer.read('a'),
    multiplier: async () => (await pacer.read('a')).multiplier,
    async learn(finding: Partial<Finding>, name = 'a') {
      await pacer.learn(name, await pacer.read(name), { durationMs: 50, ...finding });
    },
  };
}

function failed(category: FailureCategory, providerStatus: number) {
  return { failure: new ProviderFailure({ category, code: 'x', message: 'x', providerStatus }) };
}

describe('the multiplier', () => {
  it('halves on 429, once for those that come together, and never ends', async () => {
    const { clock, learn, multiplier } = setUp();
    expect(await multiplier()).toBe(1);
    await learn(failed('RATE_LIMIT', 429));
    await learn(failed('RATE_LIMIT', 403));
    expect(await multiplier()).toBe(0.5);
    clock.advance(1_000);
    await learn(failed('RATE_LIMIT', 429));
    expect(await multiplier()).toBe(0.25);
    for (let n = 0; n < 10; n += 1) {
      clock.advance(1_000);
      await learn(failed('RATE_LIMIT', 429));
    }
    expect(await multiplier()).toBe(0.05);
  });

  it('loses a quarter to a burst of 5xx, and nothing to single ones', async () => {
    const { clock, learn, multiplier } = setUp();
    for (let n = 0; n < 10; n += 1) {
      await learn(failed('PROVIDER', 503));
      clock.advance(6_000);
    }
    expect(await multiplier()).toBe(1);
    clock.advance(20_000);
    for (let n = 0; n < 3; n += 1) await learn(failed('PROVIDER', 503));
    expect(await multiplier()).toBe(0.75);
    clock.advance(2_000);
    await learn(failed('PROVIDER', 503));
    expect(await multiplier()).toBe(0.75);
  });

  it('comes back slowly, by fast successes only', async () => {
    const { clock, learn, multiplier } = setUp();
    await learn(failed('RATE_LIMIT', 429));
    await learn({});
    expect(await multiplier()).toBe(0.5);
    clock.advance(15_000);
    await learn({ durationMs: 1_500 });
    await learn(failed('NOT_FOUND', 404));
    expect(await multiplier()).toBe(0.5);
    await learn({});
    await learn({});
    expect(await multiplier()).toBe(0.55);
    for (let n = 0; n < 20; n += 1) {
      clock.advance(15_000);
      await learn({});
    }
    expect(await multiplier()).toBe(1);
  });

  it('learns nothing from what was not asked, nor from another connection', async () => {
    const { learn, multiplier } = setUp();
    const details = { category: 'RATE_LIMIT', code: 'x', message: 'x' } as const;
    await learn({ failure: new Refusal({ guard: 'limit', ...details }) });
    await learn(failed('RATE_LIMIT', 429), 'b');
    expect(await multiplier()).toBe(1);
  });
});

describe('a pause', () => {
  it('lasts until the time that was told, and the longer one counts', async () => {
    const { clock, learn, read } = setUp();
    const now = clock.now().getTime();
    await learn({ retryAt: new Date(now + 30_000) });
    await learn({ retryAt: new Date(now + 10_000) });
    expect(await read()).toEqual({ multiplier: 1, pausedUntil: now + 30_000 });
    clock.advance(30_001);
    expect(await read()).toEqual({ multiplier: 1 });
  });

  it('is an hour at most, and none for a time that is over', async () => {
    const { clock, learn, read } = setUp();
    await learn({ retryAt: new Date(clock.now().getTime() - 1) });
    expect(await read()).toEqual({ multiplier: 1 });
    await learn({ retryAt: new Date('2199-01-01') });
    clock.advance(3_600_001);
    expect(await read()).toEqual({ multiplier: 1 });
  });
});
