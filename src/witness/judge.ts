import type { Db } from '../core/db.js';
import { openCheckpoint } from '../receipt/checkpoint.js';
import type { CheckpointKeys } from '../receipt/signing-key.js';
import { originIn, readRoot, readSize } from './news.js';

/** What a witness has seen of a log, held against the log as it is. */
export type Judgement =
  /** It is the log's past: the witness can be told from there. */
  | { readonly is: 'past'; readonly size: number }
  /** The log is not, or no longer, what the witness saw. */
  | { readonly is: 'conflict'; readonly conflict: string }
  | { readonly is: 'unclear' };

export interface JudgeDeps {
  readonly db: Db;
  readonly keys: Pick<CheckpointKeys, 'list'>;
}

/** A decimal alone, as https://c2sp.org/tlog-witness answers one. */
const SIZE = /^(0|[1-9]\d{0,15})\n?$/;
/** The second line of a checkpoint. */
const NOTE_SIZE = /^[^\n]+\n(0|[1-9]\d{0,15})\n/;

/**
 * Takes a checkpoint, or merely a tree's size. What the witness shows with a signature of ours is proof; what it only
 * says is believed as well, since it is the tenant's or the operator's own witness, and told apart in the words.
 *
 * The log is measured by its leaves, not by its newest checkpoint: a crash of the database may take that, never those.
 */
export async function judgeSeen(
  { db, keys }: JudgeDeps,
  tenantId: string,
  origin: string,
  seen: string,
): Promise<Judgement> {
  const publicKeys = (await keys.list()).map(({ publicKey }) => publicKey);
  const opened = openCheckpoint(seen, publicKeys);
  const shown = opened?.origin === origin ? opened : undefined;
  const size = shown?.size ?? sizeIn(seen, origin);
  if (size === undefined) return { is: 'unclear' };
  return db.for({ tenantId }).transactional(async (transaction): Promise<Judgement> => {
    const known = await readSize(transaction);
    if (size > known) return { is: 'conflict', conflict: rolledBack(size, known, shown !== undefined) };
    if (!shown || size === 0) return { is: 'past', size };
    const root = await readRoot(transaction, tenantId, size);
    return root?.equals(shown.root) ? { is: 'past', size } : { is: 'conflict', conflict: rewritten(size) };
  });
}

/** What is claimed without a signature that we know. Undefined where it is of another log, or nothing of the kind. */
function sizeIn(seen: string, origin: string): number | undefined {
  const text = SIZE.exec(seen)?.[1] ?? (originIn(seen) === origin ? NOTE_SIZE.exec(seen)?.[1] : undefined);
  const size = Number(text);
  return text !== undefined && Number.isSafeInteger(size) ? size : undefined;
}

function rolledBack(seen: number, known: number, isShown: boolean): string {
  const evidence = isShown
    ? 'It holds a checkpoint of that, signed by a key of this deployment.'
    : 'It shows no checkpoint of that which a key known here has signed.';
  return `The witness saw ${seen} receipts, and the log has ${known}: it was rolled back. ${evidence}`;
}

function rewritten(size: number): string {
  return `The witness holds a checkpoint of ${size} receipts, signed by a key of this deployment, and those that are in the log now are others: its history was changed.`;
}
