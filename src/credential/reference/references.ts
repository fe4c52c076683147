import { LRUCache } from 'lru-cache';
import type { Config } from '../../config.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { Secret } from '../../core/secret.js';
import type { HashicorpVault } from '../hashicorp-vault.js';
import { type ReferencePattern, requireAllowed } from './allow-list.js';
import { type AwsOptions, openAwsStore } from './aws.js';
import { type AzureOptions, openAzureStore } from './azure.js';
import { createEnvStore } from './env.js';
import { SecretReferenceError, unavailable } from './error.js';
import { pickField } from './field.js';
import { type GcpOptions, openGcpStore } from './gcp.js';
import type { Scheme } from './grammar.js';
import { type SecretLocation, parseReference } from './reference.js';
import type { SecretStore } from './store.js';
import { createVaultStore } from './vault.js';

export interface SecretReferencesOptions {
  /** What parseReferencePatterns made of the operator's list. None: every reference is forbidden. */
  readonly patterns: readonly ReferencePattern[];
  readonly environment: Config['TRIBUTARY_ENVIRONMENT'];
  /** Unset: the operator has set up no Vault. */
  readonly vault?: HashicorpVault | undefined;
  readonly aws?: AwsOptions | undefined;
  readonly gcp?: GcpOptions | undefined;
  readonly azure?: AzureOptions | undefined;
  /** What `env://` reads, and only where the environment is dev. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly clock?: Clock | undefined;
  /** For one question to a store, with all its tries. */
  readonly deadlineMs?: number | undefined;
}

/** Secrets that stay where the tenant keeps them: looked up when used, kept for a minute, never stored. */
export interface SecretReferences {
  /**
   * What the reference refers to, if the tenant may refer to it. `fresh` passes over what is kept, for when the kept
   * one has just been refused; it still joins a question that is under way. Throws SecretReferenceError.
   */
  resolve(reference: string, tenantId: string, options?: { readonly fresh?: boolean }): Promise<Secret>;
  /** Lets go of what is kept of this reference, for all tenants and with all its fields. */
  forget(reference: string): void;
  clear(): void;
  /** Lets go of everything kept, and of the clients. */
  close(): Promise<void>;
}

const MAX_CACHED = 1_000;
const MAX_AGE_MS = 60_000;
const DEADLINE_MS = 5_000;

interface Entry {
  readonly secret: Promise<Secret>;
  isSettled: boolean;
}

export function createSecretReferences(options: SecretReferencesOptions): SecretReferences {
  const { patterns, clock = systemClock, deadlineMs = DEADLINE_MS } = options;
  const stores = new Map<Scheme, Promise<SecretStore>>();
  // Whole secrets, so that two fields of one are of the same version. Purged by a timer as well: what is not asked for
  // again should not stay in memory.
  const cache = new LRUCache<string, Entry>({
    max: MAX_CACHED,
    ttl: MAX_AGE_MS,
    ttlResolution: 0,
    ttlAutopurge: true,
    perf: { now: () => clock.now().getTime() },
  });

  function storeOf(scheme: Scheme): Promise<SecretStore> {
    const known = stores.get(scheme);
    if (known) return known;
    const opening = openStore(scheme, options);
    stores.set(scheme, opening);
    // A client that could not be made is made again next time.
    opening.catch(() => stores.delete(scheme));
    return opening;
  }

  async function read(location: SecretLocation): Promise<Secret> {
    const store = await storeOf(location.scheme);
    const signal = AbortSignal.timeout(deadlineMs);
    const reading = store.read(location, signal);
    // Clients look at the signal in most places but not in all, such as while they look for credentials.
    const text = await Promise.race([reading, rejectOn(signal)]).catch((error: unknown) => {
      throw signal.aborted ? unavailable('The secret store', `nothing within ${deadlineMs} ms`) : error;
    });
    if (text === '') throw new SecretReferenceError('missing', 'The secret is empty.');
    return new Secret(text);
  }

  function load(location: SecretLocation, fresh: boolean): Promise<Secret> {
    const key = keyOf(location);
    const known = cache.get(key);
    if (known && !(fresh && known.isSettled)) return known.secret;
    const entry: Entry = { secret: read(location), isSettled: false };
    cache.set(key, entry);
    entry.secret.then(
      () => (entry.isSettled = true),
      () => cache.peek(key) === entry && cache.delete(key),
    );
    return entry.secret;
  }

  return {
    async resolve(text, tenantId, { fresh = false } = {}) {
      const { location, field } = parseReference(text);
      // Before anything else, cache included: what one tenant may read is kept beside what another may.
      requireAllowed(patterns, location, tenantId);
      return pickField(await load(location, fresh), field);
    },
    forget: (text) => void cache.delete(keyOf(parseReference(text).location)),
    clear: () => cache.clear(),
    async close() {
      cache.clear();
      const opened = await Promise.allSettled(stores.values());
      stores.clear();
      for (const store of opened) if (store.status === 'fulfilled') await store.value.close();
    },
  };
}

/** Clients load here and not before: nobody pays for a cloud that is not used. */
async function openStore(scheme: Scheme, options: SecretReferencesOptions): Promise<SecretStore> {
  const { vault, aws = {}, gcp = {}, azure = {}, variables = {}, environment } = options;
  switch (scheme) {
    case 'vault':
      if (vault) return createVaultStore(vault);
      throw new SecretReferenceError(
        'unavailable',
        'No HashiCorp Vault is set up on this server: its operator has to set VAULT_ADDR and VAULT_TOKEN.',
      );
    case 'aws-sm':
      return openAwsStore(aws);
    case 'gcp-sm':
      return openGcpStore(gcp);
    case 'azure-kv':
      return openAzureStore(azure);
    case 'env':
      if (environment === 'dev') return createEnvStore(variables);
      throw new SecretReferenceError('forbidden', 'env:// is for development. Use a secret store instead.');
    default:
      return scheme satisfies never;
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** Unambiguous, whatever the names hold. */
function keyOf({ scheme, path, version, stage }: SecretLocation): string {
  return JSON.stringify([scheme, path, version ?? null, stage ?? null]);
}
