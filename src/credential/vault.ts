import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { readOrCreateKeyFile } from '../core/key-file.js';

const ALGORITHM = 'aes-256-gcm';
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEADER_BYTES = 1 + NONCE_BYTES;

/** Where a sealed value belongs. Bound into the seal, so that a value moved to another place does not open. */
export interface SealedPlace {
  readonly tenantId: string;
  /** The row: a connection's, action's or delivery's id. */
  readonly id: string;
  readonly field: 'credential' | 'webhook_secret' | 'webhook_token' | 'action_input' | 'delivery_body';
}

/** Seals what must not be readable in the database or a backup of it. */
export interface Vault {
  seal(plaintext: string | Buffer, place: SealedPlace): Buffer;
  /** Throws when the bytes were altered, sealed for another place or under another master key. */
  open(sealed: Uint8Array, place: SealedPlace): Buffer;
}

/** AES-256-GCM under the master key. A sealed value is: format (1 byte), nonce (12), ciphertext, tag (16). */
export function createVault(masterKey: Buffer): Vault {
  // Unpacked once: OpenSSL would do it again for every value.
  const key = createSecretKey(masterKey);
  return {
    seal(plaintext, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(aad(place));
      const ciphertext =
        typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
      return Buffer.concat([Buffer.of(FORMAT), nonce, ciphertext, cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, place) {
      if (sealed[0] !== FORMAT || sealed.length < HEADER_BYTES + TAG_BYTES) {
        throw new Error(`${place.field} of ${place.id} is not in the sealed format ${FORMAT}`);
      }
      const tagStart = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, HEADER_BYTES))
        .setAAD(aad(place))
        .setAuthTag(sealed.subarray(tagStart));
      return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, tagStart)), decipher.final()]);
    },
  };
}

/** Lengths are part of it, so that no two places read the same. */
function aad({ tenantId, id, field }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, tenantId, id, field]));
}

/** TRIBUTARY_MASTER_KEY, or outside prod the one made once in the data directory. Throws {@link ConfigError}. */
export function readMasterKey({ TRIBUTARY_MASTER_KEY, TRIBUTARY_DATA_DIR }: Config): Buffer {
  if (TRIBUTARY_MASTER_KEY) return Buffer.from(TRIBUTARY_MASTER_KEY, 'base64');
  const path = join(TRIBUTARY_DATA_DIR, 'master.key');
  const key = Buffer.from(
    readOrCreateKeyFile(path, () => randomBytes(KEY_BYTES).toString('base64')),
    'base64',
  );
  if (key.length === KEY_BYTES) return key;
  // Not made anew: what the lost key has sealed would be lost with it, and nobody told.
  throw new ConfigError(
    `${path}: not a key of ${KEY_BYTES} bytes in base64. Put the right one back; or delete the file for a new key, which opens no stored secret.`,
  );
}
