import type { Redis } from 'ioredis';
import type { PoolClient } from 'pg';
import { changeCursor } from '../connection/changes.js';
import type { Db } from '../core/db.js';
import type { Hints } from '../core/hints.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { connectRedis } from '../core/redis.js';
import { healthCursor } from '../health/changes.js';
import { SIGNAL_HINTS } from '../signal/journal.js';
import { signalCursor } from '../signal/signals.js';

/**
 * Tells gateways that subscribe at Redis themselves which entity is new or has changed, by its key: what they need of it
 * they ask for, with the subscriber's own token.
 */
export interface EntityEvents {
  /** Publishes from now on; whatever happens meanwhile is published later. Answers what ends it. */
  follow(): Promise<() => Promise<void>>;
}

export interface EntityEventDeps {
  readonly db: Db;
  /** Where hints at new rows are heard, if not by NOTIFY alone. */
  readonly hints?: Pick<Hints, 'listen'> | undefined;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'entityEvents'>;
  /** Undefined: nothing is published. */
  readonly url: string | undefined;
  /** What the names of all channels begin with. */
  readonly prefix: string;
  /** How long a lost hint can go unnoticed. */
  readonly selfCheckMs?: number;
}

/** What is told of one row: an entity's representation, and the cursor behind which a consumer goes on who missed some. */
interface EntityEvent {
  readonly __typename: string;
  readonly id: string;
  readonly cursor: string;
}

interface Feed {
  /** Its name in the database. */
  readonly name: 'signals' | 'changes' | 'health';
  /** Where hints at new rows are given. */
  readonly hints: string;
  /** In the names of its Redis channels. */
  readonly topic: string;
  readonly typename: string;
  toCursor(row: { readonly sequence: string }): string;
}

const feeds: readonly Feed[] = [
  {
    name: 'signals',
    hints: SIGNAL_HINTS,
    topic: 'signals',
    typename: 'Signal',
    toCursor: signalCursor,
  },
  {
    name: 'changes',
    hints: 'tributary_connections',
    topic: 'connections',
    typename: 'IntegrationConnection',
    toCursor: changeCursor,
  },
  {
    name: 'health',
    hints: 'tributary_health',
    topic: 'health',
    typename: 'IntegrationConnection',
    toCursor: healthCursor,
  },
];

interface Row {
  readonly sequence: string;
  readonly tenant_id: string;
  readonly id: string;
}

const PAGE = 500;

/**
 * One process at a time publishes a feed: it holds the row that says how far it has come, and moves it in the same
 * transaction, once Redis has everything. Whoever dies over it lets go of the row, and the next one goes on from there:
 * an event may come twice, and none is left out.
 */
export function createEntityEvents(deps: EntityEventDeps): EntityEvents {
  const { db, log, url } = deps;
  return {
    async follow() {
      if (url === undefined) return async () => {};
      const redis = connectRedis(url, log, 'entity events wait');
      const stops: (() => Promise<void>)[] = [];
      for (const feed of feeds) stops.push(await followFeed(deps, feed, redis));
      return async () => {
        await Promise.all(stops.map((stop) => stop()));
        redis.disconnect();
      };
    },
  };

  async function followFeed({ hints = db, selfCheckMs = 1_000 }: EntityEventDeps, feed: Feed, redis: Redis) {
    // The place where everything begins is kept at once, whether or not Redis is there to be told anything.
    await take(db.doors, feed);
    const look = repeatable(async (stop) => {
      try {
        while (!stop.aborted && (await publishPage(deps, feed, redis)));
      } catch (error) {
        const { message } = error as Error;
        log.warn({ error: message, feed: feed.name }, 'entity events: not published; trying again soon');
      }
    });
    const stopListening = await hints.listen(feed.hints, look.run);
    const timer = setInterval(look.run, selfCheckMs);
    look.run();
    return async () => {
      clearInterval(timer);
      await stopListening();
      await look.stop();
    };
  }
}

/** True when the page was full, so that there may be more. */
async function publishPage({ db, ...deps }: EntityEventDeps, feed: Feed, redis: Redis): Promise<boolean> {
  const client = await db.doors.connect();
  try {
    await client.query('begin');
    const rows = await publishRows(client, deps, feed, redis);
    await client.query('commit');
    client.release();
    deps.metrics.entityEvents.inc({ feed: feed.name }, rows.length);
    return rows.length === PAGE;
  } catch (error) {
    // The connection goes with its transaction, whatever state both are in.
    client.release(true);
    throw error;
  }
}

async function publishRows(
  client: PoolClient,
  { prefix }: Pick<EntityEventDeps, 'prefix'>,
  feed: Feed,
  redis: Redis,
): Promise<readonly Row[]> {
  const position = await take(client, feed);
  if (position === null) return [];
  const { rows } = await client.query<Row>({
    name: 'entity_events_read',
    text: 'select * from entity_events_read($1, $2, $3)',
    values: [feed.name, position, PAGE],
  });
  const last = rows.at(-1)?.sequence;
  if (last === undefined) return rows;
  const pipeline = redis.pipeline();
  for (const row of rows)
    pipeline.publish(`${prefix}:${feed.topic}:${row.tenant_id}`, JSON.stringify(toEvent(feed, row)));
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  await client.query('select entity_events_move($1, $2)', [feed.name, last]);
  return rows;
}

/** Null while another process publishes. */
async function take(client: Pick<PoolClient, 'query'>, { name }: Feed): Promise<string | null> {
  const { rows } = await client.query<{ position: string | null }>({
    name: 'entity_events_take',
    text: 'select entity_events_take($1) as position',
    values: [name],
  });
  return rows[0]?.position ?? null;
}

function toEvent({ typename, toCursor }: Feed, { id, sequence }: Row): EntityEvent {
  return { __typename: typename, id, cursor: toCursor({ sequence }) };
}

/** Work that is done once at a time, and once more when it was asked for meanwhile. */
function repeatable(work: (stop: AbortSignal) => Promise<void>): { run(): void; stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let isRunning = false;
  let isAsked = false;
  async function repeat(): Promise<void> {
    isRunning = true;
    while (isAsked && !stopping.signal.aborted) {
      isAsked = false;
      await work(stopping.signal);
    }
    isRunning = false;
  }
  return {
    run() {
      isAsked = true;
      if (!isRunning) running = repeat();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
