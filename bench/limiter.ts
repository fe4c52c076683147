/**
 * `tsx bench/limiter.ts`: what a call pays for being limited, in the process and on a local Redis. The pace of its
 * connection is read and points are taken from each of GitHub's four windows, as for every write. A warning between the
 * lines means that Redis was too slow to answer, and that the process counted for itself for a second.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { github } from '../connectors/github/index.js';
import { systemClock } from '../src/core/clock.js';
import { connectRedis } from '../src/core/redis.js';
import { createAdmission } from '../src/outbound/admission.js';
import { createShared, createSharedRecords } from '../src/outbound/shared.js';
import { findOrStartRedis } from '../test/support/redis-server.js';

const log = pino({ level: 'warn' });
const CHECKS = 10_000;
const WARM_UP = 1_000;
/** So many that no window refuses, at 80 writes a minute each. */
const CONNECTIONS = 2_000;

/** Sorted. One after the other: the check itself is measured, not how many of them this machine can do. */
async function measure(work: (n: number) => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < WARM_UP + CHECKS; n += 1) {
    const startedAt = performance.now();
    await work(n);
    if (n >= WARM_UP) times.push(performance.now() - startedAt);
  }
  return times.toSorted((a, b) => a - b);
}

const noBudgets = () => Promise.resolve([]);

function checkOn(storeClient?: Redis): (n: number) => Promise<unknown> {
  const shared = createShared({ redis: storeClient, log });
  const records = createSharedRecords(shared, systemClock);
  const admission = createAdmission({ shared, records, clock: systemClock, findBudgets: noBudgets });
  const tenantId = crypto.randomUUID();
  return (n) => {
    const connectionId = `connection-${n % CONNECTIONS}`;
    return admission.admit({ tenantId, connectionId, connector: github }, 'interactive', 'POST');
  };
}

function line(name: string, times: readonly number[]): string {
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? NaN).toFixed(3);
  return `| ${name} | ${at(0.5)} | ${at(0.95)} | ${at(0.99)} | ${(times.at(-1) ?? NaN).toFixed(3)} |`;
}

const server = await findOrStartRedis();
const redis = connectRedis(server.url, log);
await once(redis, 'ready');
const lines = [
  '| limiter check, milliseconds | p50 | p95 | p99 | max |',
  '| --- | --- | --- | --- | --- |',
  line('in the process', await measure(checkOn())),
  line('on a local Redis', await measure(checkOn(redis))),
  // What any word with this Redis costs on this machine, as busy as it is.
  line('a bare PING', await measure(() => redis.ping())),
];
process.stdout.write(`${lines.join('\n')}\n`);
redis.disconnect();
await server.stop();
