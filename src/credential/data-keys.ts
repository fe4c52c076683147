import { createSecretKey, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { sharing } from '../core/sharing.js';
import { type DataKeyName, KeyProviderError, type WrappedKey } from './key-provider/key-provider.js';
import type { DataKey } from './seal.js';

/** Wraps under the chosen provider's key, and unwraps what any configured one has wrapped. Throws KeyProviderError. */
export interface KeyWrapper {
  wrap(key: Buffer, name: DataKeyName): Promise<WrappedKey>;
  unwrap(wrapped: WrappedKey, name: DataKeyName): Promise<Buffer>;
}

/**
 * The tenants' keys for data: made on first use, kept wrapped in the database, and ready in memory for a while. Every
 * method throws VAULT_UNAVAILABLE when the key provider does not wrap or unwrap.
 */
export interface DataKeys {
  /** What is sealed now is sealed under this one. */
  current(tenantId: string): Promise<DataKey>;
  /** Throws a plain Error when there is no such version: it was destroyed, or never was. */
  ofVersion(tenantId: string, version: number): Promise<DataKey>;
  /**
   * The next version, wrapped: it seals once the caller has stored it and called `forget`. Throws CONFLICT while the one
   * before is still in use.
   */
  next(tenantId: string): Promise<StoredKey>;
  /** Looks anew, before this process hears by itself that there is another version. */
  forget(tenantId: string): void;
  close(): Promise<void>;
}

export interface DataKeysDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly wrapper: KeyWrapper;
}

const KEY_BYTES = 32;
const MAX_TENANTS = 10_000;
/** How stale a process may be about which version is the newest, when it could not hear of a new one. */
export const KEYRING_AGE_MS = 60_000;
/** How long a process goes on with an unwrapped key without asking its provider again: a revoked one ends then. */
const UNWRAPPED_AGE_MS = 3_600_000;
const RETRY_SECONDS = 5;
const RESEAL_SECONDS = 900;

/** In one statement, so that whoever sees what another process has sealed sees its key as well. */
const SEALED = `
  select not exists (select from data_keys where tenant_id = $1)
     and (exists (select from credentials where tenant_id = $1)
       or exists (select from webhook_endpoints where tenant_id = $1)
       or exists (select from actions where tenant_id = $1)
       or exists (select from deliveries where tenant_id = $1)) as sealed`;

/** A version as it is stored. */
export interface StoredKey extends WrappedKey {
  readonly version: number;
}

/** One that was read, with the name it has among those that are unwrapped: made once, and not at every use. */
interface KnownKey extends StoredKey {
  readonly name: string;
}

/** Newest first. */
type Keyring = readonly KnownKey[];

/** See {@link DataKeys}. Other processes hear of new versions at once, by NOTIFY. */
export async function createDataKeys({ db, clock, log, wrapper }: DataKeysDeps): Promise<DataKeys> {
  // What nobody asks for again is let go of as well.
  const keyrings = new LRUCache<string, Promise<Keyring>>({
    max: MAX_TENANTS,
    ttl: KEYRING_AGE_MS,
    ttlAutopurge: true,
  });
  const unwrapped = new LRUCache<string, Promise<DataKey>>({
    max: MAX_TENANTS,
    ttl: UNWRAPPED_AGE_MS,
    ttlAutopurge: true,
  });
  const stopListening = await db.listen('tributary_keys', () => keyrings.clear());

  /**
   * Past the pool that transactions hold on to: who seals within one must not wait for a second connection of the same
   * pool, or as many as it has would wait for one another.
   */
  async function query<T extends object>(tenantId: string, text: string, values: unknown[]): Promise<T[]> {
    const client = await db.doors.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('tributary.tenant', $1, true)", [tenantId]);
      const { rows } = await client.query<T>(text, values);
      await client.query('commit');
      client.release();
      return rows;
    } catch (error) {
      // Whatever state it is in, nobody gets it again.
      client.release(true);
      throw error;
    }
  }

  async function read(tenantId: string): Promise<Keyring> {
    const text =
      'select version, provider, key_id as "keyId", wrapped from data_keys where tenant_id = $1 order by version desc';
    const keys = await query<StoredKey>(tenantId, text, [tenantId]);
    // The wrapping is part of the name: a key wrapped anew is asked for anew.
    return keys.map((key) => ({
      ...key,
      name: JSON.stringify([tenantId, key.version, key.wrapped.toString('base64')]),
    }));
  }

  /** Only for a tenant that has nothing sealed: where keys are lost, another first one would stand in their way back. */
  async function makeFirst(tenantId: string): Promise<Keyring> {
    const [found] = await query<{ sealed: boolean }>(tenantId, SEALED, [tenantId]);
    if (found?.sealed) {
      throw new Error(`tenant ${tenantId} has sealed rows and no data key: restore data_keys from a backup`);
    }
    await store(tenantId, await make(tenantId, 1));
    keyrings.delete(tenantId);
    return keyringOf(tenantId);
  }

  async function make(tenantId: string, version: number): Promise<StoredKey> {
    const key = randomBytes(KEY_BYTES);
    try {
      return { version, ...(await asking(wrapper.wrap(key, { tenantId, version }))) };
    } finally {
      key.fill(0);
    }
  }

  /** Of several processes at once one stores it; the others find it stored. */
  async function store(tenantId: string, { version, provider, keyId, wrapped }: StoredKey): Promise<void> {
    const text = `insert into data_keys (tenant_id, version, provider, key_id, wrapped, created_at, wrapped_at)
      values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing`;
    await query(tenantId, text, [tenantId, version, provider, keyId, wrapped, clock.now()]);
  }

  async function unwrap(tenantId: string, stored: StoredKey): Promise<DataKey> {
    const { version, provider, keyId, wrapped } = stored;
    const bytes = await asking(wrapper.unwrap({ provider, keyId, wrapped }, { tenantId, version }));
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return { version, key };
  }

  /** What only the operator can mend is in the log; the caller can but come again. */
  async function asking<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      if (!(cause instanceof KeyProviderError)) throw cause;
      log.error({ err: cause, kind: cause.kind }, 'vault: the key provider refuses or does not answer');
      const message = 'The key that seals this tenant’s secrets can’t be used at the moment.';
      throw new TributaryError(
        'VAULT_UNAVAILABLE',
        message,
        { retry_after_seconds: RETRY_SECONDS },
        { cause },
      );
    }
  }

  const keyringOf = (tenantId: string): Promise<Keyring> => sharing(keyrings, tenantId, () => read(tenantId));

  function ready(tenantId: string, known: KnownKey): Promise<DataKey> {
    return sharing(unwrapped, known.name, () => unwrap(tenantId, known));
  }

  async function find(tenantId: string, version: number): Promise<KnownKey | undefined> {
    return (await keyringOf(tenantId)).find((stored) => stored.version === version);
  }

  return {
    async current(tenantId) {
      const keyring = await keyringOf(tenantId);
      const [newest] = keyring.length > 0 ? keyring : await makeFirst(tenantId);
      if (!newest) throw new Error('a tenant’s first data key was made and then not found');
      return ready(tenantId, newest);
    },
    async ofVersion(tenantId, version) {
      let stored = await find(tenantId, version);
      if (!stored) {
        // Another process may have made it a moment ago.
        keyrings.delete(tenantId);
        stored = await find(tenantId, version);
      }
      if (!stored) throw new Error(`the data key of version ${version} that sealed this is gone`);
      return ready(tenantId, stored);
    },
    async next(tenantId) {
      const [newest, older] = await read(tenantId);
      if (older) {
        const message = 'The key was rotated a short while ago: what it seals is still being sealed anew.';
        throw new TributaryError('CONFLICT', message, { retry_after_seconds: RESEAL_SECONDS });
      }
      return make(tenantId, (newest?.version ?? 0) + 1);
    },
    forget: (tenantId) => void keyrings.delete(tenantId),
    close: stopListening,
  };
}
