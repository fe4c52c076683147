import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Db } from './db.js';
import type { Log } from './log.js';

/**
 * Hints between processes that a table has new rows: by Redis while it is there, so that a commit costs PostgreSQL no
 * NOTIFY, and by NOTIFY. A hint may be lost or come twice: it says "look", and whoever hears it also looks by itself
 * now and then.
 */
export interface Hints {
  /**
   * Whether the hint at what is about to be committed can be left to {@link Hints.give}, after the commit. If not, the
   * transaction has to NOTIFY, which goes out with its commit.
   */
  canGive(): boolean;
  /** Hints at what was committed. Nobody waits for it, and it never fails: where Redis does, NOTIFY goes after. */
  give(channel: string): void;
  /** Calls back for every hint on the channel, whichever way it comes, and whenever some may have been lost. */
  listen(channel: string, onHint: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface HintDeps {
  readonly db: Pick<Db, 'doors' | 'listen'>;
  readonly log: Log;
  /** To publish with; a second connection like it listens. */
  readonly redis: Redis;
}

/**
 * One for all, as Redis' own channels know no databases. A second installation on the same Redis hears of what it does
 * not have, and looks in vain.
 */
const REDIS_CHANNEL = 'tributary:hints';
/** How long Redis is left alone after it failed: a frozen one makes one hint late in this time, not every one. */
const REST_MS = 1_000;

export function createHints({ db, log, redis }: HintDeps): Hints {
  const self = randomUUID();
  const listeners = new Map<string, Set<() => void>>();
  /** Channels with a hint on its way to Redis; true: more has come since, and one more is due. */
  const flights = new Map<string, boolean>();
  let isHearing = false;
  let restsUntil = 0;

  const ear = redis.duplicate();
  ear.on('error', ({ message }: Error) =>
    log.warn({ error: message }, 'redis: not reachable; hints go by NOTIFY, or are late'),
  );
  ear.on('close', () => (isHearing = false));
  ear.on('ready', () => void hear());
  ear.on('message', (_, text: string) => {
    const [sender, channel = ''] = text.split(' ');
    if (sender !== self) tell(channel);
  });

  async function hear(): Promise<void> {
    try {
      await ear.subscribe(REDIS_CHANNEL);
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'hints: could not listen at Redis; they go by NOTIFY');
      return;
    }
    isHearing = true;
    // What came meanwhile is lost.
    for (const channel of listeners.keys()) tell(channel);
  }

  function tell(channel: string): void {
    for (const onHint of listeners.get(channel) ?? []) onHint();
  }

  /** Whoever hears nothing at Redis does not count on others to. */
  const canGive = (): boolean => isHearing && redis.status === 'ready' && performance.now() >= restsUntil;

  /** One at a time for each channel, however many commits there are: a hint says nothing but "look". */
  async function fly(channel: string): Promise<void> {
    if (flights.has(channel)) return void flights.set(channel, true);
    do {
      flights.set(channel, false);
      if (!(await publish(channel))) await notify(channel);
    } while (flights.get(channel));
    flights.delete(channel);
  }

  /** False where Redis did not take it. */
  async function publish(channel: string): Promise<boolean> {
    if (!canGive()) return false;
    try {
      await redis.publish(REDIS_CHANNEL, `${self} ${channel}`);
      return true;
    } catch (error) {
      restsUntil = performance.now() + REST_MS;
      log.warn({ error: (error as Error).message }, 'hints: Redis failed; they go by NOTIFY for a while');
      return false;
    }
  }

  async function notify(channel: string): Promise<void> {
    try {
      await db.doors.query(`select pg_notify($1, '')`, [channel]);
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'hints: one was lost; who misses it looks by itself');
    }
  }

  return {
    canGive,
    give(channel) {
      tell(channel);
      void fly(channel);
    },
    async listen(channel, onHint) {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(onHint));
      const stopListening = await db.listen(channel, onHint);
      return async () => {
        known.delete(onHint);
        await stopListening();
      };
    },
    close: async () => ear.disconnect(),
  };
}
