import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { DataKeyRecord } from './data-key.entity.js';
import type { KeyWrapper } from './data-keys.js';
import type { WrappedKey } from './key-provider/key-provider.js';

export interface RewrapDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly wrapper: KeyWrapper;
}

const BATCH = 100;
const KEY_BYTES = 32;

/**
 * Wraps every data key anew that is not under the chosen key provider's newest key, while everything runs. Needed when
 * the key-encryption key changes: another master key, another provider. Which are left is asked of the keys themselves,
 * so that a run may be cut off at any point, and the key changed once more. Answers how many keys it wrapped; then none
 * is left. Throws KeyProviderError.
 */
export async function rewrapDataKeys(deps: RewrapDeps): Promise<number> {
  for (let count = 0; ;) {
    // Asked each time: a service may rotate its key in the middle.
    const { provider, keyId } = await currentKey(deps.wrapper);
    const { rows } = await deps.db.doors.query<{ tenant_id: string; version: number }>(
      'select tenant_id, version from data_keys_not_under($1, $2, $3)',
      [provider, keyId, BATCH],
    );
    if (rows.length === 0) return count;
    for (const { tenant_id: tenantId, version } of rows) await rewrap(deps, tenantId, version);
    count += rows.length;
  }
}

/** What it wraps under now, told by wrapping something. */
async function currentKey(wrapper: KeyWrapper): Promise<WrappedKey> {
  return wrapper.wrap(randomBytes(KEY_BYTES), { tenantId: 'tributary', version: 0 });
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
