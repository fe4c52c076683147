import type { Pool } from 'pg';
import type { EntityManager } from '../db.js';

/** Which run of which job: what a later run of the same key does not have. */
export interface Fence {
  readonly name: string;
  readonly key: string;
  readonly number: string;
}

/** Another run has taken over; what this one still wants to write must not be written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * To be called in the transaction in which a job's body writes, before it commits. Until that transaction ends nobody
 * can take the run over; once somebody has, this throws {@link LeaseLost} and the transaction is rolled back.
 */
export async function requireFence(em: EntityManager, { name, key, number }: Fence): Promise<void> {
  const [row] = await em.execute<{ held: boolean }[]>('select job_hold(?, ?, ?) as held', [
    name,
    key,
    number,
  ]);
  if (!row?.held) throw new LeaseLost(`${name} ${key}: another run has taken over`);
}

export interface Terms {
  readonly lockMs: number;
  /** From this many attempts on, the pause is kept before the next one. */
  readonly maxAttempts: number;
  readonly pauseMs: number;
}

/** One run's right to be the only one of its key. */
export interface Lease {
  readonly fence: Fence;
  /** Runs of this key since the last that succeeded, this one included. */
  readonly attempt: number;
  /** When it was asked for, by `performance.now()`. */
  readonly since: number;
  /** False when another run has taken over. */
  prolong(): Promise<boolean>;
  /** Frees the key; `stopped` gives the attempt back, as it was no failure. False when another run has taken over. */
  end(how: 'done' | 'failed' | 'stopped'): Promise<boolean>;
}

export interface Leases {
  /** Undefined while another run has the lease, or the pause lasts. */
  claim(name: string, key: string, terms: Terms): Promise<Lease | undefined>;
  /** Forgets what failed long ago and was never tried again. */
  prune(): Promise<void>;
}

/**
 * Leases in PostgreSQL, wherever the jobs are stored. The store's own lock is checked only before a run starts, and
 * its count of failures does not see a crash: both are ours, and are counted before the body begins.
 */
export function createLeases(pool: Pool, worker: string): Leases {
  return {
    async claim(name, key, { lockMs, maxAttempts, pauseMs }) {
      const since = performance.now();
      const { rows } = await pool.query<{ fence: string; attempts: number }>({
        name: 'lease_claim',
        text: CLAIM,
        values: [name, key, worker, lockMs, maxAttempts, pauseMs],
      });
      const [row] = rows;
      if (!row) return undefined;
      return { attempt: row.attempts, since, ...toLease(pool, { name, key, number: row.fence }, lockMs) };
    },
    async prune() {
      await pool.query(`delete from leases where until < now() - interval '7 days'`);
    },
  };
}

const CLAIM = `
  insert into leases as known (name, key, fence, attempts, worker, until)
    values ($1, $2, nextval('fences'), 1, $3, now() + $4 * interval '1 ms')
  on conflict (name, key) do update set
    fence = excluded.fence, attempts = known.attempts + 1, worker = excluded.worker, until = excluded.until
  where known.until + case when known.attempts >= $5 then $6 else 0 end * interval '1 ms' <= now()
  returning fence, attempts`;

function toLease(pool: Pool, fence: Fence, lockMs: number): Pick<Lease, 'fence' | 'prolong' | 'end'> {
  const mine = [fence.name, fence.key, fence.number];
  return {
    fence,
    async prolong() {
      const values = [...mine, lockMs];
      return (await pool.query({ name: 'lease_prolong', text: PROLONG, values })).rowCount === 1;
    },
    async end(how) {
      const name = `lease_${how}`;
      return (await pool.query({ name, text: ENDS[how], values: mine })).rowCount === 1;
    },
  };
}

const MINE = 'name = $1 and key = $2 and fence = $3';
const PROLONG = `update leases set until = now() + $4 * interval '1 ms' where ${MINE}`;
const ENDS = {
  done: `delete from leases where ${MINE}`,
  failed: `update leases set until = now() where ${MINE}`,
  stopped: `update leases set until = now(), attempts = attempts - 1 where ${MINE}`,
};
