import { HttpError } from '../../outbound/client.js';
import { type HashicorpVault, HashicorpVaultError } from '../hashicorp-vault.js';
import { SecretReferenceError, denied, unavailable } from './error.js';
import type { SecretLocation } from './reference.js';
import type { SecretStore } from './store.js';

const NAME = 'HashiCorp Vault';

/** KV version 2. https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version */
export function createVaultStore(vault: HashicorpVault): SecretStore {
  return {
    async read(location) {
      const answer = await vault.call('GET', toPath(location)).catch((error: unknown) => {
        throw toError(error);
      });
      const fields = (answer as { data?: unknown } | null | undefined)?.data;
      if (typeof fields !== 'object' || fields === null)
        throw unavailable(NAME, 'not an answer of KV version 2');
      return JSON.stringify(fields);
    },
    // The client belongs to whoever made it.
    close() {},
  };
}

function toPath({ path: [mount = '', ...rest], version }: SecretLocation): string {
  const path = [mount, 'data', ...rest].map(encodeURIComponent).join('/');
  return version === undefined ? path : `${path}?version=${version}`;
}

/** https://developer.hashicorp.com/vault/api-docs#http-status-codes */
function toError(error: unknown): unknown {
  if (error instanceof HttpError) return unavailable(NAME, error.kind);
  if (!(error instanceof HashicorpVaultError)) return error;
  switch (error.status) {
    case 404:
      return new SecretReferenceError(
        'missing',
        `${NAME} has no such secret, or that version of it is deleted. Check mount, path and version; the mount must be KV version 2.`,
      );
    case 401:
    case 403:
      return denied(NAME, 'The operator’s token there needs `read` on the mount’s `data/` path.');
    case 503:
      return unavailable(NAME, 'sealed or under maintenance');
    default:
      return unavailable(NAME, `HTTP ${error.status}`);
  }
}
