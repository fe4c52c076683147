import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import { v7 as uuidV7, validate as isUuid } from 'uuid';
import { ProviderFailure, type ProviderIdentity } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, notFound } from '../core/errors.js';
import { type Page, type PageRequest, newestFirst } from '../core/page.js';
import type { Vault } from '../credential/vault.js';
import { type ReceiptOutcome, addReceipt } from '../receipt/log.js';
import type { ProviderCatalog } from './catalog.js';
import { type CheckedConnect, type ConnectCommand, checkConnect } from './connect.js';
import { Connection, CredentialRecord, WebhookEndpoint } from './connection.entity.js';
import type { Opener } from './open.js';
import { type ConnectionStatus, type StatusReason, acceptsVerify } from './status.js';
import { type WebhookSetup, addWebhookEndpoint, webhookUrl } from './webhook-endpoint.js';

export interface ConnectionFilter {
  readonly providerId?: string;
  readonly status?: ConnectionStatus;
  readonly tag?: string;
}

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
  /** Throws NOT_FOUND. */
  require(caller: Caller, id: string): Promise<Connection>;
  /** By id; those that are not the tenant's are missing from the map. */
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Connection>>;
  /** Newest first. */
  list(caller: Caller, filter: ConnectionFilter, page: PageRequest): Promise<Page<Connection>>;
  credentials(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, CredentialRecord>>;
  endpoints(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, WebhookEndpoint>>;
  /** The endpoint's full URL, token included. */
  urlOf(endpoint: WebhookEndpoint): string;
}

export interface ConnectionDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  readonly open: Opener;
  readonly publicUrl: () => string;
}

export function createConnectionService(deps: ConnectionDeps): ConnectionService {
  const { db, clock, vault, catalog, open, publicUrl } = deps;

  async function require(caller: Caller, id: string): Promise<Connection> {
    const connection = isUuid(id) ? await db.for(caller).findOne(Connection, { id }) : null;
    if (!connection) throw notFound('connection');
    return connection;
  }

  async function connect(caller: Caller, command: ConnectCommand) {
    const connector = catalog.require(command.providerId);
    const checked = checkConnect(command, connector);
    return db.for(caller).transactional(async (transaction) => {
      const connection = addConnection(transaction, caller, command.providerId, checked, clock.now());
      // First of all, because everything else refers to it.
      await transaction.flush();
      addCredential(transaction, vault, connection, checked.credential);
      const hasWebhook = connector.webhook && checked.capabilities.includes('WEBHOOK');
      const webhook = hasWebhook ? addWebhookEndpoint(transaction, vault, connection, publicUrl()) : null;
      attest(
        transaction,
        caller,
        connection,
        'connect',
        'SUCCESS',
        { ...describe(checked) },
        { status: connection.status },
      );
      return { connection, webhook };
    });
  }

  async function identify(caller: Caller, connection: Connection) {
    const connector = catalog.require(connection.providerId);
    const { context, credentialVersion } = await open(connection, connector, caller.correlationId);
    try {
      return { credentialVersion, identity: await connector.auth.identify(context) };
    } catch (error) {
      if (error instanceof ProviderFailure) return { credentialVersion, failure: error };
      throw error;
    }
  }

  /** The provider was asked outside any transaction; what it said counts only for the credential it was asked with. */
  async function conclude(
    caller: Caller,
    id: string,
    found: { credentialVersion: number; identity?: ProviderIdentity; failure?: ProviderFailure },
  ): Promise<Connection> {
    return db.for(caller).transactional(async (transaction) => {
      const connection = await transaction.findOneOrFail(
        Connection,
        { id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      const credential = await transaction.findOne(CredentialRecord, { connectionId: id });
      if (!acceptsVerify(connection.status) || credential?.version !== found.credentialVersion)
        return connection;
      if (found.identity) activate(connection, found.identity, clock.now());
      else if (found.failure) fail(connection, found.failure, clock.now());
      attest(
        transaction,
        caller,
        connection,
        'verify',
        found.identity ? 'SUCCESS' : 'FAILURE',
        {},
        {
          status: connection.status,
          account: connection.account ?? null,
          reason: found.failure?.details.code ?? null,
        },
      );
      return connection;
    });
  }

  function attest(
    transaction: EntityManager,
    caller: Caller,
    { id, tenantId, providerId }: Connection,
    verb: string,
    outcome: ReceiptOutcome,
    request: Record<string, unknown>,
    result: Record<string, unknown>,
  ): void {
    addReceipt(transaction, {
      tenantId,
      connectionId: id,
      providerId,
      operation: `integration.connection.${providerId}.${verb}`,
      outcome,
      actor: caller.subject,
      correlationId: caller.correlationId,
      request,
      result,
      occurredAt: clock.now(),
    });
  }

  return {
    require,
    async connect(caller, command) {
      try {
        return await connect(caller, command);
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        throw new TributaryError(
          'NAME_TAKEN',
          `There is a connection named "${command.name.trim()}" for this provider already.`,
          {},
          { cause: error },
        );
      }
    },
    async verify(caller, id) {
      const connection = await require(caller, id);
      if (!acceptsVerify(connection.status)) {
        const { status } = connection;
        throw new TributaryError(
          'CONNECTION_NOT_READY',
          `A connection that is ${status} can’t be verified.`,
          { status },
        );
      }
      return conclude(caller, id, await identify(caller, connection));
    },
    async findMany(caller, ids) {
      const rows = await db.for(caller).find(Connection, { id: { $in: ids.filter((id) => isUuid(id)) } });
      return new Map(rows.map((row) => [row.id, row]));
    },
    list: (caller, { providerId, status, tag }, page) =>
      newestFirst(
        db.for(caller),
        Connection,
        {
          status: status ?? { $ne: 'DELETED' },
          ...(providerId !== undefined && { providerId }),
          ...(tag !== undefined && { tags: { $contains: [tag] } }),
        },
        'connections',
        page,
      ),
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

function addConnection(
  transaction: EntityManager,
  { tenantId }: Caller,
  providerId: string,
  checked: CheckedConnect,
  now: Date,
): Connection {
  const { credential: _secret, ...visible } = checked;
  return transaction.create(
    Connection,
    {
      id: uuidV7(),
      tenantId,
      providerId,
      ...visible,
      status: 'PENDING_VERIFICATION',
      createdAt: now,
      updatedAt: now,
    },
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
  transaction.create(
    CredentialRecord,
    { connectionId: id, tenantId, version: 1, sealed, createdAt },
    { persist: true },
  );
}

/** For the receipt: which secret fields were given, never what is in them. */
function describe({ credential, ...visible }: CheckedConnect): Record<string, unknown> {
  return { ...visible, credential: Object.keys(credential) };
}

function activate(connection: Connection, { account, grantedScopes }: ProviderIdentity, now: Date): void {
  connection.status = 'ACTIVE';
  connection.statusReason = null;
  connection.account = account;
  connection.grantedScopes = grantedScopes ? [...grantedScopes] : null;
  connection.verifiedAt = now;
  connection.updatedAt = now;
}

/** Only the provider's word that the credential is no good takes a working connection down. */
function fail(connection: Connection, failure: ProviderFailure, now: Date): void {
  connection.statusReason = toReason(failure, now);
  connection.updatedAt = now;
  if (connection.status !== 'ACTIVE' || failure.details.category === 'AUTH') connection.status = 'ERROR';
}

function toReason({ details }: ProviderFailure, now: Date): StatusReason {
  const remedy =
    details.category === 'AUTH'
      ? 'Make a new credential at the provider, with the scopes listed there, and connect again.'
      : details.retryAt
        ? `Verify again after ${details.retryAt.toISOString()}.`
        : 'Verify again; if it stays so, look at the provider’s status page.';
  return { code: details.code, message: `${details.message} ${remedy}`, since: now.toISOString() };
}
