import { Secret } from '../core/secret.js';
import type { DataKeys } from './data-keys.js';
import { type SealedPlace as Place, keyVersionOf, open, seal } from './seal.js';

/** What is sealed. Each name is one column of one table: see `sealedColumns` in rewrap.ts. */
export type SealedField =
  | 'credential'
  | 'webhook_secret'
  | 'webhook_token'
  | 'webhook_app_secret'
  | 'webhook_app_token'
  | 'action_input'
  | 'delivery_body'
  | 'oauth_client_secret'
  | 'oauth_flow'
  | 'checkpoint_key'
  | 'incident_sink_secret'
  | 'receipt_witness_secret';

/** Where a sealed value belongs. Bound into the seal, so that a value moved to another place does not open. */
export interface SealedPlace extends Place {
  readonly field: SealedField;
}

/**
 * Seals what must not be readable in the database or a backup of it, under a data key of the tenant's own. Both ways
 * throw VAULT_UNAVAILABLE while that key can't be had.
 */
export interface Vault {
  seal(plaintext: string | Buffer, place: SealedPlace): Promise<Buffer>;
  /** Throws when the bytes were altered, sealed for another place or under another key. The caller clears them. */
  open(sealed: Uint8Array, place: SealedPlace): Promise<Buffer>;
  /** The same for a text; the bytes it was made of are cleared. */
  openSecret(sealed: Uint8Array, place: SealedPlace): Promise<Secret>;
}

export function createVault(keys: DataKeys): Vault {
  async function openBytes(sealed: Uint8Array, place: SealedPlace): Promise<Buffer> {
    const key = await keys.ofVersion(place.tenantId, keyVersionOf(sealed));
    return open(key, sealed, place);
  }
  return {
    seal: async (plaintext, place) => seal(await keys.current(place.tenantId), plaintext, place),
    open: openBytes,
    async openSecret(sealed, place) {
      const bytes = await openBytes(sealed, place);
      const secret = new Secret(bytes.toString('utf8'));
      bytes.fill(0);
      return secret;
    },
  };
}
