import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_ROOT,
  type Node,
  type Part,
  append,
  consistencyParts,
  fold,
  inclusionParts,
  leafHash,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.js';

/** The definitions of RFC 9162 §2.1.1, §2.1.3.1 and §2.1.4.1, word by word, over the leaves themselves. */
function sha256(...parts: Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function mth(d: readonly Uint8Array[]): Buffer {
  if (d.length === 0) return sha256(Buffer.alloc(0));
  if (d.length === 1) return sha256(Buffer.of(0), d[0]!);
  const k = split(d.length);
  return sha256(Buffer.of(1), mth(d.slice(0, k)), mth(d.slice(k)));
}

function path(m: number, d: readonly Uint8Array[]): Buffer[] {
  if (d.length <= 1) return [];
  const k = split(d.length);
  return m < k
    ? [...path(m, d.slice(0, k)), mth(d.slice(k))]
    : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}

function subproof(m: number, d: readonly Uint8Array[], isComplete: boolean): Buffer[] {
  if (m === d.length) return isComplete ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), isComplete), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

/** Our tree, with all its nodes in memory, grown in steps of these sizes. */
function grow(leaves: readonly Uint8Array[], steps: readonly number[] = [leaves.length]) {
  const nodes = new Map<string, Buffer>();
  let edge: readonly Node[] = [];
  let start = 0;
  for (const step of [...steps, leaves.length]) {
    const grown = append(edge, leaves.slice(start, start + step).map(leafHash));
    for (const { level, index, hash } of grown.completed) {
      expect(nodes.has(`${level}/${index}`)).toBe(false);
      nodes.set(`${level}/${index}`, hash);
    }
    edge = grown.edge;
    start = Math.min(start + step, leaves.length);
  }
  const hashOf = (part: Part): Buffer =>
    fold(part.map(({ level, index }) => nodes.get(`${level}/${index}`)!));
  return { edge, hashOf, root: (size: number) => hashOf(subtreesOf(0, size)) };
}

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));
const fromHex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The vectors of the Certificate Transparency reference implementation (merkle_tree_test.cc), for trees of 1 to 8. */
const ctLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex);
const ctRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const A = '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7';
const B = '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e';
const C = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';
const D = 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b';
const E = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
const F = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';
const [, TWO, , FOUR] = ctRoots as [string, string, string, string];
const ctInclusion: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [0, 8, [A, B, C]],
  [5, 8, [D, E, FOUR]],
  [2, 3, [TWO]],
  [1, 5, [ctRoots[0]!, B, D]],
];
const ctConsistency: [first: number, second: number, proof: string[]][] = [
  [1, 1, []],
  [1, 8, [A, B, C]],
  [6, 8, [F, E, FOUR]],
  [2, 5, [B, D]],
];

describe('the published vectors', () => {
  const tree = grow(ctLeaves);

  it('have these roots', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(hex(ctRoots.map((_, place) => tree.root(place + 1)))).toEqual(ctRoots);
  });

  it.each(ctInclusion)('include leaf %i in a tree of %i', (index, size, proof) => {
    expect(hex(inclusionParts(index, size).map(tree.hashOf))).toEqual(proof);
    const root = fromHex(ctRoots[size - 1]!);
    expect(verifyInclusion(leafHash(ctLeaves[index]!), index, size, proof.map(fromHex), root)).toBe(true);
  });

  it.each(ctConsistency)('let the tree of %i begin the tree of %i', (first, second, proof) => {
    expect(hex(consistencyParts(first, second).map(tree.hashOf))).toEqual(proof);
    const [one, other] = [first, second].map((size) => ({ size, root: fromHex(ctRoots[size - 1]!) }));
    expect(verifyConsistency(one!, other!, proof.map(fromHex))).toBe(true);
  });
});

const leavesArb = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 130 });
const stepsArb = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 });

describe('against the definitions of the RFC', () => {
  it('a tree has the same root at every size, in whatever steps it grew', () => {
    fc.assert(
      fc.property(leavesArb, stepsArb, (leaves, steps) => {
        const tree = grow(leaves, steps);
        for (let size = 0; size <= leaves.length; size += 1)
          expect(tree.root(size)).toEqual(mth(leaves.slice(0, size)));
        expect(fold(tree.edge.map(({ hash }) => hash))).toEqual(mth(leaves));
        const places = tree.edge.map(({ level, index }) => ({ level, index }));
        expect(places).toEqual(subtreesOf(0, leaves.length));
      }),
      { numRuns: 60 },
    );
  });

  it('a leaf has the same proof, which verifies', () => {
    fc.assert(
      fc.property(leavesArb, fc.nat(), fc.nat(), (leaves, one, other) => {
        const size = 1 + (one % leaves.length);
        const index = other % size;
        const tree = grow(leaves);
        const proof = inclusionParts(index, size).map(tree.hashOf);
        expect(proof).toEqual(path(index, leaves.slice(0, size)));
        expect(verifyInclusion(leafHash(leaves[index]!), index, size, proof, tree.root(size))).toBe(true);
      }),
    );
  });

  it('two sizes have the same proof, which verifies', () => {
    fc.assert(
      fc.property(leavesArb, fc.nat(), (leaves, some) => {
        const first = 1 + (some % leaves.length);
        const tree = grow(leaves);
        const proof = consistencyParts(first, leaves.length).map(tree.hashOf);
        expect(proof).toEqual(subproof(first, leaves, true));
        const [one, other] = [first, leaves.length].map((size) => ({ size, root: tree.root(size) }));
        expect(verifyConsistency(one!, other!, proof)).toBe(true);
      }),
    );
  });

  it('asks for no more than two subtrees a level', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (size, share) => {
          const depth = Math.ceil(Math.log2(size)) + 1;
          expect(inclusionParts(Math.floor(size * share), size).flat().length).toBeLessThanOrEqual(2 * depth);
          expect(consistencyParts(Math.floor(size * share) + 1, size).flat().length).toBeLessThanOrEqual(
            2 * depth,
          );
        },
      ),
    );
  });
});

describe('what is not so', () => {
  const leaves = Array.from({ length: 37 }, (_, place) => Buffer.from(`leaf ${place}`));
  const tree = grow(leaves);

  it('no other leaf, index, size, root or proof verifies', () => {
    for (const index of leaves.keys()) {
      const proof = inclusionParts(index, 37).map(tree.hashOf);
      const own = leafHash(leaves[index]!);
      const root = tree.root(37);
      const verify = (leaf: Buffer, at: number, size: number, hashes: readonly Buffer[], to = root) =>
        verifyInclusion(leaf, at, size, hashes, to);
      expect(verify(own, index, 37, proof)).toBe(true);
      expect(verify(leafHash(Buffer.from('another')), index, 37, proof)).toBe(false);
      expect(verify(own, (index + 1) % 37, 37, proof)).toBe(false);
      expect(verify(own, index, 37, proof, tree.root(36))).toBe(false);
      expect(verify(own, index, 37, proof.slice(1))).toBe(false);
      expect(verify(own, index, 37, [...proof, root])).toBe(false);
      expect(verify(own, 37 + index, 37, proof)).toBe(false);
      for (const place of proof.keys()) expect(verify(own, index, 37, proof.with(place, own))).toBe(false);
    }
  });

  it('no other history verifies', () => {
    const forged = grow(leaves.with(3, Buffer.from('another')));
    const second = { size: 37, root: tree.root(37) };
    for (let size = 1; size < 37; size += 1) {
      const first = { size, root: tree.root(size) };
      const proof = consistencyParts(size, 37).map(tree.hashOf);
      const forgedProof = consistencyParts(size, 37).map(forged.hashOf);
      const forgedSecond = { size: 37, root: forged.root(37) };
      expect(verifyConsistency(first, second, proof)).toBe(true);
      // Up to the change both histories are the same.
      expect(verifyConsistency(first, forgedSecond, forgedProof)).toBe(size <= 3);
      expect(verifyConsistency({ size, root: forged.root(37) }, second, proof)).toBe(false);
      expect(verifyConsistency(second, first, proof)).toBe(false);
      expect(verifyConsistency(first, second, [...proof, second.root])).toBe(false);
      expect(verifyConsistency(first, second, proof.slice(1))).toBe(false);
    }
  });

  it('refuses what is outside the tree', () => {
    expect(() => inclusionParts(3, 3)).toThrow(RangeError);
    expect(() => inclusionParts(-1, 3)).toThrow(RangeError);
    expect(() => consistencyParts(0, 3)).toThrow(RangeError);
    expect(() => consistencyParts(4, 3)).toThrow(RangeError);
  });
});
