import { createHash } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import { eachTenant } from './each-tenant.js';
import { canonical } from './leaf.js';
import { addReceipt } from './log.js';

/**
 * Lets receipts attest to the uses of secrets, which the vault writes down by the thousand: one receipt for all of a
 * tenant's that have come together, with a hash over them. See docs/decisions/attested-accesses.md.
 */
export interface AccessAttestor {
  /** Answers how many uses are attested to that were not before. Throws at its end where a tenant's could not be. */
  attest(stop?: AbortSignal): Promise<number>;
}

const TENANTS = 200;
const BATCH = 5_000;

/** A use as it is stored: see src/credential/access.ts. */
export interface AccessRow {
  readonly id: string;
  readonly connection_id: string;
  readonly field: string;
  readonly secret_version: number | null;
  readonly actor: string;
  readonly purpose: string;
  readonly correlation_id: string | null;
  readonly accessed_at: Date | string;
}

export interface AttestorDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

export function createAccessAttestor(deps: AttestorDeps): AccessAttestor {
  async function attestAll(tenantId: string, stop: AbortSignal | undefined): Promise<number> {
    let count = 0;
    for (let last = BATCH; last === BATCH;) {
      if (stop?.aborted) return count;
      last = await attestBatch(deps, tenantId);
      count += last;
    }
    return count;
  }

  return {
    async attest(stop) {
      const { rows } = await deps.db.doors.query<{ tenant_id: string }>(
        'select tenant_id from secret_accesses_unattested($1)',
        [TENANTS],
      );
      const what = 'receipts: uses of secrets could not be attested to';
      return eachTenant(rows, deps.log, what, ({ tenant_id: tenantId }) => attestAll(tenantId, stop));
    },
  };
}

function attestBatch({ db, clock }: AttestorDeps, tenantId: string): Promise<number> {
  return db.for({ tenantId }).transactional(async (transaction) => {
    const id = uuidV7();
    const rows = await transaction.execute<AccessRow[]>('select * from secret_accesses_attest(?, ?)', [
      id,
      BATCH,
    ]);
    if (rows.length === 0) return 0;
    addReceipt(transaction, {
      id,
      tenantId,
      operation: 'integration.secret.tributary.access',
      outcome: 'SUCCESS',
      actor: 'system',
      correlationId: id,
      request: { accesses: rows.length },
      result: { accesses_sha256: accessesHash(rows), purposes: countPurposes(rows) },
      occurredAt: clock.now(),
    });
    return rows.length;
  });
}

/** SHA-256, in hex, over the uses in the order of their ids, each as canonical JSON (RFC 8785) and a newline. */
export function accessesHash(rows: readonly AccessRow[]): string {
  const digest = createHash('sha256');
  for (const row of rows.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const { id, connection_id, field, secret_version, actor, purpose, correlation_id } = row;
    const accessed_at = new Date(row.accessed_at).toISOString();
    const use = { id, connection_id, field, secret_version, actor, purpose, correlation_id, accessed_at };
    digest.update(`${canonical(use)}\n`);
  }
  return digest.digest('hex');
}

function countPurposes(rows: readonly AccessRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { purpose } of rows) counts[purpose] = (counts[purpose] ?? 0) + 1;
  return counts;
}
