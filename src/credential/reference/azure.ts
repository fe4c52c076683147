import type { Agent } from 'node:https';
import type { SecretClient } from '@azure/keyvault-secrets';
import { LRUCache } from 'lru-cache';
import { SecretReferenceError, denied, unavailable } from './error.js';
import type { SecretStore } from './store.js';

/** All optional: by itself DefaultAzureCredential reads AZURE_TENANT_ID and its fellows, or asks the machine's identity. */
export interface AzureOptions {
  readonly credential?: ConstructorParameters<typeof SecretClient>[1] | undefined;
  /** What follows a vault's name in its host name, with a port if need be. Other clouds: `vault.azure.cn`. */
  readonly hostSuffix?: string | undefined;
  /** For a private endpoint behind a CA or a name server of its own. */
  readonly agent?: Agent | undefined;
}

const NAME = 'Azure Key Vault';
const MAX_CLIENTS = 100;
const RETRIES = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/** https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret */
export async function openAzureStore(options: AzureOptions): Promise<SecretStore> {
  const { SecretClient: Client } = await import('@azure/keyvault-secrets');
  const { hostSuffix = 'vault.azure.net', agent, credential = await findCredential() } = options;
  // One for each vault, since a client learns once how its vault wants to be asked.
  const clients = new LRUCache<string, SecretClient>({ max: MAX_CLIENTS });
  function clientOf(vault: string): SecretClient {
    const known = clients.get(vault);
    if (known) return known;
    const url = `https://${vault}.${hostSuffix}`;
    const made = new Client(url, credential, {
      retryOptions: RETRIES,
      // Azure redirects nobody, and whoever does is not to see a token.
      redirectOptions: { maxRetries: 0 },
      ...(agent && { agent }),
    });
    clients.set(vault, made);
    return made;
  }
  return {
    async read({ path: [vault = '', name = ''], version }, signal) {
      const { value } = await clientOf(vault)
        .getSecret(name, { abortSignal: signal, ...(version && { version }) })
        .catch((error: unknown) => {
          throw toError(error);
        });
      if (typeof value === 'string') return value;
      throw unavailable(NAME, 'an answer without a secret');
    },
    close: () => clients.clear(),
  };
}

async function findCredential(): Promise<NonNullable<AzureOptions['credential']>> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  try {
    return new DefaultAzureCredential();
  } catch {
    // Its variables contradict each other.
    throw denied(NAME, STRANGER);
  }
}

/** What the client says when nobody vouches for this server. */
const STRANGER_ERRORS = new Set([
  'AggregateAuthenticationError',
  'AuthenticationError',
  'AuthenticationRequiredError',
  'CredentialUnavailableError',
]);

interface AzureFailure {
  readonly name?: unknown;
  readonly statusCode?: unknown;
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: unknown } } };
}

/** By status and code. What stands in `message` stays out. */
function toError(error: unknown): SecretReferenceError {
  const { name, statusCode, details } = (error ?? {}) as AzureFailure;
  if (STRANGER_ERRORS.has(String(name))) return denied(NAME, STRANGER);
  switch (statusCode) {
    case 404:
      return missing('has no such secret, or not that version of it. Check vault, secret and version.');
    case 403:
      if (details?.error?.innerError?.code === 'SecretDisabled') {
        return missing('has the secret disabled. Enable it, or refer to another version.');
      }
      return denied(
        NAME,
        'The operator’s identity needs the role Key Vault Secrets User there, and a way past its firewall.',
      );
    case 401:
      return denied(NAME, STRANGER);
    default:
      return unavailable(NAME, typeof statusCode === 'number' ? `HTTP ${statusCode}` : 'no answer');
  }
}

const STRANGER = 'The operator has to mend this server’s own Azure credentials.';

function missing(problem: string): SecretReferenceError {
  return new SecretReferenceError('missing', `${NAME} ${problem}`);
}
