import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { DataKeyRecord } from './data-key.entity.js';
import type { KeyWrapper } from './data-keys.js';

export interface RewrapDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly wrapper: KeyWrapper;
}

const BATCH = 100;

/**
 * Wraps every data key anew under the chosen key provider's newest key, while everything runs. Needed when the
 * key-encryption key changes: another master key, another provider. It goes on where an earlier run was cut off.
 * Answers how many keys it wrapped. Throws KeyProviderError.
 */
export async function rewrapDataKeys(deps: RewrapDeps): Promise<number> {
  const before = await beginRewrap(deps);
  let count = 0;
  for (;;) {
    const { rows } = await deps.db.doors.query<{ tenant_id: string; version: number }>(
      'select tenant_id, version from data_keys_wrapped_before($1, $2)',
      [before, BATCH],
    );
    if (rows.length === 0) break;
    for (const { tenant_id: tenantId, version } of rows) await rewrap(deps, tenantId, version);
    count += rows.length;
  }
  await deps.db.doors.query('select master_rewrap_end()');
  return count;
}

/** The moment at which the run that is not finished yet began: now, or when the one that was cut off began. */
async function beginRewrap({ db, clock }: RewrapDeps): Promise<Date> {
  const { rows } = await db.doors.query<{ began: Date }>('select master_rewrap_begin($1) as began', [
    clock.now(),
  ]);
  const [row] = rows;
  if (!row) throw new Error('master_rewrap_begin answered nothing');
  return row.began;
}

async function rewrap({ db, clock, wrapper }: RewrapDeps, tenantId: string, version: number): Promise<void> {
  const em = db.for({ tenantId });
  const record = await em.findOne(DataKeyRecord, { tenantId, version });
  // Destroyed meanwhile.
  if (!record) return;
  const { provider, keyId, wrapped } = record;
  const key = await wrapper.unwrap({ provider, keyId, wrapped: Buffer.from(wrapped) }, { tenantId, version });
  const anew = await wrapper.wrap(key, { tenantId, version });
  key.fill(0);
  await em.nativeUpdate(DataKeyRecord, { tenantId, version }, { ...anew, wrappedAt: clock.now() });
}
