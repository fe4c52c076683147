import { setTimeout as delay } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { v7 as uuidV7 } from 'uuid';
import type { Clock } from '../core/clock.js';
import { connectionOf } from '../core/postgres.js';
import { toReceipt } from '../receipt/log.js';

/** How many rows of which tables were deleted; those with none are left out. */
export type DeletedRows = Readonly<Record<string, number>>;

/** What outlives a tenant: receipts with their log, and of its connections what receipts refer to. */
const KEPT = new Set([
  'receipts',
  'receipt_queue',
  'receipt_logs',
  'receipt_leaves',
  'receipt_nodes',
  'receipt_checkpoints',
  'receipt_anchors',
  'connections',
]);
/** By which something new could come. */
const WAYS_IN = ['webhook_endpoints', 'credentials', 'oauth_flows', 'oauth_apps', 'webhook_apps'];
/** For requests that were under way. */
const SETTLE_MS = 500;

/**
 * Deletes a tenant as the owner of the database, while everything runs: first the ways in, so that nothing new comes;
 * then its keys, so that from then on nothing of it can be read, in backups neither; then everything but its receipts,
 * until nothing is left of what was still on its way. Can be repeated when it was cut off. Processes that run let go of
 * an unwrapped key within the hour.
 */
export async function deleteTenant(
  databaseUrl: string,
  clock: Clock,
  tenantId: string,
): Promise<DeletedRows> {
  const client = new Client(connectionOf(databaseUrl));
  await client.connect();
  try {
    const deleted = await closeWaysIn(client, clock, tenantId);
    for (let pass = await deleteRows(client, tenantId); Object.keys(pass).length > 0;) {
      for (const [table, rows] of Object.entries(pass)) deleted[table] = (deleted[table] ?? 0) + rows;
      await delay(SETTLE_MS);
      pass = await deleteRows(client, tenantId);
    }
    if (Object.keys(deleted).length > 0) {
      await attest(client, tenantId, deleted, clock.now());
    }
    return deleted;
  } finally {
    await client.end();
  }
}

async function closeWaysIn(client: Client, clock: Clock, tenantId: string): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  await client.query('begin');
  await client.query(FORGET_CONNECTIONS, [tenantId, clock.now()]);
  for (const table of WAYS_IN) {
    const { rowCount } = await client.query(`delete from ${table} where tenant_id = $1`, [tenantId]);
    if (rowCount) deleted[table] = rowCount;
  }
  await client.query('commit');
  const keys = await client.query('delete from data_keys where tenant_id = $1', [tenantId]);
  if (keys.rowCount) deleted['data_keys'] = keys.rowCount;
  return deleted;
}

async function deleteRows(client: Client, tenantId: string): Promise<DeletedRows> {
  const deleted: Record<string, number> = {};
  for (const table of await tenantTables(client)) {
    const { rowCount } = await client.query(`delete from ${escapeIdentifier(table)} where tenant_id = $1`, [
      tenantId,
    ]);
    if (rowCount) deleted[table] = rowCount;
  }
  return deleted;
}

/** Asked of the database, so that no table that comes later is forgotten here. */
async function tenantTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select table_name as name from information_schema.columns
     where table_schema = 'public' and column_name = 'tenant_id' order by table_name`,
  );
  return rows.map(({ name }) => name).filter((name) => !KEPT.has(name));
}

/** The row stays for the receipts that refer to it; what it told does not. */
const FORGET_CONNECTIONS = `
  update connections set status = 'DELETED', status_reason = null, name = 'deleted', description = null, account = null,
    app_account = null, app_client_id = null,
    granted_scopes = null, settings = '{}', tags = '{}', updated_at = $2
  where tenant_id = $1 and (status <> 'DELETED' or name <> 'deleted')`;

async function attest(
  client: Client,
  tenantId: string,
  deleted: DeletedRows,
  occurredAt: Date,
): Promise<void> {
  const { id, operation, outcome, actor, correlationId, request, result, leaf, salt } = toReceipt({
    tenantId,
    operation: 'integration.tenant.tributary.delete',
    outcome: 'SUCCESS',
    actor: 'operator',
    correlationId: uuidV7(),
    request: {},
    result: deleted,
    occurredAt,
  });
  const values = [
    id,
    tenantId,
    operation,
    outcome,
    actor,
    correlationId,
    request,
    result,
    occurredAt,
    leaf,
    salt,
  ];
  await client.query(RECEIPT, values);
}

const RECEIPT = `
  insert into receipts (id, tenant_id, operation, outcome, actor, correlation_id, request, result, occurred_at, leaf, salt)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
