/** Upper bounds of the latency buckets in milliseconds; what is slower than the last falls into one more. */
export const latencyBounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

export const emptyLatencies: readonly number[] = Array.from({ length: latencyBounds.length + 1 }, () => 0);

/** The bucket a duration falls into. */
export function bucketOf(milliseconds: number): number {
  const index = latencyBounds.findIndex((bound) => milliseconds <= bound);
  return index === -1 ? latencyBounds.length : index;
}

/**
 * The duration that this share of all calls stayed below, by linear interpolation inside its bucket; null without
 * calls. Calls beyond the last bound count as having taken it.
 */
export function quantile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = latencyBounds[index];
    if (upper === undefined) break;
    if (count > 0 && below + count >= share * total) {
      const lower = latencyBounds[index - 1] ?? 0;
      return lower + ((share * total - below) / count) * (upper - lower);
    }
    below += count;
  }
  return latencyBounds[latencyBounds.length - 1] ?? null;
}
