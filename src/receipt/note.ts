import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';

/**
 * Signed notes, as https://c2sp.org/signed-note has them: a text that ends in a newline, an empty line, and a line for
 * each signature. Ed25519 only; the lines of other keys, such as witnesses', are carried along and not looked at.
 */

/** A text with its signatures, as a string. */
export type SignedNote = string;

/** What a signature is checked against: a name, and the key that may sign under it. */
export interface NoteKey {
  readonly name: string;
  /** 32 bytes, as RFC 8032 encodes a public key. */
  readonly publicKey: Buffer;
}

/** The signature type for Ed25519 over the text of the note. */
const ED25519 = Buffer.of(1);
const KEY_BYTES = 32;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** Verifiers must take 16; more than this is not looked at. */
const MAX_SIGNATURES = 100;

/** Not empty, no Unicode spaces, no plus. */
const NAME = /^[^\s\u0085+]+$/u;
// Everything below U+0020 but the newline.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const SIGNATURE_LINE = /^\u2014 ([^\s\u0085+]+) ([A-Za-z0-9+/]+={0,2})$/u;

/** SHA-256(name || 0x0A || 0x01 || public key), its first four bytes. */
export function keyId({ name, publicKey }: NoteKey): Buffer {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(ED25519)
    .update(publicKey)
    .digest()
    .subarray(0, ID_BYTES);
}

/** The key as one text, `<name>+<id>+<key>`, in the form that tools for signed notes take. */
export function toVerifierKey(key: NoteKey): string {
  const encoded = Buffer.concat([ED25519, key.publicKey]).toString('base64');
  return `${key.name}+${keyId(key).toString('hex')}+${encoded}`;
}

/** Undefined for what is no verifier key of Ed25519, or has another id than its name and key make. */
export function fromVerifierKey(text: string): NoteKey | undefined {
  const [, name = '', id, encoded = ''] =
    /^([^\s\u0085+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== ED25519.length + KEY_BYTES || bytes[0] !== ED25519[0]) return undefined;
  const key = { name, publicKey: bytes.subarray(ED25519.length) };
  return keyId(key).toString('hex') === id ? key : undefined;
}

/** A private key from its seed of 32 bytes: RFC 8032 §5.1.5. */
export function toSigningKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** The 32 bytes of the public key that belongs to a private one. */
export function publicKeyOf(signingKey: KeyObject): Buffer {
  const der = createPublicKey(signingKey).export({ format: 'der', type: 'spki' });
  return der.subarray(SPKI_PREFIX.length);
}

/** What stands before the 32 bytes of an Ed25519 key in DER: RFC 8410 §4 and §7. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Signs a text, which must end in a newline. */
export function signNote(text: string, name: string, signingKey: KeyObject): SignedNote {
  if (!isText(text))
    throw new RangeError('the text of a note ends in a newline and has no control characters');
  if (!NAME.test(name)) throw new RangeError('the name of a key has neither spaces nor plus');
  const id = keyId({ name, publicKey: publicKeyOf(signingKey) });
  const signature = Buffer.concat([id, signBytes(null, Buffer.from(text), signingKey)]);
  return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
}

/**
 * The text of a note, once one of these keys has signed it. Undefined where none has, where one of them has a line
 * that does not verify, and for what is no note.
 */
export function openNote(note: SignedNote, keys: readonly NoteKey[]): string | undefined {
  const parts = splitNote(note);
  if (!parts) return undefined;
  const checks = parts.signatures.flatMap(({ name, bytes }) => {
    const key = keys.find((known) => known.name === name && keyId(known).equals(bytes.subarray(0, ID_BYTES)));
    return key ? [isSignedBy(key, parts.text, bytes.subarray(ID_BYTES))] : [];
  });
  return checks.length > 0 && checks.every(Boolean) ? parts.text : undefined;
}

interface SignatureLine {
  readonly name: string;
  /** The key's id and the signature. */
  readonly bytes: Buffer;
}

function splitNote(note: SignedNote): { text: string; signatures: readonly SignatureLine[] } | undefined {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  if (end < 0 || !isText(text) || !note.endsWith('\n')) return undefined;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures = lines.map(toSignature);
  return signatures.every((line) => line !== undefined) ? { text, signatures } : undefined;
}

function toSignature(line: string): SignatureLine | undefined {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  // Base64 in its one canonical form: two texts must not be one signature.
  return bytes.length > ID_BYTES && bytes.toString('base64') === encoded ? { name, bytes } : undefined;
}

function isText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !CONTROL.test(text);
}

function isSignedBy({ publicKey }: NoteKey, text: string, signature: Buffer): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const der = Buffer.concat([SPKI_PREFIX, publicKey]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verifyBytes(null, Buffer.from(text), key, signature);
}
