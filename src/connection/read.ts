import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import type { Connection } from './connection.entity.js';

/** Every field and its column, so that a field of the entity can't be forgotten here. */
const COLUMNS: Readonly<Record<Extract<keyof Connection, string>, string>> = {
  id: 'id',
  tenantId: 'tenant_id',
  providerId: 'provider_id',
  name: 'name',
  description: 'description',
  status: 'status',
  statusReason: 'status_reason',
  authMethod: 'auth_method',
  account: 'account',
  grantedScopes: 'granted_scopes',
  capabilities: 'capabilities',
  settings: 'settings',
  tags: 'tags',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  verifiedAt: 'verified_at',
  appAccount: 'app_account',
  appClientId: 'app_client_id',
};

const READ = {
  name: 'connection_read',
  columns: Object.entries(COLUMNS)
    .map(([field, column]) => `${column} as "${field}"`)
    .join(', '),
};

/** One that is not deleted, as plain data that no unit of work knows: for whoever only looks at it, and often. */
export async function readConnection(
  db: Db,
  caller: Pick<Caller, 'tenantId'>,
  id: string,
): Promise<Connection | null> {
  const [row] = await db.invoke<Connection>(caller, READ, [id]);
  return row ?? null;
}
