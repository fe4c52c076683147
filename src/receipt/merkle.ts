import { hash as digest } from 'node:crypto';

/**
 * The Merkle tree of RFC 9162 §2.1, the same that RFC 6962 §2.1 defines: SHA-256, leaves behind 0x00, inner nodes behind
 * 0x01. Pure arithmetic over the places of nodes; whoever calls reads the hashes from where he keeps them.
 *
 * Kept are complete subtrees only. They never change, and every proof is made of O(log n) of them.
 */

export const HASH_BYTES = 32;

const LEAF_PREFIX = Buffer.of(0);
const NODE_PREFIX = Buffer.of(1);

/** A complete subtree: the leaves from `index · 2^level` to `(index + 1) · 2^level`, exclusive. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** A subtree with its root. */
export interface Node extends Subtree {
  readonly hash: Buffer;
}

/**
 * One hash of a proof, by the complete subtrees it is made of, from left to right. Most are one subtree; those at the
 * tree's right edge are folded from several by {@link fold}.
 */
export type Part = readonly Subtree[];

/** MTH({}): what an empty tree has for a root. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** MTH({d}) = SHA-256(0x00 || d). */
export function leafHash(leaf: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, leaf]));
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE_PREFIX, left, right]));
}

function sha256(bytes: Uint8Array): Buffer {
  return digest('sha256', bytes, 'buffer');
}

/** The complete subtrees of the leaves from `from` to `to`, exclusive; the largest that fit, from left to right. */
export function subtreesOf(from: number, to: number): Subtree[] {
  const found: Subtree[] = [];
  for (let start = from; start < to;) {
    let level = 0;
    while (start % 2 ** (level + 1) === 0 && start + 2 ** (level + 1) <= to) level += 1;
    found.push({ level, index: start / 2 ** level });
    start += 2 ** level;
  }
  return found;
}

/** The hash of a range of leaves out of the roots of its {@link subtreesOf}. Without any: {@link EMPTY_ROOT}. */
export function fold(hashes: readonly Buffer[]): Buffer {
  const [last, ...before] = hashes.toReversed();
  if (!last) return EMPTY_ROOT;
  return before.reduce((right, left) => nodeHash(left, right), last);
}

/**
 * Appends leaves to a tree that ends in these subtrees ({@link subtreesOf} 0 and its size). Answers every subtree that
 * is complete from now on, leaves included, and what the larger tree ends in.
 */
export function append(
  edge: readonly Node[],
  leaves: readonly Buffer[],
): { readonly completed: readonly Node[]; readonly edge: readonly Node[] } {
  const grown = [...edge];
  const completed: Node[] = [];
  let size = edge.reduce((sum, { level }) => sum + 2 ** level, 0);
  for (const hash of leaves) {
    let node: Node = { level: 0, index: size, hash };
    completed.push(node);
    while (node.index % 2 === 1) {
      const left = grown.pop();
      if (!left) throw new RangeError('a tree of this size ends in more subtrees than were given');
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left.hash, node.hash) };
      completed.push(node);
    }
    grown.push(node);
    size += 1;
  }
  return { completed, edge: grown };
}

/** PATH(index, D[size]) of RFC 9162 §2.1.3.1: what joins a leaf to the root. */
export function inclusionParts(index: number, size: number): Part[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const parts: Part[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      parts.push(subtreesOf(middle, to));
      to = middle;
    } else {
      parts.push(subtreesOf(from, middle));
      from = middle;
    }
  }
  return parts.toReversed();
}

/** PROOF(first, D[second]) of RFC 9162 §2.1.4.1: what shows that the smaller tree is the beginning of the larger one. */
export function consistencyParts(first: number, second: number): Part[] {
  if (!(first >= 1 && first <= second))
    throw new RangeError(`no tree of ${first} begins a tree of ${second}`);
  const parts: Part[] = [];
  let [from, to] = [0, second];
  // Down to where the smaller tree's right edge meets a subtree of the larger one.
  while (to !== first) {
    const middle = from + splitOf(to - from);
    if (first <= middle) {
      parts.push(subtreesOf(middle, to));
      to = middle;
    } else {
      parts.push(subtreesOf(from, middle));
      from = middle;
    }
  }
  // The verifier has the smaller tree's root already; it is told only where the edge is not that whole tree.
  if (from !== 0) parts.push(subtreesOf(from, to));
  return parts.toReversed();
}

/** The largest power of two smaller than the size. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The algorithm of RFC 9162 §2.1.3.2: whether the leaf of this hash is at this index of the tree with this root. */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size))
    return false;
  let [place, last, reached] = [index, size - 1, leaf];
  for (const hash of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      reached = nodeHash(hash, reached);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      reached = nodeHash(reached, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && reached.equals(root);
}

/** A tree by its size and root. */
export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/** The algorithm of RFC 9162 §2.1.4.2: whether the first tree is the beginning of the second. */
export function verifyConsistency(first: TreeHead, second: TreeHead, proof: readonly Buffer[]): boolean {
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  if (!(first.size >= 1 && first.size < second.size)) return false;
  const isWhole = Number.isInteger(Math.log2(first.size));
  const [start, ...path] = isWhole ? [first.root, ...proof] : proof;
  if (!start) return false;
  let [place, last] = [first.size - 1, second.size - 1];
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  let [older, newer] = [start, start];
  for (const hash of path) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      [older, newer] = [nodeHash(hash, older), nodeHash(hash, newer)];
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      newer = nodeHash(newer, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && older.equals(first.root) && newer.equals(second.root);
}

function half(place: number): number {
  return Math.floor(place / 2);
}
