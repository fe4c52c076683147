import { type KeyObject, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const FORMAT = 2;
const VERSION_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + VERSION_BYTES + NONCE_BYTES;

/** Where a sealed value belongs. Bound into the seal, so that a value moved to another place does not open. */
export interface SealedPlace {
  readonly tenantId: string;
  /** The row: a connection's, action's or delivery's id. */
  readonly id: string;
  readonly field: string;
  /** Which of the values that stand there one after the other, where they are counted. */
  readonly version?: number;
}

/** A tenant's key for data, ready to use. */
export interface DataKey {
  readonly version: number;
  readonly key: KeyObject;
}

/** AES-256-GCM: format (1 byte), version of the data key (4, big-endian), nonce (12), ciphertext, tag (16). */
export function seal({ version, key }: DataKey, plaintext: string | Buffer, place: SealedPlace): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt32BE(version, 1);
  const nonce = randomBytes(NONCE_BYTES);
  nonce.copy(header, 1 + VERSION_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(aad(place, version));
  const ciphertext =
    typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
  return Buffer.concat([header, ciphertext, cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes were altered, or sealed for another place or under another key. */
export function open({ version, key }: DataKey, sealed: Uint8Array, place: SealedPlace): Buffer {
  const tagStart = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1 + VERSION_BYTES, HEADER_BYTES))
    .setAAD(aad(place, version))
    .setAuthTag(sealed.subarray(tagStart));
  return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, tagStart)), decipher.final()]);
}

/** The version of the data key that a value was sealed under. Throws for what is no sealed value. */
export function keyVersionOf(sealed: Uint8Array): number {
  if (sealed[0] !== FORMAT || sealed.length < HEADER_BYTES + TAG_BYTES) {
    throw new Error(`this is not in the sealed format ${FORMAT}`);
  }
  return Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).readUInt32BE(1);
}

/** How every value begins that was sealed under this version of the tenant's key: a filter for SQL. */
export function prefixOf(version: number): Buffer {
  const prefix = Buffer.alloc(1 + VERSION_BYTES);
  prefix.writeUInt8(FORMAT, 0);
  prefix.writeUInt32BE(version, 1);
  return prefix;
}

/** JSON, so that no two places read the same. */
function aad({ tenantId, id, field, version = 0 }: SealedPlace, keyVersion: number): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, tenantId, id, field, version, keyVersion]));
}
