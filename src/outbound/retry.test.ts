import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ProviderFailureDetails,
  ProviderFailure,
  type ProviderRequest,
  failureCategories,
} from '../connector/index.js';
import { type Guard, Refusal } from './refusal.js';
import { sendWithRetries } from './retry.js';

// The waits are real timers of cockatiel's: they are run through, not waited for.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

type Details = Partial<ProviderFailureDetails>;
type Request = Pick<ProviderRequest, 'method' | 'isRepeatable'>;

const failed = (details: Details) =>
  new ProviderFailure({ category: 'PROVIDER', code: 'x', message: 'x', ...details });
const refused = (guard: Guard, details: Details = {}) =>
  new Refusal({ guard, category: 'RATE_LIMIT', code: 'x', message: 'x', ...details });
const inMs = (milliseconds: number) => new Date(Date.now() + milliseconds);

/** Sends until it is well or given up; answers when each try began, and how it ended. */
async function run(request: Request, errors: readonly Error[], random = () => 1, tookMs = 0) {
  const startedAt = performance.now();
  const tries: number[] = [];
  const retried: ProviderFailure[] = [];
  const onRetry = (failure: ProviderFailure) => void retried.push(failure);
  const sending = sendWithRetries(
    { clock: { now: () => new Date() }, random, onRetry },
    request,
    async () => {
      tries.push(Math.round(performance.now() - startedAt));
      if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
      const error = errors[tries.length - 1];
      if (error) throw error;
      return 'well';
    },
  ).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return { ended: await sending, tries, retried };
}

const get: Request = { method: 'GET' };
const busy = failed({ providerStatus: 503 });

describe('what is sent again', () => {
  it.each<[string, Details]>([
    ['a 5xx', { providerStatus: 500 }],
    ['408', { providerStatus: 408 }],
    ['425', { providerStatus: 425 }],
    ['429', { category: 'RATE_LIMIT', providerStatus: 429 }],
    ['a limit in disguise', { category: 'RATE_LIMIT', providerStatus: 400 }],
    ['trouble of the line', { category: 'NETWORK' }],
  ])('%s to a GET, twice at most', async (_, details) => {
    const error = failed(details);
    expect(await run(get, [error])).toMatchObject({ ended: 'well', retried: [error] });
    const { ended, tries } = await run(get, [error, error, error]);
    expect(ended).toBe(error);
    expect(tries).toHaveLength(3);
  });

  it.each<[string, Details]>([
    ['what is no answer anybody can read', { providerStatus: 200 }],
    ['what is too large', {}],
    ...failureCategories
      .filter((category) => !['RATE_LIMIT', 'NETWORK', 'PROVIDER'].includes(category))
      .map((category): [string, Details] => [category, { category, providerStatus: 400 }]),
  ])('not %s', async (_, details) => {
    expect((await run(get, [failed(details)])).tries).toHaveLength(1);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('%s only when it is repeatable', async (method) => {
    expect((await run({ method }, [busy])).tries).toHaveLength(1);
    expect((await run({ method, isRepeatable: true }, [busy])).tries).toHaveLength(2);
  });

  it('a GET unless it is not repeatable', async () => {
    expect((await run({ method: 'GET', isRepeatable: false }, [busy])).tries).toHaveLength(1);
  });

  it('whatever was not sent at all, once the window or the pause is over', async () => {
    const post: Request = { method: 'POST' };
    for (const guard of ['limit', 'pause'] as const) {
      expect((await run(post, [refused(guard, { retryAt: inMs(1_000) })])).ended).toBe('well');
      expect((await run(post, [refused(guard, { retryAt: inMs(3_000) })])).tries).toHaveLength(1);
    }
    for (const guard of ['budget', 'circuit', 'bulkhead', 'address'] as const) {
      expect((await run(get, [refused(guard, { retryAt: inMs(1_000) })])).tries).toHaveLength(1);
    }
  });

  it('never a bug of ours', async () => {
    const bug = new TypeError('a bug');
    expect(await run(get, [bug])).toEqual({ ended: bug, tries: [0], retried: [] });
  });
});

describe('a doubt about an earlier try', () => {
  const post: Request = { method: 'POST', isRepeatable: true };
  const lost = failed({ category: 'NETWORK', isAmbiguous: true });

  it('stays, however the last one ended', async () => {
    const last = failed({ category: 'INVALID', code: 'gone', providerStatus: 422, isAmbiguous: false });
    const { ended } = await run(post, [lost, last]);
    expect(ended).toMatchObject({ details: { ...last.details, isAmbiguous: true }, cause: last });
    expect((await run(post, [lost, refused('budget')])).ended).toBe(lost);
    expect((await run(post, [lost])).ended).toBe('well');
  });

  it('is none where every try is known to have done nothing', async () => {
    const limited = failed({ category: 'RATE_LIMIT', isAmbiguous: false });
    const refusal = refused('budget');
    expect((await run(post, [limited, refusal])).ended).toBe(refusal);
  });
});

describe('the wait', () => {
  it('is anything up to a bound that doubles', async () => {
    expect((await run(get, [busy, busy], () => 1)).tries).toEqual([0, 200, 600]);
    expect((await run(get, [busy, busy], () => 0.5)).tries).toEqual([0, 100, 300]);
    expect((await run(get, [busy, busy], () => 0)).tries).toEqual([0, 0, 0]);
  });

  it('is exactly as long as told', async () => {
    const error = failed({ category: 'RATE_LIMIT', retryAt: inMs(700) });
    expect((await run(get, [error], () => 0.1)).tries).toEqual([0, 705]);
  });

  it('is left to a job when it is longer than two seconds', async () => {
    const error = failed({ category: 'RATE_LIMIT', retryAt: inMs(2_001) });
    expect(await run(get, [error])).toMatchObject({ ended: error, tries: [0] });
  });

  it('ends with the two seconds, those of the tries included', async () => {
    expect((await run(get, [busy], () => 1, 2_001)).tries).toHaveLength(1);
    expect((await run(get, [busy, busy], () => 1, 950)).tries).toEqual([0, 1_150]);
  });

  it('never lets a try begin later than that, nor before it was told', async () => {
    const trouble = fc.record({
      waitMs: fc.option(fc.integer({ min: 0, max: 3_000 })),
      tookMs: fc.integer({ min: 0, max: 1_500 }),
    });
    const property = fc.asyncProperty(
      trouble,
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (one, random) => {
        const { waitMs, tookMs } = one;
        const error = failed({
          category: 'RATE_LIMIT',
          ...(waitMs !== null && { retryAt: inMs(tookMs + waitMs) }),
        });
        const { tries } = await run(get, [error, error, error], () => random, tookMs);
        expect(tries.length).toBeLessThanOrEqual(3);
        expect(tries.at(-1)).toBeLessThanOrEqual(2_000);
        expect(tries[1] ?? Infinity).toBeGreaterThanOrEqual(tookMs + (waitMs ?? 0));
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});
