import { createHash } from 'node:crypto';
import type { ProviderFailureDetails } from '../connector/index.js';

/** Between which intervals a tenant lets its connection be polled. */
export interface PollBounds {
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

/** How a stream is paced now, and when it is due. */
export interface Pace {
  readonly dueAt: Date;
  readonly intervalSeconds: number;
  /** In a row. */
  readonly failures: number;
}

export const DEFAULT_BOUNDS: PollBounds = { minSeconds: 60, maxSeconds: 3_600 };
const FIRST_SECONDS = 300;
const STRETCH = 1.5;
const SHORTEN = 0.5;
/** Some limits are daily. Told to stay away for longer, we look again after this: a wrong date must not end a poll. */
const LONGEST_WAIT_SECONDS = 24 * 3_600;

export function firstInterval(bounds: PollBounds): number {
  return clamp(FIRST_SECONDS, bounds);
}

/** Each stream begins at a moment of its own within the interval, so that what was connected together is spread over it. */
export function firstDue(key: string, intervalSeconds: number, now: Date): Date {
  const share = createHash('sha256').update(key).digest().readUInt32BE() / 2 ** 32;
  return new Date(now.getTime() + Math.floor(share * intervalSeconds * 1000));
}

/** What was quiet is asked less often, what was busy more often. */
export function afterSuccess(pace: Pace, found: number, bounds: PollBounds, now: Date): Pace {
  const intervalSeconds = clamp(pace.intervalSeconds * (found > 0 ? SHORTEN : STRETCH), bounds);
  return { intervalSeconds, failures: 0, dueAt: nextDue(pace.dueAt, intervalSeconds, now) };
}

/**
 * Told when to come back, we come back then. Else twice as late with every failure, up to the longest interval; where
 * the provider asked for more than that, it gets more: a day at most, or the longest interval where that is longer.
 */
export function afterFailure(
  pace: Pace,
  failure: Pick<ProviderFailureDetails, 'category' | 'retryAt'>,
  bounds: PollBounds,
  now: Date,
): Pace {
  const retryAt = failure.retryAt && earlier(failure.retryAt, longestWait(bounds, now));
  if (retryAt && isLimit(failure)) return { ...pace, dueAt: later(retryAt, now) };
  const failures = pace.failures + 1;
  const seconds = Math.min(bounds.maxSeconds, pace.intervalSeconds * 2 ** failures);
  const dueAt = new Date(now.getTime() + seconds * 1000);
  return { ...pace, failures, dueAt: retryAt ? later(retryAt, dueAt) : dueAt };
}

function longestWait({ maxSeconds }: PollBounds, now: Date): Date {
  return new Date(now.getTime() + Math.max(maxSeconds, LONGEST_WAIT_SECONDS) * 1000);
}

/** Nothing is wrong with the connection: it only has to wait. */
export function isLimit({ category }: Pick<ProviderFailureDetails, 'category'>): boolean {
  return category === 'RATE_LIMIT' || category === 'BUDGET' || category === 'CIRCUIT_OPEN';
}

export function clamp(seconds: number, { minSeconds, maxSeconds }: PollBounds): number {
  return Math.round(Math.min(maxSeconds, Math.max(minSeconds, seconds)));
}

/**
 * Whole intervals after the time that was due, so that streams stay spread even when all of them were late. When the
 * clock was set back since, from now on.
 */
function nextDue(dueAt: Date, intervalSeconds: number, now: Date): Date {
  const interval = intervalSeconds * 1000;
  const from = Math.min(dueAt.getTime(), now.getTime());
  const intervals = Math.floor((now.getTime() - from) / interval) + 1;
  return new Date(from + intervals * interval);
}

function later(one: Date, other: Date): Date {
  return one > other ? one : other;
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
