import type { SecretLocation } from './reference.js';

/** One kind of store, ready to be asked. */
export interface SecretStore {
  /**
   * The secret as text: for Vault its map as JSON, elsewhere what was put in. Stops when the signal says so.
   * Throws SecretReferenceError.
   */
  read(location: SecretLocation, signal: AbortSignal): Promise<string>;
  close(): void | Promise<void>;
}
