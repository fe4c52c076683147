export const keyProviderNames = ['local', 'aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit'] as const;

/** How long a data key is: AES-256. */
export const DATA_KEY_BYTES = 32;

/** Who holds the key-encryption key: TRIBUTARY_KEY_PROVIDER. */
export type KeyProviderName = (typeof keyProviderNames)[number];

/** Which data key it is. Bound into the wrapping where the service has a way to, so that keys can't change places. */
export interface DataKeyName {
  readonly tenantId: string;
  readonly version: number;
}

/** A data key as it is stored: useless without its provider. */
export interface WrappedKey {
  readonly provider: KeyProviderName;
  /** The key-encryption key that wrapped it, with its version where there are versions; as the service names it. */
  readonly keyId: string;
  readonly wrapped: Buffer;
}

/** Wraps data keys under a key-encryption key that never leaves it. */
export interface KeyProvider {
  readonly name: KeyProviderName;
  /** Wraps under the newest version of the key. Throws {@link KeyProviderError}. */
  wrap(key: Buffer, name: DataKeyName): Promise<WrappedKey>;
  /** Throws {@link KeyProviderError}; `unreadable` for what was altered or belongs to another data key. */
  unwrap(wrapped: WrappedKey, name: DataKeyName): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * Why a key could not be wrapped or unwrapped. `unavailable` (no answer, 5xx) and `throttled` pass by themselves;
 * `denied` (permissions, credentials), `missing` (no such key, disabled or about to be deleted, or not configured) and `unreadable` (not
 * wrapped by this key, or not for this name) are the operator's to mend, and the message says how.
 */
export type KeyProviderErrorKind = 'unavailable' | 'throttled' | 'denied' | 'missing' | 'unreadable';

export class KeyProviderError extends Error {
  override readonly name = 'KeyProviderError';
  readonly kind: KeyProviderErrorKind;

  constructor(kind: KeyProviderErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
