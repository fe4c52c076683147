import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, emptyLatencies, latencyBounds, quantile } from './latency.js';

describe('quantile', () => {
  it('is null without calls', () => {
    expect(quantile(emptyLatencies, 0.5)).toBeNull();
    expect(quantile([], 0.5)).toBeNull();
  });

  it('interpolates inside a bucket', () => {
    expect(quantile(emptyLatencies.with(bucketOf(80), 10), 0.5)).toBe(75);
  });

  it('lies in the bucket of the true quantile, for any calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1 }),
        fc.constantFrom(0.5, 0.95),
        (calls, share) => {
          const counts = [...emptyLatencies];
          for (const call of calls) counts[bucketOf(call)] = (counts[bucketOf(call)] ?? 0) + 1;
          const sorted = calls.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          const bucket = bucketOf(exact);
          const found = quantile(counts, share) ?? -1;
          expect(found).toBeGreaterThanOrEqual(latencyBounds[bucket - 1] ?? 0);
          expect(found).toBeLessThanOrEqual(latencyBounds[bucket] ?? 0);
        },
      ),
    );
  });

  it('counts what is slower than the last bound as the last bound', () => {
    expect(quantile(emptyLatencies.with(bucketOf(60_000), 1), 0.95)).toBe(10_000);
  });
});
