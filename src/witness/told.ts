import type { Judgement } from './judge.js';

/** What came of telling a witness. */
export type Told =
  | { readonly is: 'taken' }
  /** It was not taken, and is to be tried again later; from this size where the witness said how far it is. */
  | { readonly is: 'failed'; readonly problem: string; readonly knownSize?: number }
  | { readonly is: 'conflict'; readonly conflict: string };

/** Holds what a witness has against the log. */
export type Judge = (seen: string) => Promise<Judgement>;

/** For what does not answer within it, milliseconds. */
export const DEADLINE_MS = 5_000;
