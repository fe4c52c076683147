import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { originOf, signCheckpoint } from './checkpoint.js';
import { type Node, append, fold } from './merkle.js';
import type { CheckpointKeys, SigningKey } from './signing-key.js';

/**
 * Gives receipts their places in their tenants' logs, and signs for what the logs have become. Any number of processes
 * may do it at once: a batch names the size of the tree that it goes behind, and the database takes it only there.
 * Wherever it is cut off, the next run finds what is left. See docs/receipts.md.
 */
export interface Sequencer {
  /** Works until nothing waits, or `stop` says so. Answers how many receipts it gave their places. */
  run(stop?: AbortSignal): Promise<number>;
  /** From now on runs again and again, a moment apart. Answers what ends it, once nothing is under way. */
  follow(): () => Promise<void>;
}

export interface SequencerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'receiptsSequenced'>;
  readonly keys: Pick<CheckpointKeys, 'current'>;
  /** What the names of new logs begin with; a log that has a checkpoint keeps its name. */
  readonly host: string;
}

const TENANTS = 200;
/** Tenants worked on at once. */
const LANES = 4;
const BATCH = 2_000;
/** Below the id of every receipt. */
const FIRST = '00000000-0000-0000-0000-000000000000';
/** How many batches a tenant gets before it is another's turn. */
const TURN = 10;
/**
 * Receipts that are committed meanwhile go together. Looking costs one small query; to be told by NOTIFY would cost every
 * writer more: from there to the end of its commit PostgreSQL lets no other one commit that notifies.
 */
const LOOK_MS = 250;

export function createSequencer(deps: SequencerDeps): Sequencer {
  const { db, log, metrics } = deps;

  /** Answers how many of the tenant's it took, and whether there may be more. */
  async function turn(tenantId: string, stop: AbortSignal | undefined) {
    let [taken, after] = [0, FIRST];
    for (let batch = 0; batch < TURN; batch += 1) {
      if (stop?.aborted) break;
      const { count, last } = await sequence(deps, tenantId, after);
      taken += count;
      after = last;
      metrics.receiptsSequenced.inc(count);
      if (count < BATCH) return { taken, isDone: true };
    }
    return { taken, isDone: false };
  }

  async function work(tenantId: string, key: SigningKey | undefined, stop: AbortSignal | undefined) {
    try {
      const done = await turn(tenantId, stop);
      if (key) await publish(deps, key, tenantId);
      return done;
    } catch (error) {
      // What is wrong with one tenant's log must not hold up the others'.
      log.error({ err: error, tenantId }, 'receipts: a tenant’s log could not be continued');
      return { taken: 0, isDone: true };
    }
  }

  /** Without a key receipts get their places all the same, and are signed for when there is one. */
  async function findKey(): Promise<SigningKey | undefined> {
    try {
      return await deps.keys.current();
    } catch (error) {
      log.error({ err: error }, 'receipts: no key to sign checkpoints with');
      return undefined;
    }
  }

  /** Once through all tenants that have something waiting. */
  async function walk(stop: AbortSignal | undefined) {
    const sum = { taken: 0, isDone: true };
    let key: SigningKey | undefined;
    for (let after = ''; ;) {
      const tenants = await waiting(db.doors, after);
      if (tenants.length > 0) key ??= await findKey();
      await eachOf(tenants, LANES, async (tenantId) => {
        const { taken, isDone } = await work(tenantId, key, stop);
        sum.taken += taken;
        sum.isDone &&= isDone;
      });
      if (tenants.length < TENANTS || stop?.aborted) return sum;
      after = tenants.at(-1) ?? after;
    }
  }

  async function run(stop?: AbortSignal): Promise<number> {
    let total = 0;
    for (;;) {
      const { taken, isDone } = await walk(stop);
      total += taken;
      if (isDone || stop?.aborted) return total;
    }
  }

  async function look(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      // The job, which does the same, says what is wrong in the way of jobs.
      await run(stop).catch((error: unknown) => log.warn({ err: error }, 'receipts: not sequenced'));
      await delay(LOOK_MS, undefined, { signal: stop }).catch(() => {});
    }
  }

  return {
    run,
    follow() {
      const stopping = new AbortController();
      const looking = look(stopping.signal);
      return async () => {
        stopping.abort();
        await looking;
      };
    },
  };
}

async function eachOf<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

async function waiting(pool: Pool, after: string): Promise<string[]> {
  const { rows } = await pool.query<{ tenant_id: string }>({
    name: 'receipts_waiting',
    text: 'select tenant_id from receipts_waiting($1, $2) as waiting(tenant_id)',
    values: [after, TENANTS],
  });
  return rows.map((row) => row.tenant_id);
}

/** Where a tenant's tree stands. */
interface Standing {
  readonly size: number;
  readonly signed: number;
  /** The log's name, once there is a checkpoint. */
  readonly origin: string | null;
  readonly edge: readonly Node[];
}

async function standingOf(pool: Pool, tenantId: string): Promise<Standing> {
  const { rows } = await pool.query<
    Record<'size' | 'signed' | 'index', string> & Node & Pick<Standing, 'origin'>
  >({
    name: 'receipt_log_edge',
    text: 'select * from receipt_log_edge($1)',
    values: [tenantId],
  });
  const [first] = rows;
  return {
    size: Number(first?.size ?? 0),
    signed: Number(first?.signed ?? 0),
    origin: first?.origin ?? null,
    edge: rows.map(({ level, index, hash }) => ({ level, index: Number(index), hash })),
  };
}

/** One batch of one tenant's, behind that receipt. Answers how many, none where another process was faster, and the last. */
async function sequence({ db, clock }: SequencerDeps, tenantId: string, after: string) {
  // First where the tree stands, then what waits: while the tree still stands there, all of that still waits.
  const { size, edge } = await standingOf(db.doors, tenantId);
  const { rows } = await db.doors.query<{ id: string; hash: Buffer }>({
    name: 'receipt_log_next',
    text: 'select * from receipt_log_next($1, $2, $3)',
    values: [tenantId, after, BATCH],
  });
  const last = rows.at(-1)?.id ?? after;
  if (rows.length === 0) return { count: 0, last };
  const leaves = rows.map(({ hash }) => hash);
  const nodes = append(edge, leaves).completed.filter(({ level }) => level > 0);
  const answer = await db.doors.query<{ done: boolean }>({
    name: 'receipt_log_append',
    text: 'select receipt_log_append($1, $2, $3, $4, $5, $6, $7) as done',
    values: [
      tenantId,
      size,
      rows.map(({ id }) => id),
      nodes.map(({ level }) => level),
      nodes.map(({ index }) => index),
      Buffer.concat(nodes.map(({ hash }) => hash)),
      clock.now(),
    ],
  });
  return { count: answer.rows[0]?.done ? rows.length : 0, last };
}

/** Signs for the tree as it is committed, never for one that may still not come to be. */
async function publish({ db, clock, host }: SequencerDeps, key: SigningKey, tenantId: string): Promise<void> {
  const { size, signed, origin, edge } = await standingOf(db.doors, tenantId);
  if (signed >= size) return;
  const root = fold(edge.map(({ hash }) => hash));
  const note = signCheckpoint({ origin: origin ?? originOf(host, tenantId), size, root }, key.key);
  await db.doors.query({
    name: 'receipt_checkpoint_add',
    text: 'select receipt_checkpoint_add($1, $2, $3, $4, $5, $6)',
    values: [tenantId, size, root, note, key.id, clock.now()],
  });
}
