import { v7 as uuidV7 } from 'uuid';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import { eachTenant } from './each-tenant.js';
import { addReceipt } from './log.js';

/**
 * Days that the bodies of receipts are kept, by plan; a plan that is not here keeps them for ever. Leaves and hashes
 * are kept for ever on every plan, so that proofs go on to verify.
 */
export const bodyRetentionDays: Readonly<Record<string, number>> = { free: 30, team: 90 };

/** Deletes what receipts say of persons and things when its time is over. */
export interface ReceiptRetention {
  /** Deletes what is due, and leaves a receipt for each deletion. Answers how many bodies. Throws at its end where a tenant's failed. */
  deleteDue(stop?: AbortSignal): Promise<number>;
}

export interface RetentionDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** Of tenants that are on no plan; undefined: for ever. */
  readonly defaultDays?: number | undefined;
}

const TENANTS = 100;
const BATCH = 1_000;

interface DueRow {
  readonly tenant_id: string;
  readonly before: Date;
}

export function createReceiptRetention(deps: RetentionDeps): ReceiptRetention {
  const { db, clock, log, defaultDays = null } = deps;

  async function deleteAll({ tenant_id, before }: DueRow, stop: AbortSignal | undefined): Promise<number> {
    let count = 0;
    for (let last = BATCH; last === BATCH;) {
      if (stop?.aborted) return count;
      const { passed, deleted } = await deleteBatch(deps, tenant_id, before);
      [last, count] = [passed, count + deleted];
    }
    return count;
  }

  return {
    async deleteDue(stop) {
      const { rows } = await db.doors.query<DueRow>('select * from receipt_bodies_due($1, $2, $3, $4)', [
        JSON.stringify(bodyRetentionDays),
        defaultDays,
        clock.now(),
        TENANTS,
      ]);
      const what = 'receipts: bodies that are due could not be deleted';
      return eachTenant(rows, log, what, (row) => deleteAll(row, stop));
    },
  };
}

interface Deletion {
  readonly from_index: string;
  readonly to_index: string;
  readonly deleted: string;
}

/** Answers how many leaves it passed, and how many bodies went. */
function deleteBatch({ db, clock }: RetentionDeps, tenantId: string, before: Date) {
  return db.for({ tenantId }).transactional(async (transaction) => {
    const now = clock.now();
    const [done] = await transaction.execute<Deletion[]>('select * from receipt_bodies_delete(?, ?, ?)', [
      before,
      now,
      BATCH,
    ]);
    const [from, to, deleted] = [done?.from_index, done?.to_index, done?.deleted].map(Number) as [
      number,
      number,
      number,
    ];
    if (deleted > 0) {
      addReceipt(transaction, {
        tenantId,
        operation: 'integration.receipt.tributary.delete_bodies',
        outcome: 'SUCCESS',
        actor: 'system',
        correlationId: uuidV7(),
        request: { before: before.toISOString() },
        result: { from_leaf: from, to_leaf: to, deleted },
        occurredAt: now,
      });
    }
    return { passed: to - from, deleted };
  });
}
