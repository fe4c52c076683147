import { type KeyObject, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DATA_KEY_BYTES, type DataKeyName } from './key-provider.js';

const ALGORITHM = 'aes-256-gcm';
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/** How long a sealed data key is. */
export const SEALED_KEY_BYTES = HEADER_BYTES + DATA_KEY_BYTES + TAG_BYTES;

/** AES-256-GCM, bound to the name: format (1 byte), nonce (12), ciphertext, tag (16). */
export function sealKey(sealingKey: KeyObject | Buffer, key: Buffer, name: DataKeyName): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, sealingKey, nonce).setAAD(bytesOfName(name));
  const ciphertext = [cipher.update(key), cipher.final()];
  return Buffer.concat([Buffer.of(FORMAT), nonce, ...ciphertext, cipher.getAuthTag()]);
}

/** Throws when the bytes were altered, sealed for another name or under another key. */
export function openKey(sealingKey: KeyObject | Buffer, sealed: Buffer, name: DataKeyName): Buffer {
  if (sealed[0] !== FORMAT || sealed.length !== SEALED_KEY_BYTES) {
    throw new Error(`not a data key in the sealed format ${FORMAT}`);
  }
  const tagStart = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, sealingKey, sealed.subarray(1, HEADER_BYTES))
    .setAAD(bytesOfName(name))
    .setAuthTag(sealed.subarray(tagStart));
  return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, tagStart)), decipher.final()]);
}

/** The name as additional authenticated data. JSON quotes the parts, so that no two names read the same. */
export function bytesOfName({ tenantId, version }: DataKeyName): Buffer {
  return Buffer.from(JSON.stringify(['tributary-data-key', tenantId, version]));
}
