import { type Checkpoint, openCheckpoint } from './checkpoint.js';
import { fromVerifierKey } from './note.js';

/** A key that checkpoints may be signed by, as the deployment publishes it or as one has kept it. */
export interface TrustedKey {
  /** 32 bytes: RFC 8032. */
  readonly publicKey: Buffer;
  /** The only log it is trusted for; absent: for any. */
  readonly origin?: string;
}

/** A key in one of the forms people have them: a verifier key of signed notes, or 32 bytes in base64. */
export function parseKey(text: string): TrustedKey | undefined {
  const named = fromVerifierKey(text);
  if (named) return { publicKey: named.publicKey, origin: named.name };
  const publicKey = Buffer.from(text, 'base64');
  return publicKey.length === 32 && publicKey.toString('base64') === text ? { publicKey } : undefined;
}

/** What a checkpoint says, once one of the keys has signed it that is trusted for its log. */
export function openTrusted(note: unknown, keys: readonly TrustedKey[]): Checkpoint | undefined {
  if (typeof note !== 'string') return undefined;
  for (const { publicKey, origin } of keys) {
    const checkpoint = openCheckpoint(note, [publicKey]);
    if (checkpoint && (origin === undefined || origin === checkpoint.origin)) return checkpoint;
  }
  return undefined;
}

/** Something is not as it must be; the message says what. */
export class Refutation extends Error {}

/** Throws {@link Refutation}. */
export function requireThat(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Refutation(problem);
}
