import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';

/** How long Redis is left alone after it failed: a frozen one costs its timeout once in this time, not with every call. */
const REST_MS = 1_000;
const MAX_RECORDS = 50_000;

/** What all processes share about calls: in Redis while it answers, in each process for itself while it does not. */
export interface Shared {
  /** Asks Redis; answers `inProcess` where there is none, where it fails, and for a second after that. */
  ask<T>(viaRedis: (redis: Redis) => Promise<T>, inProcess: () => T | Promise<T>): Promise<T>;
}

export interface SharedDeps {
  readonly redis?: Redis | undefined;
  readonly log: Log;
}

export function createShared({ redis, log }: SharedDeps): Shared {
  let restsUntil = 0;
  return {
    async ask(viaRedis, inProcess) {
      if (!redis || performance.now() < restsUntil) return inProcess();
      try {
        return await viaRedis(redis);
      } catch (error) {
        // Those that were asked together fail together, and are told of once.
        if (performance.now() >= restsUntil) {
          log.warn({ error: (error as Error).message }, 'redis: failed; this process counts for itself');
        }
        restsUntil = performance.now() + REST_MS;
        return inProcess();
      }
    },
  };
}

/** Small shared texts that are over after a while. Losing one is never wrong, only less well informed. */
export interface SharedRecords {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string, lifetimeMs: number): Promise<void>;
  /** Sets what is not there yet. Of several at once one gets true. */
  add(name: string, value: string, lifetimeMs: number): Promise<boolean>;
  delete(name: string): Promise<void>;
  /** Deletes it while it says this, and leaves it alone where another has set it since. */
  deleteOwn(name: string, value: string): Promise<void>;
}

/** Compares and deletes in one step: between two the record could pass to another. */
const DELETE_OWN = `return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0`;

/** The process keeps a copy of what it writes, and goes on with that when Redis is gone. */
export function createSharedRecords(shared: Shared, clock: Clock): SharedRecords {
  const own = new LRUCache<string, { readonly value: string; readonly until: number }>({ max: MAX_RECORDS });

  function getOwn(name: string): string | undefined {
    const record = own.get(name);
    return record && record.until > clock.now().getTime() ? record.value : undefined;
  }
  function setOwn(name: string, value: string, lifetimeMs: number): void {
    own.set(name, { value, until: clock.now().getTime() + lifetimeMs });
  }

  return {
    get: (name) =>
      shared.ask(
        async (redis) => (await redis.get(keyOf(name))) ?? undefined,
        () => getOwn(name),
      ),
    async set(name, value, lifetimeMs) {
      setOwn(name, value, lifetimeMs);
      await shared.ask(
        (redis) => redis.set(keyOf(name), value, 'PX', Math.ceil(lifetimeMs)),
        () => undefined,
      );
    },
    async add(name, value, lifetimeMs) {
      const isFirstHere = getOwn(name) === undefined;
      const isFirst = await shared.ask(
        async (redis) => (await redis.set(keyOf(name), value, 'PX', Math.ceil(lifetimeMs), 'NX')) === 'OK',
        () => isFirstHere,
      );
      if (isFirst) setOwn(name, value, lifetimeMs);
      return isFirst;
    },
    async delete(name) {
      own.delete(name);
      await shared.ask(
        (redis) => redis.del(keyOf(name)),
        () => 0,
      );
    },
    async deleteOwn(name, value) {
      if (own.get(name)?.value === value) own.delete(name);
      await shared.ask(
        (redis) => redis.eval(DELETE_OWN, 1, keyOf(name), value),
        () => 0,
      );
    },
  };
}

function keyOf(name: string): string {
  return `tributary:${name}`;
}
