import { LRUCache } from 'lru-cache';
import { type ConnectionStatus, acceptsWebhooks } from '../connection/status.js';
import { hashToken } from '../connection/webhook-endpoint.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Secret } from '../core/secret.js';
import type { AccessLog } from '../credential/access.js';
import type { Vault } from '../credential/vault.js';

/** What is needed to take a delivery, kept ready in memory. */
export interface Endpoint {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly isAccepting: boolean;
  readonly status: ConnectionStatus;
  /** The current one first; a previous one counts until its time is over. */
  readonly secrets: readonly { readonly secret: Secret; readonly until: Date | null }[];
  /** Set when it was found by a previous token: from then on it is unknown. */
  readonly tokenUntil: Date | null;
}

export interface Endpoints {
  /** Null for an unknown token, and for one that belongs to another provider. */
  find(providerId: string, token: string): Promise<Endpoint | null>;
  close(): Promise<void>;
}

export interface EndpointsDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly accesses: AccessLog;
}

const MAX_CACHED = 10_000;
/** Only how stale an entry can get while the channel that invalidates it is broken. */
const MAX_AGE_MS = 10_000;

interface Row {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly status: ConnectionStatus;
  readonly sealed_secret: Buffer;
  readonly sealed_previous_secret: Buffer | null;
  readonly previous_secret_until: Date | null;
  readonly token_until: Date | null;
}

/** Looks endpoints up by the hash of their token, and keeps the found ones until a connection or endpoint changes. */
export async function createEndpoints({ db, vault, clock, accesses }: EndpointsDeps): Promise<Endpoints> {
  // Promises, so that requests that miss together look up once. What was unknown is forgotten at once: guesses must
  // not push good entries out.
  const cache = new LRUCache<string, Promise<Endpoint | null>>({ max: MAX_CACHED, ttl: MAX_AGE_MS });
  const stopListening = await db.listen('tributary_endpoints', () => cache.clear());

  async function load(providerId: string, hash: Buffer): Promise<Endpoint | null> {
    const { rows } = await db.doors.query<Row>({
      name: 'webhook_endpoint_by_token',
      text: 'select * from webhook_endpoint_by_token($1, $2)',
      values: [providerId, hash],
    });
    const [row] = rows;
    if (!row) return null;
    // Once for as long as it is kept: which deliveries it then served, the journal tells.
    accesses.record({
      tenantId: row.tenant_id,
      connectionId: row.connection_id,
      field: 'webhook_secret',
      secretVersion: null,
      actor: 'system',
      purpose: 'webhook',
      correlationId: null,
      at: clock.now(),
    });
    return toEndpoint(row, vault);
  }

  return {
    find(providerId, token) {
      const hash = hashToken(token);
      const key = `${providerId}:${hash.toString('base64')}`;
      const known = cache.get(key);
      if (known) return known;
      const loading = load(providerId, hash);
      cache.set(key, loading);
      const forget = (): void => void (cache.peek(key) === loading && cache.delete(key));
      loading.then((endpoint) => endpoint ?? forget(), forget);
      return loading;
    },
    close: stopListening,
  };
}

async function toEndpoint(row: Row, vault: Vault): Promise<Endpoint> {
  const place = { tenantId: row.tenant_id, id: row.connection_id, field: 'webhook_secret' } as const;
  const open = (sealed: Buffer): Promise<Secret> => vault.openSecret(sealed, place);
  const previous = row.sealed_previous_secret;
  return {
    tenantId: row.tenant_id,
    connectionId: row.connection_id,
    status: row.status,
    isAccepting: acceptsWebhooks(row.status),
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
