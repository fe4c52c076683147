import type { Redis } from 'ioredis';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';

export interface LimiterOptions {
  readonly name: string;
  readonly points: number;
  readonly durationSeconds: number;
  /** Shares the count between processes. While it is away, each process counts for itself. */
  readonly redis?: Redis | undefined;
}

export interface Limiter {
  /** Takes one point. Answers 0 when there was one, else the milliseconds until there is one again. */
  take(key: string): Promise<number>;
}

/** Counts per key in fixed windows. */
export function createLimiter({ name, points, durationSeconds, redis }: LimiterOptions): Limiter {
  const window = { keyPrefix: `tributary:limit:${name}`, points, duration: durationSeconds };
  const inProcess = new RateLimiterMemory(window);
  const limiter: RateLimiterAbstract = redis
    ? new RateLimiterRedis({ ...window, storeClient: redis, insuranceLimiter: inProcess })
    : inProcess;
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
