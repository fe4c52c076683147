import type { Clock } from '../core/clock.js';
import type { Added, Counter } from './limiter.js';
import type { Pace } from './pace.js';
import { type BudgetWindow, Refusal, type RefusalDetails } from './refusal.js';

/** What one call takes from one window. */
export interface Demand {
  readonly counter: Counter;
  readonly key: string;
  readonly points: number;
  /** More than this may not be counted in the window at this pace, the call included. */
  allowedAt(pace: Pace): number;
  /** Left out: it is a provider's window. */
  readonly budget?: BudgetWindow;
  refuse(retryAt: Date): RefusalDetails;
}

/** What a call was given. */
export interface Taken {
  readonly pace: Pace;
  /** In the order of the demands. */
  readonly added: readonly Added[];
}

/**
 * Takes from every window, or from none: a call that one of them refuses leaves the others as they were. Throws the
 * refusal with the longest wait. Windows are asked while the pace is still read: one way to Redis and back for all.
 */
export async function takeAll(
  demands: readonly Demand[],
  reading: Promise<Pace>,
  clock: Clock,
): Promise<Taken> {
  const adding = demands.map(({ counter, key, points }) => counter.add(key, points));
  const [pace, ...added] = await Promise.all([reading, ...adding]);
  const refusal = pace.pausedUntil === undefined ? refusalOf(demands, pace, added, clock) : refusePause(pace);
  if (!refusal) return { pace, added };
  // Where Redis went away in between, its count is not in force any more, and there is nothing to give back to.
  await Promise.allSettled(added.map((one) => one.giveBack()));
  throw refusal;
}

function refusalOf(
  demands: readonly Demand[],
  pace: Pace,
  added: readonly Added[],
  clock: Clock,
): Refusal | undefined {
  const now = clock.now().getTime();
  const full = demands
    .map((demand, index) => ({ demand, waitMs: waitOf(demand, pace, added[index]) }))
    .filter(({ waitMs }) => waitMs > 0)
    .map(({ demand, waitMs }) => ({ demand, endsAt: new Date(now + waitMs) }))
    .toSorted((a, b) => b.endsAt.getTime() - a.endsAt.getTime());
  const [longest] = full;
  if (!longest) return undefined;
  const spent = full.flatMap(({ demand, endsAt }) => (demand.budget ? [{ ...demand.budget, endsAt }] : []));
  return new Refusal({ ...longest.demand.refuse(longest.endsAt), spent });
}

function waitOf(demand: Demand, pace: Pace, added: Added | undefined): number {
  return added && added.consumed > demand.allowedAt(pace) ? added.resetsInMs : 0;
}

function refusePause({ pausedUntil = 0 }: Pace): Refusal {
  return new Refusal({
    guard: 'pause',
    category: 'RATE_LIMIT',
    code: 'local_limit',
    message: 'The provider asked for a pause, which is not over yet.',
    retryAt: new Date(pausedUntil),
  });
}
