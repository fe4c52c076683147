import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import type { Connector } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, notFound } from '../core/errors.js';
import { type Page, type PageRequest, newestFirst, readPage, toUuid } from '../core/page.js';
import { SecretAccess } from '../credential/access.entity.js';
import type { Refresher } from '../credential/oauth/refresh.js';
import type { Revoker } from './revoke.js';
import type { Authorizer } from './authorize.js';
import { attestChange } from './change.js';
import { type GivenCredential, credentialSchemaOf, requireCredential } from './credential.js';
import { redeliverDue } from './redeliver-due.js';
import { renewDueTokens } from './renew-due.js';
import { renewWebhooksDue } from './renew-webhooks.js';
import {
  type CheckedConnect,
  type ConnectCommand,
  addConnection,
  addCredential,
  checkConnect,
  describe,
} from './connect.js';
import { Connection, CredentialRecord, WebhookEndpoint, WebhookRegistration } from './connection.entity.js';
import { disconnectConnection, suspendConnection } from './lifecycle.js';
import type { QuotaService } from './quota.js';
import { type Unregistered, unregisterWebhook } from './registered-webhooks.js';
import {
  type RotateCommand,
  type RotateDeps,
  type Rotated,
  checkRotate,
  rotateConnection,
} from './rotate.js';
import type { ConnectionStatus } from './status.js';
import { type UpdateCommand, updateConnection } from './update.js';
import { resumeConnection, verifyConnection } from './verify.js';
import { type WebhookSetup, addWebhookEndpoint, webhookUrl } from './webhook-endpoint.js';
import {
  type RegisterCommand,
  type Registered,
  checkRegister,
  registerWebhook,
} from './webhook-registration.js';

export interface ConnectionFilter {
  readonly providerId?: string;
  readonly status?: ConnectionStatus;
  readonly tag?: string;
}

const LIST = newestFirst('connections');
const ACCESSES = newestFirst('accesses');

/** Every method that takes an id throws NOT_FOUND for one that is not the caller's, is deleted, or never was. */
export interface ConnectionService {
  /**
   * Stores the connection with its sealed credential and, where the provider has webhooks, an endpoint whose secret
   * is returned this once. It is PENDING_VERIFICATION until `verify`. Throws INVALID_INPUT, UNSUPPORTED,
   * NAME_TAKEN, QUOTA_EXCEEDED or NOT_FOUND for the provider.
   */
  connect(caller: Caller, command: ConnectCommand): Promise<Connected>;
  /**
   * A link for the person who consents at the provider, to make it work or to make it work again: good for ten minutes
   * and one browser. Throws UNSUPPORTED, CONNECTION_NOT_READY or INVALID_INPUT for `returnTo`.
   */
  authorize(
    caller: Caller,
    command: { readonly connectionId: string; readonly returnTo?: string | null | undefined },
  ): Promise<{ readonly connection: Connection; readonly authorizationUrl: string }>;
  /** Renews tokens that end within minutes, of all tenants. Answers how many are good now. For the background. */
  renewDue(): Promise<number>;
  /**
   * Has providers that never repeat a delivery by themselves look for those that failed, of all tenants' registered
   * webhooks that are due or until `stop` aborts. Answers how many webhooks those were. For the background.
   */
  redeliverDue(stop?: AbortSignal): Promise<number>;
  /**
   * Has registered webhooks last longer that providers let end within a week, of all tenants, until none is due or `stop`
   * aborts. What fails is shown at the registration and tried again. Answers how many were tried. For the background.
   */
  renewWebhooksDue(stop?: AbortSignal): Promise<number>;
  /**
   * Asks the provider who the credential belongs to. ACTIVE when it answers; ERROR with a reason when it does not.
   * A connection that works is not downgraded because the provider could not be reached this once.
   */
  verify(caller: Caller, id: string): Promise<Connection>;
  /**
   * Replaces a credential, once the new one has proven to work; or a webhook's secret or token, with the old one good
   * for `overlapSeconds` more, and told to the provider where we registered webhooks. A credential that the provider
   * refuses is answered as `failure` and changes nothing.
   * Throws CONNECTION_NOT_READY, INVALID_INPUT, UNSUPPORTED or CONFLICT.
   */
  rotate(caller: Caller, command: RotateCommand): Promise<Rotated>;
  /**
   * Changes name, description, tags or settings; see docs/settings.md. Throws INVALID_INPUT, NAME_TAKEN, SETTINGS_REFUSED,
   * UNSUPPORTED, CONNECTION_NOT_READY or CONFLICT.
   */
  update(caller: Caller, command: UpdateCommand): Promise<Connection>;
  /** Stops actions and webhooks (409) until `resume`. Suspending what is suspended changes nothing. */
  suspend(caller: Caller, id: string, reason?: string | null): Promise<Connection>;
  /** Verifies first: ACTIVE when the credential still works; else it stays SUSPENDED, with the reason. */
  resume(caller: Caller, id: string): Promise<Connection>;
  /**
   * Has the provider send to the connection's endpoint, signed by its secret, the least that brings the wanted signals.
   * Once more for the same target brings what is there into line. What the provider refuses is answered as `failure`.
   * Throws UNSUPPORTED, INVALID_INPUT, CONNECTION_NOT_READY or CONFLICT.
   */
  registerWebhook(caller: Caller, command: RegisterCommand): Promise<Registered>;
  /** Takes them away at the provider, one or all, and then forgets them. Throws NOT_FOUND. */
  unregisterWebhook(
    caller: Caller,
    command: { readonly connectionId: string; readonly registrationId?: string },
  ): Promise<Unregistered>;
  /**
   * Takes its webhooks away at the provider, if that can be reached within seconds, then deletes credential and
   * webhook endpoint, and keeps the history. The name is free again.
   */
  disconnect(caller: Caller, id: string): Promise<Connection>;
  require(caller: Caller, id: string): Promise<Connection>;
  /** By id, deleted ones too, as history refers to them; those that are not the tenant's are missing from the map. */
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Connection>>;
  /** Newest first. */
  list(caller: Caller, filter: ConnectionFilter, page: PageRequest): Promise<Page<Connection>>;
  credentials(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, CredentialRecord>>;
  endpoints(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, WebhookEndpoint>>;
  /** By connection, those that have any. */
  registrations(
    caller: Caller,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly WebhookRegistration[]>>;
  /** Who used its secrets and what for, newest first. Also of one that is deleted. */
  accesses(caller: Caller, id: string, page: PageRequest): Promise<Page<SecretAccess>>;
  /** The endpoint's full URL, token included. */
  urlOf(endpoint: WebhookEndpoint): Promise<string>;
}

/** A connection that was just made. */
export interface Connected {
  readonly connection: Connection;
  readonly webhook: WebhookSetup | null;
  /** Where a person consents; null where a credential was given. */
  readonly authorizationUrl: string | null;
}

export interface ConnectionDeps extends RotateDeps {
  readonly authorizer: Authorizer;
  readonly revoker: Revoker;
  readonly refresher: Pick<Refresher, 'due'>;
  readonly quotas: QuotaService;
}

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
    async authorize(caller, { connectionId, returnTo = null }) {
      const connection = await require(caller, connectionId);
      return { connection, authorizationUrl: await deps.authorizer.begin(caller, connection, returnTo) };
    },
    renewDue: () => renewDueTokens(deps),
    redeliverDue: (stop = new AbortController().signal) => redeliverDue(deps, stop),
    renewWebhooksDue: (stop = new AbortController().signal) => renewWebhooksDue(deps, stop),
    verify: async (caller, id) => verifyConnection(deps, caller, await require(caller, id)),
    async rotate(caller, command) {
      const checked = checkRotate(command);
      return rotateConnection(deps, caller, await require(caller, checked.connectionId), checked);
    },
    async update(caller, command) {
      const existing = await require(caller, command.connectionId);
      return withFreeName(command.name ?? '', updateConnection(deps, caller, existing, command));
    },
    suspend: (caller, id, reason) => suspendConnection(deps, caller, id, reason),
    resume: async (caller, id) => resumeConnection(deps, caller, await require(caller, id)),
    async registerWebhook(caller, command) {
      const checked = checkRegister(command);
      return registerWebhook(deps, caller, await require(caller, checked.connectionId), checked);
    },
    unregisterWebhook: async (caller, { connectionId, registrationId }) =>
      unregisterWebhook(deps, caller, await require(caller, connectionId), registrationId),
    disconnect: async (caller, id) => disconnectConnection(deps, caller, await require(caller, id)),
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
      return readPage(db.for(caller), Connection, LIST, { rest: where }, page);
    },
    async credentials(caller, ids) {
      const rows = await db.for(caller).find(CredentialRecord, { connectionId: { $in: [...ids] } });
      return new Map(rows.map((row) => [row.connectionId, row]));
    },
    async endpoints(caller, ids) {
      const rows = await db.for(caller).find(WebhookEndpoint, { connectionId: { $in: [...ids] } });
      return new Map(rows.map((row) => [row.connectionId, row]));
    },
    async registrations(caller, ids) {
      const where = { connectionId: { $in: [...ids] } };
      const rows = await db.for(caller).find(WebhookRegistration, where, { orderBy: { id: 'asc' } });
      return Map.groupBy(rows, ({ connectionId }) => connectionId);
    },
    accesses: (caller, id, page) =>
      readPage(db.for(caller), SecretAccess, ACCESSES, { leads: [{ connectionId: toUuid(id) }] }, page),
    async urlOf({ tenantId, connectionId, providerId, sealedToken }) {
      const token = await vault.openSecret(sealedToken, {
        tenantId,
        id: connectionId,
        field: 'webhook_token',
      });
      return webhookUrl(publicUrl(), providerId, token.reveal());
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

async function connect(deps: ConnectionDeps, caller: Caller, command: ConnectCommand): Promise<Connected> {
  const { references, catalog, authorizer, evaluator } = deps;
  const connector = catalog.require(command.providerId);
  const checked = await checkConnect(evaluator, caller, command, connector);
  const { authMethod, credential } = checked;
  const schema = credentialSchemaOf(connector, authMethod);
  if (!credential) {
    await authorizer.requirePossible(caller, connector, checked.settings, checked.returnTo);
  }
  const given = credential && (await requireCredential(references, caller.tenantId, schema, credential));
  const made = await make(deps, caller, connector, checked, given);
  const authorizationUrl = given ? null : await authorizer.begin(caller, made.connection, checked.returnTo);
  return { ...made, authorizationUrl };
}

function make(
  { db, clock, vault, publicUrl, quotas }: ConnectionDeps,
  caller: Caller,
  connector: Connector,
  checked: CheckedConnect,
  given: GivenCredential | null,
): Promise<Omit<Connected, 'authorizationUrl'>> {
  return db.for(caller).transactional(async (transaction) => {
    const now = clock.now();
    const connection = addConnection(transaction, caller, connector.manifest.id, checked, now);
    // First of all, because everything else refers to it.
    await transaction.flush();
    if (given) await addCredential(transaction, vault, connection, given);
    const hasWebhook = connector.webhook && checked.capabilities.includes('WEBHOOK');
    const add = () => addWebhookEndpoint(transaction, vault, connector, connection, publicUrl());
    const webhook = hasWebhook ? await add() : null;
    const [request, result] = [describe(checked), { status: connection.status }];
    // Late, since it makes the tenant's other connects wait for this one to be committed.
    await quotas.requireRoom(transaction, caller);
    await attestChange(transaction, caller, connection, null, now, {
      verb: 'connect',
      outcome: 'SUCCESS',
      request,
      result,
    });
    return { connection, webhook };
  });
}
