import { LRUCache } from 'lru-cache';
import { type ConnectionStatus, type HandshakeState, acceptsWebhooks } from '../connection/status.js';
import { hashToken } from '../connection/webhook-endpoint.js';
import type { JsonObject } from '../connector/index.js';
import { OPERATOR } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Secret } from '../core/secret.js';
import type { AccessLog } from '../credential/access.js';
import type { Vault } from '../credential/vault.js';

/** What is needed to take a delivery, kept ready in memory. */
export interface Endpoint {
  /** A connection's own, or an app's, whose deliveries say themselves which account they are about. */
  readonly kind: 'CONNECTION' | 'APP';
  /** The app's: {@link OPERATOR} for the operator's. */
  readonly tenantId: string;
  /** The connection's or the app's. */
  readonly id: string;
  /** Null for an app. */
  readonly status: ConnectionStatus | null;
  /** Of a secret that the provider hands out itself; null where it does not. */
  readonly handshake: HandshakeState | null;
  /** The connection's; none of an app. */
  readonly settings: JsonObject;
  /** The current one first; a previous one counts until its time is over. */
  readonly secrets: readonly { readonly secret: Secret; readonly until: Date | null }[];
  /** Set when it was found by a previous token: from then on it is unknown. */
  readonly tokenUntil: Date | null;
}

/** A connection that an app's delivery is for. */
export interface Target {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly settings: JsonObject;
}

export interface Endpoints {
  /** Null for an unknown token, and for one that belongs to another provider. */
  find(providerId: string, token: string): Promise<Endpoint | null>;
  /** Which connections an app's deliveries about an account are for, and may be shown to. */
  findTargets(providerId: string, app: Endpoint, account: string): Promise<readonly Target[]>;
  /** The same of what an app has registered by API: the connections that have the registration. */
  findRegistered(providerId: string, app: Endpoint, route: string): Promise<readonly Target[]>;
  close(): Promise<void>;
}

export interface EndpointsDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly accesses: AccessLog;
  /** By provider: the client id of the operator's OAuth app, whose consents let connections have its deliveries. */
  readonly operatorApps: ReadonlyMap<string, { readonly clientId: string }>;
}

const MAX_CACHED = 10_000;
/** Only how stale an entry can get while the channel that invalidates it is broken. */
const MAX_AGE_MS = 10_000;

interface Row {
  readonly kind: Endpoint['kind'];
  readonly tenant_id: string;
  readonly id: string;
  readonly status: ConnectionStatus | null;
  readonly handshake: HandshakeState | null;
  readonly settings: JsonObject;
  readonly sealed_secret: Buffer;
  readonly sealed_previous_secret: Buffer | null;
  readonly previous_secret_until: Date | null;
  readonly token_until: Date | null;
}

/** Looks endpoints up by the hash of their token, and keeps the found ones until a connection or endpoint changes. */
export async function createEndpoints(deps: EndpointsDeps): Promise<Endpoints> {
  const { db, vault } = deps;
  const endpoints = createCache<Endpoint | null>((endpoint) => endpoint !== null);
  const targets = createCache<readonly Target[]>((found) => found.length > 0);
  const stopListening = await db.listen('tributary_endpoints', () => {
    endpoints.clear();
    targets.clear();
  });

  async function load(providerId: string, hash: Buffer): Promise<Endpoint | null> {
    const { rows } = await db.doors.query<Row>({
      name: 'webhook_endpoint_by_token',
      text: 'select * from webhook_endpoint_by_token($1, $2)',
      values: [providerId, hash],
    });
    const [row] = rows;
    if (!row) return null;
    recordAccess(deps, row);
    return toEndpoint(row, vault);
  }

  const findBy = (door: Door, providerId: string, app: Endpoint, name: string) =>
    targets.get(JSON.stringify([door, app.id, name]), () => loadTargets(deps, door, providerId, app, name));

  return {
    find: (providerId, token) =>
      endpoints.get(`${providerId}:${token}`, () => load(providerId, hashToken(token))),
    findTargets: (providerId, app, account) => findBy('connections_of_app', providerId, app, account),
    findRegistered: (providerId, app, route) => findBy('connections_of_route', providerId, app, route),
    close: stopListening,
  };
}

/**
 * Promises, so that requests that miss together look up once. What is not worth keeping is forgotten at once: guesses
 * must not push good entries out.
 */
function createCache<T extends object | null>(isKept: (value: T) => boolean) {
  const entries = new LRUCache<string, Promise<T>>({ max: MAX_CACHED, ttl: MAX_AGE_MS });
  return {
    clear: () => entries.clear(),
    get(key: string, load: () => Promise<T>): Promise<T> {
      const known = entries.get(key);
      if (known) return known;
      const loading = load();
      entries.set(key, loading);
      const forget = (): void => void (entries.peek(key) === loading && entries.delete(key));
      loading.then((value) => isKept(value) || forget(), forget);
      return loading;
    },
  };
}

/** By what an app's deliveries name those they are for: an account, or a registration. */
type Door = 'connections_of_app' | 'connections_of_route';

/** Once for as long as it is kept: which deliveries it then served, the journal tells. */
function recordAccess({ accesses, clock }: EndpointsDeps, { kind, tenant_id: tenantId, id }: Row): void {
  // The access log is kept by connection, and an app's secret belongs to none.
  if (kind === 'APP') return;
  accesses.record({
    tenantId,
    connectionId: id,
    field: 'webhook_secret',
    secretVersion: null,
    actor: 'system',
    purpose: 'webhook',
    correlationId: null,
    at: clock.now(),
  });
}

/**
 * Whom the operator's app may be shown to hangs on a credential that works: one that the provider has taken back says
 * that its holder may see the account no more. What comes by a tenant's own app is the tenant's anyway.
 */
async function loadTargets(
  { db, operatorApps }: EndpointsDeps,
  door: Door,
  providerId: string,
  { tenantId }: Endpoint,
  name: string,
): Promise<readonly Target[]> {
  const isOperators = tenantId === OPERATOR;
  const clientId = operatorApps.get(providerId)?.clientId ?? null;
  const { rows } = await db.doors.query<{
    tenant_id: string;
    connection_id: string;
    status: ConnectionStatus;
    settings: JsonObject;
  }>({
    name: door,
    text: `select * from ${door}($1, $2, $3, $4)`,
    values: [providerId, name, isOperators ? null : tenantId, clientId],
  });
  return rows
    .filter(({ status }) => (isOperators ? status === 'ACTIVE' : acceptsWebhooks(status)))
    .map((row) => ({ tenantId: row.tenant_id, connectionId: row.connection_id, settings: row.settings }));
}

async function toEndpoint(row: Row, vault: Vault): Promise<Endpoint> {
  const { kind, id, tenant_id: tenantId, status, handshake, settings } = row;
  const place = { tenantId, id, field: kind === 'APP' ? 'webhook_app_secret' : 'webhook_secret' } as const;
  const open = (sealed: Buffer): Promise<Secret> => vault.openSecret(sealed, place);
  const previous = row.sealed_previous_secret;
  return {
    kind,
    tenantId,
    id,
    status,
    handshake,
    settings,
    secrets: [
      { secret: await open(row.sealed_secret), until: null },
      ...(previous ? [{ secret: await open(previous), until: row.previous_secret_until }] : []),
    ],
    tokenUntil: row.token_until,
  };
}

/** The secrets that count at this moment. */
export function secretsAt({ secrets }: Endpoint, now: Date): readonly Secret[] {
  return secrets.filter(({ until }) => until === null || now < until).map(({ secret }) => secret);
}
