import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../core/log.js';
import { type Compressor, createCompressor } from './compressor.js';

function useCompressor() {
  const warn = vi.fn<Log['warn']>();
  const compressor = createCompressor({ warn });
  onTestFinished(() => compressor.close());
  return { compressor, warn };
}

/** Each another one, some of which can't be made smaller, and one that is empty. */
function bodiesOf(count: number, length = 3_000): Buffer[] {
  return Array.from({ length: count }, (_, n) => {
    if (n === 1) return Buffer.alloc(0);
    return n % 3 === 0 ? randomBytes(length) : Buffer.from(`{"n":${n}}`.repeat(length / 8));
  });
}

async function expectBack(compressor: Compressor, bodies: readonly Buffer[]): Promise<void> {
  const compressed = await Promise.all(bodies.map((body) => compressor.compress(body)));
  for (const [index, bytes] of compressed.entries()) {
    expect(zstdDecompressSync(bytes).equals(bodies[index] as Buffer), `body ${index}`).toBe(true);
  }
}

describe('the compressor', () => {
  it.each([1, 3, 4, 200])('gives each of %i that come together its own', async (count) => {
    const { compressor, warn } = useCompressor();
    await expectBack(compressor, bodiesOf(count));
    await expectBack(compressor, bodiesOf(count));
    expect(warn).not.toHaveBeenCalled();
  });

  it('takes what comes while others are under way', async () => {
    const { compressor, warn } = useCompressor();
    const all = Array.from({ length: 20 }, async (_, n) => {
      for (let turn = 0; turn < n; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await expectBack(compressor, bodiesOf(n + 1));
    });
    await Promise.all(all);
    expect(warn).not.toHaveBeenCalled();
  });

  it('says how long a body is, so that whoever opens it needs no more memory than that', async () => {
    const { compressor } = useCompressor();
    const compressed = await Promise.all(bodiesOf(5, 1_000_000).map((body) => compressor.compress(body)));
    // RFC 8878 §3.1.1.1.1: a content size is there when either of these is set.
    for (const bytes of compressed) expect((bytes[4] ?? 0) & 0b1110_0000).not.toBe(0);
  });

  it('loses nothing when its thread ends, and starts another', async () => {
    const { compressor, warn } = useCompressor();
    const bodies = bodiesOf(50, 200_000);
    const all = expectBack(compressor, bodies);
    await new Promise((resolve) => setImmediate(resolve));
    await compressor.close();
    await all;
    expect(warn).toHaveBeenCalledTimes(1);
    await expectBack(compressor, bodies);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['many small ones', 4_000, 10_000],
    ['a large one', 1, 25_000_000],
    ['more than one message takes', 20, 2_000_000],
  ])('leaves the event loop to others: %s', async (_, count, length) => {
    const { compressor } = useCompressor();
    const bodies = Array.from({ length: count }, () => Buffer.from('{"n":1}\n'.repeat(length / 8)));
    // Once, so that the thread is there.
    await expectBack(compressor, bodiesOf(4));
    let hadTheirTurn = false;
    setImmediate(() => (hadTheirTurn = true));
    const compressed = await Promise.all(bodies.map((body) => compressor.compress(body)));
    // Compressed here they would all have been done before anybody's next turn.
    expect(hadTheirTurn).toBe(true);
    for (const bytes of compressed) expect(zstdDecompressSync(bytes).equals(bodies[0] as Buffer)).toBe(true);
  });
});
