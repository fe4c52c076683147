import { LRUCache } from 'lru-cache';
import {
  type Connector,
  type Credential,
  ProviderFailure,
  type ProviderContext,
  type ProviderRequest,
} from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { sharing } from '../core/sharing.js';
import type { AccessLog, Accessor } from '../credential/access.js';
import type { SecretReferences } from '../credential/reference/references.js';
import type { Vault } from '../credential/vault.js';
import { isSentOnce } from '../outbound/message.js';
import type { ProviderGate } from '../outbound/provider.js';
import type { Lane } from '../outbound/target.js';
import { type Connection, CredentialRecord } from './connection.entity.js';
import {
  type Fields,
  type Material,
  type StoredFields,
  candidateMaterial,
  fieldsMaterial,
} from './material.js';
import type { TokenKeeper } from './tokens.js';

/** A connection made usable: its credential unsealed for the moment, behind the one way out. */
export interface OpenConnection {
  readonly context: ProviderContext;
  /** Of the credential last used, to tell whether it was replaced meanwhile. */
  credentialVersion(): number;
  /** Makes sure that there is something to sign with, renewing what ends within so many seconds. False: there is not. */
  warm(aheadSeconds: number): Promise<boolean>;
}

export interface OpenDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly accesses: AccessLog;
  readonly references: SecretReferences;
  readonly tokens: TokenKeeper;
  readonly gate: ProviderGate;
}

export interface OpenOptions {
  /** A credential that is only tried, in place of the stored one. */
  readonly candidate?: Credential | undefined;
  /** Reads the stored one anew, where being a moment behind would decide something. */
  readonly isFresh?: boolean;
  readonly lane?: Lane;
  /** Called before each request, when no token is waited for any more; throws where none may leave now. */
  readonly beforeSend?: (request: ProviderRequest) => Promise<void>;
  /** Secrets that the provider is told, and that no failure may repeat. */
  readonly told?: Credential;
  /** What the integration log calls it. Left out: the accessor's purpose. */
  readonly operation?: string;
}

/** Opens a connection for one piece of work, and writes down who uses its credential and what for. */
export interface Opener {
  open(
    connection: Connection,
    connector: Connector,
    accessor: Accessor & { readonly correlationId: string },
    options?: OpenOptions,
  ): Promise<OpenConnection>;
  close(): Promise<void>;
}

/** A credential in clear. */
interface OpenedCredential extends StoredFields {
  readonly previousUntil: Date | null;
}

const MAX_CACHED = 1_000;
/** Only how stale an entry can get while the channel that empties the cache is broken. */
const MAX_AGE_MS = 30_000;
const UNAUTHORIZED = 401;

/** Keeps opened credentials for a moment, and forgets them all when any is replaced or deleted. */
export async function createOpener(deps: OpenDeps): Promise<Opener> {
  const { db, clock, vault, accesses, references, tokens, gate } = deps;
  const cache = new LRUCache<string, Promise<OpenedCredential | null>>({
    max: MAX_CACHED,
    ttl: MAX_AGE_MS,
    // What nobody asks for again is let go of as well.
    ttlAutopurge: true,
  });
  const stopListening = await db.listen('tributary_credentials', () => cache.clear());

  async function read({ id, tenantId }: Connection): Promise<OpenedCredential | null> {
    const record = await db.for({ tenantId }).findOne(CredentialRecord, { connectionId: id });
    return record && unseal(vault, record);
  }

  async function find(connection: Connection, isFresh: boolean): Promise<OpenedCredential | null> {
    if (!isFresh) return sharing(cache, connection.id, () => read(connection));
    cache.delete(connection.id);
    return read(connection);
  }

  async function versionOf({ id, tenantId }: Connection): Promise<number> {
    const fields = ['version'] as const;
    const record = await db.for({ tenantId }).findOne(CredentialRecord, { connectionId: id }, { fields });
    return record?.version ?? 0;
  }

  async function materialOf(
    connection: Connection,
    connector: Connector,
    { candidate, isFresh = false }: OpenOptions,
  ): Promise<Material> {
    // The stored one stays sealed: what can't be read any more can still be replaced.
    if (candidate) return candidateMaterial(candidate, await versionOf(connection));
    const stored = await find(connection, isFresh);
    if (!stored) throw notAuthorized();
    const renewing = tokens.materialOf(connection, connector, stored);
    if (renewing) return renewing;
    const counts = stored.previousUntil !== null && clock.now() < stored.previousUntil;
    const previous = counts ? stored.previous : null;
    return fieldsMaterial({ ...stored, previous }, connection.tenantId, references);
  }

  return {
    async open(connection, connector, accessor, options = {}) {
      const { id: connectionId, tenantId, settings } = connection;
      const material = await materialOf(connection, connector, options);
      const { actor, purpose, correlationId } = accessor;
      accesses.record({
        tenantId,
        connectionId,
        field: 'credential',
        secretVersion: material.version() || null,
        actor,
        purpose,
        correlationId,
        at: clock.now(),
      });
      const { lane = 'interactive', told = {}, beforeSend, operation = purpose } = options;
      const target = { tenantId, connectionId, connector, settings, correlationId, operation, lane, told };
      const send = async (credential: Credential, request: ProviderRequest) => {
        await beforeSend?.(request);
        return gate.contextFor({ ...target, credential }).request(request);
      };
      return {
        context: { settings, request: (request) => sendSigned(material, request, send) },
        credentialVersion: () => material.version(),
        warm: (aheadSeconds) => isGood(material, aheadSeconds),
      };
    },
    close: stopListening,
  };
}

/**
 * Sends once, and once more by another credential when the provider refuses the first as wrong: it has then done
 * nothing, so that this is safe for every request.
 */
async function sendSigned<T>(
  material: Material,
  request: ProviderRequest,
  send: (credential: Credential, request: ProviderRequest) => Promise<T>,
): Promise<T> {
  const credential = await material.current();
  try {
    return await send(credential, request);
  } catch (error) {
    if (!isCredentialRefused(error) || isSentOnce(request)) throw error;
    const another = await material.afterRefusal(credential);
    if (!another) throw error;
    return send(another, request);
  }
}

function isCredentialRefused(error: unknown): boolean {
  if (!(error instanceof ProviderFailure)) return false;
  return error.details.providerStatus === UNAUTHORIZED || error.details.isCredentialRefused === true;
}

async function isGood(material: Material, aheadSeconds: number): Promise<boolean> {
  try {
    await material.current(aheadSeconds);
    return true;
  } catch (error) {
    if (error instanceof ProviderFailure) return false;
    throw error;
  }
}

async function unseal(
  vault: Vault,
  { sealed, sealedPrevious, previousUntil, tenantId, connectionId, version }: CredentialRecord,
): Promise<OpenedCredential> {
  const open = async (bytes: Uint8Array, at: number): Promise<Fields> => {
    const place = { tenantId, id: connectionId, field: 'credential', version: at } as const;
    return JSON.parse((await vault.openSecret(bytes, place)).reveal()) as Fields;
  };
  return {
    version,
    fields: await open(sealed, version),
    previous: sealedPrevious ? () => open(sealedPrevious, version - 1) : null,
    previousUntil: previousUntil ?? null,
  };
}

function notAuthorized(): ProviderFailure {
  return new ProviderFailure({
    category: 'AUTH',
    code: 'not_authorized',
    message: 'Nobody has authorized this connection at the provider yet: call authorize.',
  });
}
