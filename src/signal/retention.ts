import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import { eachTenant } from '../receipt/each-tenant.js';

/** Days that signals are kept, by plan; a plan that is not here keeps them for ever. */
export const signalRetentionDays: Readonly<Record<string, number>> = { free: 30, team: 90 };

/** Deletes signals when their time is over: see docs/decisions/growth.md. */
export interface SignalRetention {
  /**
   * Deletes what is due, each tenant's in the order of its feed, for as long as one run may take, with pauses between.
   * Answers how many signals. What is left is for the next run. Any number of processes may do it at once. Throws at
   * its end where a tenant's failed.
   */
  deleteDue(stop?: AbortSignal): Promise<number>;
}

export interface SignalRetentionDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** Of tenants that are on no plan; undefined: for ever. */
  readonly defaultDays?: number | undefined;
}

const TENANTS = 100;
/** So small that a flush which waits for the disk behind one is not late. */
const BATCH = 500;
/** Then it is the next tenant's turn. */
const BATCHES_IN_TURN = 20;
const RUN_MS = 45_000;

interface DueRow {
  readonly tenant_id: string;
  readonly before: Date;
}

export function createSignalRetention(deps: SignalRetentionDeps): SignalRetention {
  const { db, clock, log, defaultDays = null } = deps;

  async function findDue(): Promise<readonly DueRow[]> {
    const { rows } = await db.doors.query<DueRow>('select * from signals_due($1, $2, $3, $4)', [
      JSON.stringify(signalRetentionDays),
      defaultDays,
      clock.now(),
      TENANTS,
    ]);
    return rows;
  }

  async function deleteBatch({ tenant_id, before }: DueRow): Promise<number> {
    const { rows } = await db.doors.query<{ deleted: number }>({
      name: 'signals_delete',
      text: 'select signals_delete($1, $2, $3, $4) as deleted',
      values: [tenant_id, before, clock.now(), BATCH],
    });
    return rows[0]?.deleted ?? 0;
  }

  /** It pauses for as long as a batch took: at least half of the time is left to whoever stores something. */
  async function takeTurn(row: DueRow, isOver: () => boolean): Promise<number> {
    let count = 0;
    for (let batch = 0; batch < BATCHES_IN_TURN && !isOver(); batch += 1) {
      const began = performance.now();
      const deleted = await deleteBatch(row);
      count += deleted;
      if (deleted < BATCH) break;
      await delay(performance.now() - began);
    }
    return count;
  }

  return {
    async deleteDue(stop) {
      const ends = performance.now() + RUN_MS;
      const isOver = () => stop?.aborted === true || performance.now() >= ends;
      const what = 'signals: those that are due could not be deleted';
      for (let total = 0; ;) {
        const deleted = await eachTenant(await findDue(), log, what, (row) => takeTurn(row, isOver));
        total += deleted;
        if (deleted === 0 || isOver()) return total;
      }
    },
  };
}
