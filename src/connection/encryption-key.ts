import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import { v7 as uuidV7 } from 'uuid';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import { DataKeyRecord } from '../credential/data-key.entity.js';
import type { DataKeys } from '../credential/data-keys.js';
import { type ResealDeps, reseal } from '../credential/reseal.js';
import { addReceipt } from '../receipt/log.js';

export interface EncryptionKeyDeps extends ResealDeps {
  readonly keys: DataKeys;
}

type Actor = Pick<Caller, 'tenantId' | 'subject' | 'correlationId'>;

/** What is done for the tenants' data keys without anybody asking. */
export interface KeyKeeper {
  /** Makes a new key for tenants whose newest is 90 days old. Answers how many. */
  rotateDue(): Promise<number>;
  /**
   * Seals anew, under their newest key, what is sealed under older ones; in the end the older keys are destroyed.
   * Answers how many tenants are not through yet. Stops between two pages when `stop` says so.
   */
  resealAll(stop?: AbortSignal): Promise<number>;
}

const MAX_AGE_MS = 90 * 86_400_000;
const BATCH = 50;

/**
 * Makes the tenant's next data key, which seals from now on; what is sealed already follows in the background. Answers
 * its version. Throws CONFLICT when another one was made at the same moment.
 */
export async function rotateEncryptionKey(
  { db, clock, keys }: EncryptionKeyDeps,
  { tenantId, subject, correlationId }: Actor,
): Promise<number> {
  const next = await keys.next(tenantId);
  const now = clock.now();
  try {
    await db.for({ tenantId }).transactional(async (transaction) => {
      await transaction.insert(DataKeyRecord, { tenantId, ...next, createdAt: now, wrappedAt: now });
      addReceipt(transaction, {
        tenantId,
        operation: 'integration.tenant.tributary.rotate_encryption_key',
        actor: subject,
        correlationId,
        occurredAt: now,
        outcome: 'SUCCESS',
        request: { what: 'ENCRYPTION_KEY' },
        result: { key_version: next.version },
      });
    });
  } catch (cause) {
    if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
    throw new TributaryError(
      'CONFLICT',
      'The key was rotated by someone else at the same time.',
      {},
      { cause },
    );
  }
  keys.forget(tenantId);
  return next.version;
}

export function createKeyKeeper(deps: EncryptionKeyDeps): KeyKeeper {
  const { db, clock } = deps;

  async function tenants(text: string, values: unknown[]): Promise<string[]> {
    const { rows } = await db.doors.query<{ tenant_id: string }>(text, values);
    return rows.map(({ tenant_id: tenantId }) => tenantId);
  }

  /** Answers whether it was made by us: of several processes one makes it. */
  async function rotate(tenantId: string): Promise<boolean> {
    try {
      await rotateEncryptionKey(deps, { tenantId, subject: 'system', correlationId: uuidV7() });
      return true;
    } catch (error) {
      if (error instanceof TributaryError && error.code === 'CONFLICT') return false;
      throw error;
    }
  }

  async function isThrough(tenantId: string, stop: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      const step = await reseal(deps, tenantId);
      if (step !== 'more' || stop?.aborted) return step === 'done';
    }
  }

  return {
    async rotateDue() {
      const before = new Date(clock.now().getTime() - MAX_AGE_MS);
      let count = 0;
      for (const tenantId of await tenants('select tenant_id from data_keys_due($1, $2)', [before, BATCH])) {
        if (await rotate(tenantId)) count += 1;
      }
      return count;
    },
    async resealAll(stop) {
      let left = 0;
      for (const tenantId of await tenants('select tenant_id from data_keys_superseded($1)', [BATCH])) {
        if (stop?.aborted || !(await isThrough(tenantId, stop))) left += 1;
      }
      return left;
    },
  };
}
