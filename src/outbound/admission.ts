import type { Method, ProviderFailure } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { type FindBudgets, createBudgets } from './budget.js';
import { takeAll } from './demand.js';
import { retryAfter } from './failure.js';
import { type WindowState, createLimits } from './limits.js';
import { createPacer } from './pace.js';
import type { Shared, SharedRecords } from './shared.js';
import { type ConnectionRef, type Lane, nameOf } from './target.js';

/** How a connection stands with the limits of its provider. */
export interface RateLimitState {
  /** The part of its limits that it uses at the moment: 1 when all is well. */
  readonly multiplier: number;
  /** Until when the provider wants no calls; null when it takes them. */
  readonly pausedUntil: Date | null;
  readonly windows: readonly WindowState[];
}

/** What became of an admitted call, or has so far: what an answer that is still read begins with is told by itself. */
export interface Told {
  /** Of the answer, where there was one: told at once, since what it says of limits grows old. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly failure?: ProviderFailure;
  /** Left out while it is not over. */
  readonly durationMs?: number;
}

/** Asks the limits and budgets before the provider has to say no, and learns from what it says. */
export interface Admission {
  /**
   * Takes what the call costs. Throws a refusal when there is no room for it at this moment. What it answers is
   * to be told what came of the call.
   */
  admit(ref: ConnectionRef, lane: Lane, method: Method): Promise<(told: Told) => Promise<void>>;
  read(ref: ConnectionRef): Promise<RateLimitState>;
}

export interface AdmissionDeps {
  readonly shared: Shared;
  readonly records: SharedRecords;
  readonly clock: Clock;
  readonly findBudgets: FindBudgets;
}

export function createAdmission({ shared, records, clock, findBudgets }: AdmissionDeps): Admission {
  const pacer = createPacer(records, clock);
  const limits = createLimits(shared, clock);
  const budgets = createBudgets(shared, findBudgets);

  return {
    async admit(ref, lane, method) {
      const demands = limits.demandsOf(ref, lane, method);
      const spending = await budgets.demandsOf(ref, lane);
      const { pace, added } = await takeAll([...demands, ...spending], pacer.read(nameOf(ref)), clock);
      return async ({ headers, failure, durationMs }) => {
        const retryAt = failure?.details.retryAt ?? pauseOf(ref, headers, clock.now());
        const finding = {
          retryAt,
          ...(durationMs !== undefined && { durationMs }),
          ...(failure && { failure }),
        };
        const learning = pacer.learn(nameOf(ref), pace, finding);
        await Promise.all([learning, headers && limits.sync(demands, added, { headers })]);
      };
    },
    async read(ref) {
      const [pace, windows] = await Promise.all([pacer.read(nameOf(ref)), limits.read(ref)]);
      const pausedUntil = pace.pausedUntil === undefined ? null : new Date(pace.pausedUntil);
      return { multiplier: pace.multiplier, pausedUntil, windows };
    },
  };
}

/** Some providers ask for a pause while they still answer. */
function pauseOf(
  { connector }: ConnectionRef,
  headers: Readonly<Record<string, string>> = {},
  now: Date,
): Date | undefined {
  return connector.manifest.failures.pausesOnSuccess ? retryAfter({ headers }, now) : undefined;
}
