import { join } from 'node:path';
import { startTributary } from './tributary.js';

export interface Starts {
  /** Seconds with an empty data dir: the database is made and migrated. */
  readonly first: readonly number[];
  /** Seconds of the start after that. */
  readonly later: readonly number[];
}

/** Starts Tributary on its embedded PostgreSQL, twice in each of `count` fresh data dirs. */
export async function measureStarts(checkout: string, folder: string, count: number): Promise<Starts> {
  const first: number[] = [];
  const later: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const dataDir = join(folder, `start-${n}`);
    for (const seconds of [first, later]) {
      const tributary = await startTributary({ checkout, dataDir });
      seconds.push(tributary.startSeconds);
      await tributary.stop();
    }
  }
  return { first, later };
}
