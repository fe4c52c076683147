import type { KeyObject } from 'node:crypto';
import { HASH_BYTES, type TreeHead } from './merkle.js';
import { type NoteKey, type SignedNote, openNote, signNote } from './note.js';

/** A tree's size and root, signed for: https://c2sp.org/tlog-checkpoint. One key signs for many logs, each by its origin. */
export interface Checkpoint extends TreeHead {
  /** Which log: see {@link originOf}. It is the name of the signing key as well. */
  readonly origin: string;
}

/** Three lines; more, which the format advises against, are none of ours. */
const TEXT = /^(?<origin>[^\s\u0085+]+)\n(?<size>0|[1-9]\d{0,15})\n(?<root>[A-Za-z0-9+/]{43}=)\n$/u;

/**
 * The name of a tenant's log: a URL without a scheme, such as `tributary.example.com/receipts/acme`. The tenant's id is
 * percent-encoded, so that no two share a name.
 */
export function originOf(host: string, tenantId: string): string {
  return `${host}/receipts/${encodeURIComponent(tenantId)}`;
}

/** What names of logs begin with where nothing else was chosen: the host that people reach this deployment at. */
export function hostOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? 'localhost' : new URL(publicUrl).host;
}

/** The tenant whose log an origin names; undefined where it names none of ours. */
export function tenantOf(origin: string): string | undefined {
  const encoded = /\/receipts\/([^/]+)$/.exec(origin)?.[1];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    // No percent-encoding of ours.
    return undefined;
  }
}

export function signCheckpoint({ origin, size, root }: Checkpoint, signingKey: KeyObject): SignedNote {
  return signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, origin, signingKey);
}

/**
 * What a checkpoint says, once one of these public keys (32 bytes each) has signed it under the checkpoint's own
 * origin. Undefined for anything else.
 */
export function openCheckpoint(note: SignedNote, publicKeys: readonly Buffer[]): Checkpoint | undefined {
  const claimed = note.slice(0, note.indexOf('\n'));
  const keys: NoteKey[] = publicKeys.map((publicKey) => ({ name: claimed, publicKey }));
  const text = openNote(note, keys);
  return text === undefined ? undefined : readText(text);
}

function readText(text: string): Checkpoint | undefined {
  const { origin = '', size = '', root = '' } = TEXT.exec(text)?.groups ?? {};
  const hash = Buffer.from(root, 'base64');
  const isCanonical = hash.length === HASH_BYTES && hash.toString('base64') === root;
  if (!isCanonical || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: hash };
}
