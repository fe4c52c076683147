import { createHash, createSecretKey } from 'node:crypto';
import { openKey, sealKey } from './aes-gcm.js';
import { type KeyProvider, KeyProviderError } from './key-provider.js';
import { UNREADABLE } from './service.js';

export interface LocalKeyOptions {
  /** 32 bytes: TRIBUTARY_MASTER_KEY. */
  readonly masterKey: Buffer;
  /** Only unwrap: TRIBUTARY_MASTER_KEY_PREVIOUS. */
  readonly previousMasterKeys?: readonly Buffer[] | undefined;
}

/** Wraps under a master key that this process holds: AES-256-GCM, bound to the data key's name. */
export function createLocalKeyProvider({ masterKey, previousMasterKeys = [] }: LocalKeyOptions): KeyProvider {
  const current = { keyId: fingerprint(masterKey), key: createSecretKey(masterKey) };
  const previous = previousMasterKeys.map((key) => [fingerprint(key), createSecretKey(key)] as const);
  const keys = new Map([...previous, [current.keyId, current.key]]);
  return {
    name: 'local',
    async wrap(key, name) {
      return { provider: 'local', keyId: current.keyId, wrapped: sealKey(current.key, key, name) };
    },
    async unwrap({ keyId, wrapped }, name) {
      const key = keys.get(keyId);
      if (!key) throw missing(keyId, [...keys.keys()]);
      try {
        return openKey(key, wrapped, name);
      } catch (cause) {
        throw new KeyProviderError('unreadable', `Master key ${keyId}: ${UNREADABLE}`, { cause });
      }
    },
    async close() {},
  };
}

/** Tells keys apart and nothing about them. The prefix keeps it from being a hash of the key that another use has too. */
function fingerprint(key: Buffer): string {
  const hash = createHash('sha256').update('tributary-master-key-fingerprint\0').update(key);
  return `local:${hash.digest('hex').slice(0, 16)}`;
}

function missing(keyId: string, known: readonly string[]): KeyProviderError {
  return new KeyProviderError(
    'missing',
    `A data key is wrapped by the master key ${keyId}; known are ${known.join(', ')}. Set TRIBUTARY_MASTER_KEY_PREVIOUS to that key.`,
  );
}
