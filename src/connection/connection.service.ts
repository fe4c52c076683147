import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import { v7 as uuidV7, validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError, notFound } from '../core/errors.js';
import { type Page, type PageRequest, newestFirst } from '../core/page.js';
import type { Vault } from '../credential/vault.js';
import { attestChange } from './change.js';
import { type CheckedConnect, type ConnectCommand, checkConnect } from './connect.js';
import { Connection, CredentialRecord, WebhookEndpoint } from './connection.entity.js';
import {
  type UpdateCommand,
  disconnectConnection,
  suspendConnection,
  updateConnection,
} from './lifecycle.js';
import {
  type RotateCommand,
  type RotateDeps,
  type Rotated,
  checkRotate,
  rotateConnection,
} from './rotate.js';
import type { ConnectionStatus } from './status.js';
import { resumeConnection, verifyConnection } from './verify.js';
import { type WebhookSetup, addWebhookEndpoint, webhookUrl } from './webhook-endpoint.js';

export interface ConnectionFilter {
  readonly providerId?: string;
  readonly status?: ConnectionStatus;
  readonly tag?: string;
}

/** Every method that takes an id throws NOT_FOUND for one that is not the caller's, is deleted, or never was. */
export interface ConnectionService {
  /**
   * Stores the connection with its sealed credential and, where the provider has webhooks, an endpoint whose secret
   * is returned this once. It is PENDING_VERIFICATION until `verify`. Throws INVALID_INPUT, UNSUPPORTED, NAME_TAKEN
   * or NOT_FOUND for the provider.
   */
  connect(
    caller: Caller,
    command: ConnectCommand,
  ): Promise<{ connection: Connection; webhook: WebhookSetup | null }>;
  /**
   * Asks the provider who the credential belongs to. ACTIVE when it answers; ERROR with a reason when it does not.
   * A connection that works is not downgraded because the provider could not be reached this once.
   */
  verify(caller: Caller, id: string): Promise<Connection>;
  /**
   * Replaces a credential, once the new one has proven to work; or a webhook's secret or token, with the old one good
   * for `overlapSeconds` more. A credential that the provider refuses is answered as `failure` and changes nothing.
   * Throws CONNECTION_NOT_READY, INVALID_INPUT, UNSUPPORTED or CONFLICT.
   */
  rotate(caller: Caller, command: RotateCommand): Promise<Rotated>;
  /** Changes name, description or tags. Throws INVALID_INPUT or NAME_TAKEN. */
  update(caller: Caller, command: UpdateCommand): Promise<Connection>;
  /** Stops actions and webhooks (409) until `resume`. Suspending what is suspended changes nothing. */
  suspend(caller: Caller, id: string, reason?: string | null): Promise<Connection>;
  /** Verifies first: ACTIVE when the credential still works; else it stays SUSPENDED, with the reason. */
  resume(caller: Caller, id: string): Promise<Connection>;
  /** Deletes credential and webhook endpoint, and keeps the history. The name is free again. */
  disconnect(caller: Caller, id: string): Promise<Connection>;
  require(caller: Caller, id: string): Promise<Connection>;
  /** By id, deleted ones too, as history refers to them; those that are not the tenant's are missing from the map. */
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Connection>>;
  /** Newest first. */
  list(caller: Caller, filter: ConnectionFilter, page: PageRequest): Promise<Page<Connection>>;
  credentials(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, CredentialRecord>>;
  endpoints(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, WebhookEndpoint>>;
  /** The endpoint's full URL, token included. */
  urlOf(endpoint: WebhookEndpoint): string;
}

export type ConnectionDeps = RotateDeps;

export function createConnectionService(deps: ConnectionDeps): ConnectionService {
  const { db, vault, publicUrl } = deps;

  async function require(caller: Caller, id: string): Promise<Connection> {
    const found =
      isUuid(id) && (await db.for(caller).findOne(Connection, { id, status: { $ne: 'DELETED' } }));
    if (!found) throw notFound('connection');
    return found;
  }

  return {
    require,
    connect: (caller, command) => withFreeName(command.name, connect(deps, caller, command)),
    verify: async (caller, id) => verifyConnection(deps, caller, await require(caller, id)),
    async rotate(caller, command) {
      const checked = checkRotate(command);
      return rotateConnection(deps, caller, await require(caller, checked.connectionId), checked);
    },
    update: (caller, command) => withFreeName(command.name ?? '', updateConnection(deps, caller, command)),
    suspend: (caller, id, reason) => suspendConnection(deps, caller, id, reason),
    resume: async (caller, id) => resumeConnection(deps, caller, await require(caller, id)),
    disconnect: (caller, id) => disconnectConnection(deps, caller, id),
    async findMany(caller, ids) {
      const rows = await db.for(caller).find(Connection, { id: { $in: ids.filter((id) => isUuid(id)) } });
      return new Map(rows.map((row) => [row.id, row]));
    },
    list(caller, { providerId, status, tag }, page) {
      const where = {
        status: status ?? { $ne: 'DELETED' },
        ...(providerId !== undefined && { providerId }),
        ...(tag !== undefined && { tags: { $contains: [tag] } }),
      };
      return newestFirst(db.for(caller), Connection, where, 'connections', page);
    },
    async credentials(caller, ids) {
      const rows = await db.for(caller).find(CredentialRecord, { connectionId: { $in: [...ids] } });
      return new Map(rows.map((row) => [row.connectionId, row]));
    },
    async endpoints(caller, ids) {
      const rows = await db.for(caller).find(WebhookEndpoint, { connectionId: { $in: [...ids] } });
      return new Map(rows.map((row) => [row.connectionId, row]));
    },
    urlOf({ tenantId, connectionId, providerId, sealedToken }) {
      const token = vault.open(sealedToken, { tenantId, id: connectionId, field: 'webhook_token' });
      return webhookUrl(publicUrl(), providerId, token.toString('utf8'));
    },
  };
}

/** The unique index decides whose a name is. */
async function withFreeName<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
    const message = `There is a connection named "${name.trim()}" for this provider already.`;
    throw new TributaryError('NAME_TAKEN', message, {}, { cause });
  }
}

async function connect(
  { db, clock, vault, catalog, publicUrl }: ConnectionDeps,
  caller: Caller,
  command: ConnectCommand,
) {
  const connector = catalog.require(command.providerId);
  const checked = checkConnect(command, connector);
  return db.for(caller).transactional(async (transaction) => {
    const now = clock.now();
    const connection = addConnection(transaction, caller, command.providerId, checked, now);
    // First of all, because everything else refers to it.
    await transaction.flush();
    addCredential(transaction, vault, connection, checked.credential);
    const hasWebhook = connector.webhook && checked.capabilities.includes('WEBHOOK');
    const webhook = hasWebhook ? addWebhookEndpoint(transaction, vault, connection, publicUrl()) : null;
    const [request, result] = [describe(checked), { status: connection.status }];
    attestChange(transaction, caller, connection, now, {
      verb: 'connect',
      outcome: 'SUCCESS',
      request,
      result,
    });
    return { connection, webhook };
  });
}

function addConnection(
  transaction: EntityManager,
  { tenantId }: Caller,
  providerId: string,
  checked: CheckedConnect,
  now: Date,
): Connection {
  const { credential: _secret, ...visible } = checked;
  const status = 'PENDING_VERIFICATION';
  return transaction.create(
    Connection,
    { id: uuidV7(), tenantId, providerId, ...visible, status, createdAt: now, updatedAt: now },
    { persist: true },
  );
}

function addCredential(
  transaction: EntityManager,
  vault: Vault,
  { id, tenantId, createdAt }: Connection,
  credential: Record<string, unknown>,
): void {
  const sealed = vault.seal(JSON.stringify(credential), { tenantId, id, field: 'credential' });
  const record = { connectionId: id, tenantId, version: 1, sealed, createdAt };
  transaction.create(CredentialRecord, record, { persist: true });
}

/** For the receipt: which secret fields were given, never what is in them. */
function describe({ credential, ...visible }: CheckedConnect): Record<string, unknown> {
  return { ...visible, credential: Object.keys(credential) };
}
