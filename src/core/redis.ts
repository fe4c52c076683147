import { Redis } from 'ioredis';
import type { Log } from './log.js';

/**
 * A client that fails at once rather than waits: what is kept in Redis is never the truth, and every user of it has
 * a way to go on without. A frozen server answers nothing at all, hence the command timeout.
 */
export function connectRedis(url: string, log: Log, meanwhile = 'limits are kept in the process'): Redis {
  const redis = new Redis(url, {
    commandTimeout: 200,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
    // Who subscribes does so at each 'ready': by itself it would not say when it is done, and a failure would be nobody's.
    autoResubscribe: false,
  });
  redis.on('error', (error: Error) =>
    log.warn({ error: error.message }, `redis: not reachable; ${meanwhile}`),
  );
  return redis;
}
