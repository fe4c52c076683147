import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BulkheadFull, createBulkhead } from './bulkhead.js';
import type { Lane } from './target.js';

/** A bulkhead and work in it that ends when told to. */
function setUp({ slots = 2, queue = 4, waitMs = 5_000 } = {}) {
  const bulkhead = createBulkhead({ slots, queue, waitMs });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const all: Promise<string>[] = [];
  let over = false;
  // What still waits would be refused long after the test, with nobody there to hear it.
  onTestFinished(async () => {
    over = true;
    for (const end of ends.values()) end();
    await Promise.allSettled(all);
  });
  return {
    begun,
    start(label: string, lane: Lane = 'interactive', name = 'a') {
      const work = bulkhead.run(name, lane, async () => {
        begun.push(label);
        if (!over) await new Promise<void>((resolve) => ends.set(label, resolve));
        return label;
      });
      all.push(work);
      return work;
    },
    async end(label: string) {
      ends.get(label)?.();
      // What waited begins within the same turn.
      await new Promise(setImmediate);
    },
  };
}

describe('a bulkhead', () => {
  it('lets so many in at once, and the next when one leaves', async () => {
    const { begun, start, end } = setUp();
    const work = ['1', '2', '3'].map((label) => start(label));
    expect(begun).toEqual(['1', '2']);
    await end('2');
    expect(begun).toEqual(['1', '2', '3']);
    await end('1');
    await end('3');
    expect(await Promise.all(work)).toEqual(['1', '2', '3']);
  });

  it('has slots of its own for each name', async () => {
    const { begun, start } = setUp({ slots: 1 });
    void start('1', 'interactive', 'a');
    void start('2', 'interactive', 'b');
    expect(begun).toEqual(['1', '2']);
  });

  it('lets the more urgent go first, however late they came', async () => {
    const { begun, start, end } = setUp({ slots: 1 });
    void start('first');
    void start('backfill', 'backfill');
    void start('poll', 'poll');
    void start('action', 'interactive');
    await end('first');
    await end('action');
    await end('poll');
    expect(begun).toEqual(['first', 'action', 'poll', 'backfill']);
  });

  it('keeps a backfill from taking every slot', async () => {
    const { begun, start } = setUp({ slots: 10, queue: 20 });
    for (let n = 1; n <= 10; n += 1) void start(`backfill ${n}`, 'backfill');
    expect(begun).toHaveLength(6);
    void start('action');
    expect(begun.at(-1)).toBe('action');
  });

  it('refuses at once when too many wait', async () => {
    const { start, begun } = setUp({ slots: 1, queue: 1 });
    void start('1');
    void start('2');
    await expect(start('3')).rejects.toThrow(BulkheadFull);
    expect(begun).toEqual(['1']);
  });

  it('refuses who has waited too long, and does not let it in later', async () => {
    const { begun, start, end } = setUp({ slots: 1, waitMs: 20 });
    void start('1');
    await expect(start('2')).rejects.toThrow(BulkheadFull);
    await end('1');
    const late = start('3');
    expect(begun).toEqual(['1', '3']);
    await end('3');
    expect(await late).toBe('3');
  });

  it('forgets who has got in: the next waits its own time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { begun, start, end } = setUp({ slots: 1, waitMs: 100 });
    void start('1');
    void start('2');
    vi.advanceTimersByTime(60);
    await end('1');
    void start('3');
    vi.advanceTimersByTime(60);
    await end('2');
    expect(begun).toEqual(['1', '2', '3']);
  });

  it('gives the slot back when the work fails', async () => {
    const bulkhead = createBulkhead({ slots: 1, queue: 0, waitMs: 10 });
    const failing = bulkhead.run('a', 'interactive', () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    expect(await bulkhead.run('a', 'interactive', () => Promise.resolve('well'))).toBe('well');
  });
});
