import type { Checkpoint } from './checkpoint.js';
import { type Node, append, fold } from './merkle.js';
import { type TrustedKey, openTrusted, requireThat } from './trust.js';

/** Roots that a witness saw of one log, by the size that the log had. */
export type SeenRoots = ReadonlyMap<number, Buffer>;

/** How many of a witness's checkpoints an export was held against, and how many it leaves open. */
export interface WitnessedCount {
  readonly held: number;
  readonly open: number;
}

/**
 * What a witness saw of the checkpoint's log. Those of other logs are passed over, as a store may hold many. Throws
 * {@link Refutation} for what no trusted key has signed, for nothing of this log, and where the log was rolled back.
 */
export function readWitness(
  notes: readonly string[],
  keys: readonly TrustedKey[],
  { origin, size, root }: Checkpoint,
): SeenRoots {
  const seen = new Map<number, Buffer>();
  for (const note of notes) {
    const checkpoint = openTrusted(note, keys);
    requireThat(checkpoint !== undefined, 'no trusted key has signed a checkpoint of the witness');
    if (checkpoint.origin !== origin) continue;
    const before = seen.get(checkpoint.size);
    const isOne = before === undefined || before.equals(checkpoint.root);
    requireThat(isOne, `the witness holds two logs: two roots of ${checkpoint.size} receipts`);
    seen.set(checkpoint.size, checkpoint.root);
  }
  requireThat(seen.size > 0, 'the witness has no checkpoint of this log');
  const largest = [...seen.keys()].reduce((one, other) => Math.max(one, other));
  const rolledBack = `the log was rolled back: it has ${size} receipts and the witness saw ${largest}`;
  requireThat(largest <= size, rolledBack);
  requireSeen(seen, { size, root });
  return seen;
}

/** Throws {@link Refutation} where the witness saw another root of that size. */
export function requireSeen(seen: SeenRoots, { size, root }: Pick<Checkpoint, 'size' | 'root'>): void {
  requireThat(seen.get(size)?.equals(root) !== false, changed(size));
}

/** Grows the log from its first leaf on, and holds it against what a witness saw. */
export function createPast(seen: SeenRoots) {
  let edge: readonly Node[] = [];
  let size = 0;
  return {
    /** The next leaf's hash. Throws {@link Refutation}. */
    take(hash: Buffer): void {
      edge = append(edge, [hash]).edge;
      size += 1;
      const root = seen.get(size);
      if (root) requireThat(root.equals(fold(edge.map((node) => node.hash))), changed(size));
    },
  };
}

/** Of what a witness saw, how much was looked at: the sizes that pass. */
export function countHeld(seen: SeenRoots, isHeld: (size: number) => boolean): WitnessedCount {
  const held = [...seen.keys()].filter(isHeld).length;
  return { held, open: seen.size - held };
}

function changed(size: number): string {
  return `the log’s first ${size} receipts are not those that the witness saw: its history was changed`;
}
