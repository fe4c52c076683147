import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { DataKeyRecord } from './data-key.entity.js';
import { KEYRING_AGE_MS } from './data-keys.js';
import { prefixOf } from './seal.js';
import type { SealedField, Vault } from './vault.js';

export interface ResealDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
}

/** `more`: call again now. `later`: nothing to do yet, or another process is at it. `done`: one key is left. */
export type ResealStep = 'more' | 'later' | 'done';

/** A column that holds sealed values. Whoever seals something new adds its column here, or loses it at a rotation. */
interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly field: SealedField;
  /** The column of the row's id in its {@link SealedPlace}; unique in the table. */
  readonly id: string;
  /** The place's version in SQL, where there is one. */
  readonly version?: string;
}

const endpoint = { table: 'webhook_endpoints', id: 'connection_id' } as const;
const app = { table: 'webhook_apps', id: 'id' } as const;

export const sealedColumns: readonly SealedColumn[] = [
  { table: 'credentials', column: 'sealed', field: 'credential', id: 'connection_id', version: 'version' },
  {
    table: 'credentials',
    column: 'sealed_previous',
    field: 'credential',
    id: 'connection_id',
    version: 'version - 1',
  },
  { ...endpoint, column: 'sealed_token', field: 'webhook_token' },
  { ...endpoint, column: 'sealed_secret', field: 'webhook_secret' },
  { ...endpoint, column: 'sealed_previous_secret', field: 'webhook_secret' },
  { ...app, column: 'sealed_token', field: 'webhook_app_token' },
  { ...app, column: 'sealed_secret', field: 'webhook_app_secret' },
  { ...app, column: 'sealed_previous_secret', field: 'webhook_app_secret' },
  { table: 'actions', column: 'sealed_input', field: 'action_input', id: 'id' },
  { table: 'oauth_apps', column: 'sealed_secret', field: 'oauth_client_secret', id: 'id' },
  { table: 'oauth_flows', column: 'sealed', field: 'oauth_flow', id: 'id' },
  { table: 'incident_sinks', column: 'sealed_secret', field: 'incident_sink_secret', id: 'id' },
  { table: 'receipt_witnesses', column: 'sealed_secret', field: 'receipt_witness_secret', id: 'id' },
  { table: 'checkpoint_keys', column: 'sealed_seed', field: 'checkpoint_key', id: 'id' },
  { table: 'deliveries', column: 'body', field: 'delivery_body', id: 'id' },
];

const PAGE = 200;
const NIL = '00000000-0000-0000-0000-000000000000';
/** By then no process seals under the old key any more, and what was sealed under it is committed. */
const GRACE_MS = 15 * KEYRING_AGE_MS;

interface Position {
  readonly to_version: number;
  readonly walk_at: Date | string;
  /** Index in {@link sealedColumns}. */
  readonly source: number;
  /** The id of the last row of the source that was looked at. */
  readonly after: string;
}

/**
 * Seals one page of a tenant's values anew, under the newest version of its key, and remembers where it is. Values are
 * walked over twice: at once, and when no process can use an older key any more. Then the older keys are destroyed.
 */
export function reseal({ db, clock, vault }: ResealDeps, tenantId: string): Promise<ResealStep> {
  return db.for({ tenantId }).transactional(async (transaction) => {
    const now = clock.now();
    const [newest, older] = await transaction.find(
      DataKeyRecord,
      {},
      { orderBy: { version: 'desc' }, limit: 2 },
    );
    if (!newest || !older) return 'done';
    const position = await takePosition(transaction, newest, now);
    if (!position || now < new Date(position.walk_at)) return 'later';
    const column = sealedColumns[position.source];
    if (!column) return finishWalk(transaction, newest, position, now);
    const last = await resealPage(transaction, vault, newest, column, position.after);
    const next = last === null ? { source: position.source + 1, after: NIL } : { ...position, after: last };
    await transaction.execute('update reseals set source = ?, after = ?', [next.source, next.after]);
    return 'more';
  });
}

/** Null while another process holds it. A walk towards a key that is no longer the newest begins again. */
async function takePosition(
  transaction: EntityManager,
  { tenantId, version }: DataKeyRecord,
  now: Date,
): Promise<Position | null> {
  await transaction.execute(
    `insert into reseals as known (tenant_id, to_version, walk_at, source, after) values (?, ?, ?, 0, ?)
       on conflict (tenant_id) do nothing`,
    [tenantId, version, now, NIL],
  );
  const [position] = await transaction.execute<Position[]>('select * from reseals for update skip locked');
  if (!position || position.to_version === version) return position ?? null;
  await transaction.execute('update reseals set to_version = ?, walk_at = ?, source = 0, after = ?', [
    version,
    now,
    NIL,
  ]);
  return { to_version: version, walk_at: now, source: 0, after: NIL };
}

async function finishWalk(
  transaction: EntityManager,
  { version, createdAt }: DataKeyRecord,
  { walk_at: walkAt }: Position,
  now: Date,
): Promise<ResealStep> {
  const nobodySealsOld = new Date(createdAt.getTime() + GRACE_MS);
  if (new Date(walkAt) < nobodySealsOld) {
    await transaction.execute('update reseals set walk_at = ?, source = 0, after = ?', [nobodySealsOld, NIL]);
    return now < nobodySealsOld ? 'later' : 'more';
  }
  await transaction.nativeDelete(DataKeyRecord, { version: { $lt: version } });
  await transaction.execute('delete from reseals');
  return 'done';
}

interface Row {
  readonly id: string;
  readonly version: number | null;
  /** Null where it is sealed under the newest key already. */
  readonly stale: Buffer | null;
}

/** Answers the id of the page's last row; null when the source has no more. */
async function resealPage(
  transaction: EntityManager,
  vault: Vault,
  { tenantId, version }: DataKeyRecord,
  source: SealedColumn,
  after: string,
): Promise<string | null> {
  const { table, column, id, field } = source;
  const rows = await transaction.execute<Row[]>(
    `select ${id} as id, ${source.version ?? 'null'} as version,
            case when substring(${column} from 1 for 5) <> ? then ${column} end as stale
     from ${table} where ${id} > ? order by ${id} limit ?`,
    [prefixOf(version), after, PAGE],
  );
  for (const row of rows) {
    if (!row.stale) continue;
    const place = { tenantId, id: row.id, field, ...(row.version !== null && { version: row.version }) };
    const plaintext = await vault.open(row.stale, place);
    const sealed = await vault.seal(plaintext, place);
    plaintext.fill(0);
    // Header and nonce tell one sealing from any other: what was replaced meanwhile stays as it is.
    await transaction.execute(
      `update ${table} set ${column} = ? where ${id} = ? and substring(${column} from 1 for 17) = ?`,
      [sealed, row.id, row.stale.subarray(0, 17)],
    );
  }
  return rows.length < PAGE ? null : (rows.at(-1)?.id ?? null);
}
