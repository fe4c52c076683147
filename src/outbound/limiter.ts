import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { TributaryError } from '../core/errors.js';
import type { Shared } from './shared.js';

/** How a key's window stands. */
export interface Count {
  readonly consumed: number;
  readonly resetsInMs: number;
}

/** A count that includes what was just added to it. */
export interface Added extends Count {
  /** Takes it back where it was added, since by now the count may be kept elsewhere. Rejects when that place is gone. */
  giveBack(): Promise<void>;
}

/** Counts points per key in fixed windows. It never refuses: what is too much depends on who asks. */
export interface Counter {
  add(key: string, points: number): Promise<Added>;
  /** Undefined when nothing was counted in this window. */
  read(key: string): Promise<Count | undefined>;
  /** Corrects the count, by what the provider knows better. */
  set(key: string, consumed: number, resetsInMs: number): Promise<void>;
}

export interface CounterOptions {
  readonly name: string;
  readonly durationSeconds: number;
  readonly shared: Shared;
}

export function createCounter({ name, durationSeconds, shared }: CounterOptions): Counter {
  // The libraries' own limit is not used, see add.
  const window = { keyPrefix: `tributary:limit:${name}`, points: 0, duration: durationSeconds };
  const inProcess = new RateLimiterMemory(window);
  let inRedis: RateLimiterRedis | undefined;

  /** `work` on the count that is in force: the shared one, or the process's own. */
  function onCount<T>(work: (limiter: RateLimiterAbstract) => Promise<T>): Promise<T> {
    return shared.ask(
      (storeClient) => work((inRedis ??= new RateLimiterRedis({ ...window, storeClient }))),
      () => work(inProcess),
    );
  }

  return {
    add: (key, points) =>
      onCount(async (limiter) => {
        // penalty() adds without refusing, consume() would refuse by one limit for all.
        const count = toCount(await limiter.penalty(key, points));
        const endsAt = performance.now() + count.resetsInMs;
        return {
          ...count,
          async giveBack() {
            // To the next window it would be a present.
            if (performance.now() < endsAt) await limiter.reward(key, points);
          },
        };
      }),
    async read(key) {
      const result = await onCount((limiter) => limiter.get(key));
      return result ? toCount(result) : undefined;
    },
    async set(key, consumed, resetsInMs) {
      // Redis would keep a window of no seconds for ever.
      const seconds = Math.max(1, Math.ceil(resetsInMs / 1000));
      await onCount((limiter) => limiter.set(key, consumed, seconds));
    },
  };
}

function toCount({ consumedPoints, msBeforeNext }: RateLimiterRes): Count {
  return { consumed: consumedPoints, resetsInMs: Math.max(1, msBeforeNext) };
}

export interface LimiterOptions {
  readonly name: string;
  readonly points: number;
  readonly durationSeconds: number;
}

export interface Limiter {
  /** Takes one point. Answers 0 when there was one, else the milliseconds until there is one again. */
  take(key: string): Promise<number>;
}

/** One limit for every key, counted by this process alone: for what protects the process itself. */
export function createLimiter({ name, points, durationSeconds }: LimiterOptions): Limiter {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points, duration: durationSeconds });
  return {
    async take(key) {
      try {
        await limiter.consume(key);
        return 0;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
        throw refusal;
      }
    },
  };
}

/** Throws RATE_LIMITED, with the seconds to wait, where a limiter had no point to give: see {@link Limiter.take}. */
export function requirePoint(waitMs: number, message: string): void {
  if (waitMs === 0) return;
  throw new TributaryError('RATE_LIMITED', message, { retry_after_seconds: Math.ceil(waitMs / 1000) });
}
