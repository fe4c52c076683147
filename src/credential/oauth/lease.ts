import type { Db, EntityManager } from '../../core/db.js';

/** Which credential. */
export interface CredentialKey {
  readonly tenantId: string;
  readonly connectionId: string;
}

/** A credential as it is stored. What depends on the lease is told as one claimant sees it, by the database’s clock. */
export interface StoredCredential {
  readonly version: number;
  readonly sealed: Buffer;
  readonly createdAt: Date;
  /** When the access token ends; null: never. */
  readonly expiresAt: Date | null;
  /** Somebody else is renewing it. */
  readonly isLeased: boolean;
  /** How long ago a request left whose answer nobody stored; null: there is none. */
  readonly unansweredSeconds: number | null;
  /** In a row. */
  readonly failures: number;
  /** No other try before this moment. */
  readonly refreshAfter: Date | null;
}

/** A new pair, sealed for the version after the one it replaces. */
export interface Replacement {
  readonly version: number;
  readonly sealed: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** What stays behind when a lease is given back without a new pair. */
export interface Release {
  readonly isUnanswered: boolean;
  readonly failures: number;
  readonly refreshAfter: Date | null;
}

/**
 * The right to renew one credential, held by one claimant over all processes. Every write is conditional on holding
 * it, and times of the lease are the database’s: the one clock in which all processes agree.
 */
export interface LeaseStore {
  /** How long a lease lasts unless it is renewed. */
  readonly leaseMs: number;
  /** Null: there is no such credential. */
  find(claimant: Claimant): Promise<StoredCredential | null>;
  /** Takes the lease and answers the credential as it is from then on. Null: someone else holds it. */
  acquire(claimant: Claimant): Promise<StoredCredential | null>;
  /** Before the request leaves; the lease begins anew. False: it was lost meanwhile, and nothing may be sent. */
  markSent(claimant: Claimant): Promise<boolean>;
  /** Stores the new pair and ends the lease. False: the credential was replaced, or the lease taken over. */
  replace(claimant: Claimant, replacement: Replacement): Promise<boolean>;
  release(claimant: Claimant, release: Release): Promise<void>;
  /** Credentials of all tenants whose access tokens end soon, for a background job. */
  due(now: Date, limit: number): Promise<readonly CredentialKey[]>;
}

export interface Claimant extends CredentialKey {
  /** A UUID of this one attempt. */
  readonly owner: string;
}

interface Row {
  readonly version: number;
  readonly sealed: Buffer;
  readonly created_ms: number;
  readonly expires_ms: number | null;
  readonly is_leased: boolean;
  readonly unanswered_seconds: number | null;
  readonly refresh_failures: number;
  readonly refresh_after_ms: number | null;
}

const STORED = `
  version, sealed, refresh_failures,
  (extract(epoch from created_at) * 1000)::float8 as created_ms,
  (extract(epoch from expires_at) * 1000)::float8 as expires_ms,
  (extract(epoch from refresh_after) * 1000)::float8 as refresh_after_ms,
  extract(epoch from clock_timestamp() - refresh_sent_at)::float8 as unanswered_seconds,
  coalesce(refresh_until > clock_timestamp() and refresh_owner <> ?, false) as is_leased`;

/** Three times what a request may take. */
const LEASE_MS = 30_000;

/** Told of every new pair, in the transaction that stores it, and at its end: when it throws, nothing is stored. */
export type OnReplace = (
  transaction: EntityManager,
  key: CredentialKey,
  replacement: Replacement,
) => Promise<void>;

export function createLeaseStore(db: Db, leaseMs = LEASE_MS, onReplace?: OnReplace): LeaseStore {
  function execute<T>({ tenantId }: CredentialKey, sql: string, values: readonly unknown[]): Promise<T[]> {
    return db.for({ tenantId }).transactional((transaction) => transaction.execute<T[]>(sql, [...values]));
  }

  async function one(key: CredentialKey, sql: string, values: readonly unknown[]) {
    const [row] = await execute<Row>(key, sql, values);
    return row ? toStored(row) : null;
  }

  return {
    leaseMs,

    find: (claimant) =>
      one(claimant, `select ${STORED} from credentials where connection_id = ?`, [
        claimant.owner,
        claimant.connectionId,
      ]),

    acquire: (claimant) =>
      one(
        claimant,
        `update credentials set refresh_owner = ?, refresh_until = clock_timestamp() + ? * interval '1 ms'
         where connection_id = ? and (refresh_until is null or refresh_until <= clock_timestamp())
         returning ${STORED}`,
        [claimant.owner, leaseMs, claimant.connectionId, claimant.owner],
      ),

    async markSent(claimant) {
      // An unanswered request before this one keeps its time: the provider counts from the first.
      const marked = await execute(
        claimant,
        `update credentials set refresh_sent_at = coalesce(refresh_sent_at, clock_timestamp()),
                                refresh_until = clock_timestamp() + ? * interval '1 ms'
         where connection_id = ? and refresh_owner = ? and refresh_until > clock_timestamp()
         returning connection_id`,
        [leaseMs, claimant.connectionId, claimant.owner],
      );
      return marked.length > 0;
    },

    replace(claimant, replacement) {
      const { version, sealed, createdAt, expiresAt } = replacement;
      return db.for(claimant).transactional(async (transaction) => {
        // The connection first, as everybody takes them: what attests to the change will refer to it.
        await transaction.execute('select id from connections where id = ? for key share', [
          claimant.connectionId,
        ]);
        // What was kept for an overlap is of two versions ago now, and its tokens are no good any more.
        const replaced = await transaction.execute<object[]>(
          `update credentials set version = ?, sealed = ?, created_at = ?, expires_at = ?,
                                sealed_previous = null, previous_until = null
         where connection_id = ? and version = ? and refresh_owner = ?
         returning connection_id`,
          [version, sealed, createdAt, expiresAt, claimant.connectionId, version - 1, claimant.owner],
        );
        if (replaced.length === 0) return false;
        await onReplace?.(transaction, claimant, replacement);
        return true;
      });
    },

    async release(claimant, { isUnanswered, failures, refreshAfter }) {
      await execute(
        claimant,
        `update credentials set refresh_owner = null, refresh_until = null, refresh_failures = ?, refresh_after = ?,
                                refresh_sent_at = case when ? then refresh_sent_at end
         where connection_id = ? and refresh_owner = ?`,
        [failures, refreshAfter, isUnanswered, claimant.connectionId, claimant.owner],
      );
    },

    async due(now, limit) {
      const { rows } = await db.doors.query<{ tenant_id: string; connection_id: string }>(
        'select tenant_id, connection_id from credentials_due($1, $2)',
        [now, limit],
      );
      return rows.map((row) => ({ tenantId: row.tenant_id, connectionId: row.connection_id }));
    },
  };
}

/**
 * Puts a renewal off that could not even begin and has no later time of its own; longer each time in a row, an hour in
 * the end. Else those that can't be renewed at all would stay the first that are due.
 */
export async function putOff(db: Db, { tenantId, connectionId }: CredentialKey, now: Date): Promise<void> {
  await db.for({ tenantId }).transactional((transaction) =>
    transaction.execute(
      `update credentials
       set refresh_failures = refresh_failures + 1,
           refresh_after = cast(? as timestamptz)
                           + least(interval '15 seconds' * power(2, least(refresh_failures, 10)), interval '1 hour')
       where connection_id = ? and (refresh_after is null or refresh_after <= ?)`,
      [now, connectionId, now],
    ),
  );
}

function toStored(row: Row): StoredCredential {
  return {
    version: row.version,
    sealed: row.sealed,
    createdAt: new Date(row.created_ms),
    expiresAt: toDate(row.expires_ms),
    isLeased: row.is_leased,
    unansweredSeconds: row.unanswered_seconds,
    failures: row.refresh_failures,
    refreshAfter: toDate(row.refresh_after_ms),
  };
}

function toDate(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
