import { setTimeout as delay } from 'node:timers/promises';

/**
 * Work through rows that are due, for jobs that have thousands of them: one job of the scheduler looks every second
 * and claims what is due, instead of one job for each row (docs/decisions/claimed-rows.md).
 *
 * The table keeps `due_at`, `lease_until`, `fence` and `attempts`. A claim is one statement of the table's own door:
 *
 *     update polls set lease_until = now() + lease, fence = fence + 1, attempts = attempts + 1
 *     where id in (select id from polls where due_at <= now() and (lease_until is null or lease_until <= now())
 *                  order by due_at limit n for update skip locked)
 *     returning …
 *
 * and what a row's work writes is written in one transaction with `update … set due_at = next, lease_until = null,
 * attempts = 0 where id = … and fence = …`, which must have found the row: else another process has taken it over.
 *
 * Rows begin at a random moment of their interval, and the next is whole intervals after `due_at`, not after now: so
 * they stay spread over it, also when all of them were late.
 */
export interface DueWork<Row> {
  /** Claims at most so many rows for this process; fewer than asked for means that no more are due. */
  claim(limit: number): Promise<readonly Row[]>;
  /** Works on one row, fenced. What it throws is reported and stops nothing else: the row is due again by its lease. */
  work(row: Row, signal: AbortSignal): Promise<void>;
  failed(row: Row, error: unknown): void;
  /** Rows worked on at once. */
  readonly concurrency: number;
  /** The lease of a claim. Each row's signal aborts before it is over. */
  readonly leaseMs: number;
  /** Aborts when no more may be claimed; the signal of every row aborts with it. */
  readonly signal: AbortSignal;
  /** How long until it claims again while slow rows keep it here. */
  readonly lookMs?: number;
}

/** What is still worked on when a lease runs out may collide with whoever claims it next. */
const LEASE_SHARE = 0.8;
const LOOK_MS = 1_000;

/**
 * Claims and works until nothing is due and nothing is under way; answers how many rows it claimed. A slow row holds
 * one place and nobody up. Throws what a claim throws, once the rows that were claimed before are done.
 */
export async function workDue<Row>(options: DueWork<Row>): Promise<number> {
  const { claim, concurrency, signal, lookMs = LOOK_MS } = options;
  const underWay = new Set<Promise<void>>();
  const over = new AbortController();
  let claimed = 0;
  let pause: Promise<void> | undefined;
  try {
    for (;;) {
      const room = concurrency - underWay.size;
      // Half of the places at least: a claim for every row that ends would cost more than the rows.
      if (!signal.aborted && !pause && room * 2 >= concurrency) {
        const rows = await claim(room);
        claimed += rows.length;
        for (const row of rows) {
          const work = workOne(options, row).finally(() => underWay.delete(work));
          underWay.add(work);
        }
        const isAll = rows.length < room;
        if (isAll && underWay.size === 0) return claimed;
        if (isAll) pause = pauseOf(lookMs, over.signal).finally(() => (pause = undefined));
      }
      if (underWay.size === 0 && (pause || signal.aborted)) return claimed;
      await Promise.race(pause ? [...underWay, pause] : underWay);
    }
  } finally {
    over.abort();
    await Promise.all(underWay);
  }
}

async function pauseOf(milliseconds: number, over: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: over }).catch(() => {});
}

async function workOne<Row>({ work, failed, signal, leaseMs }: DueWork<Row>, row: Row): Promise<void> {
  const inTime = AbortSignal.timeout(leaseMs * LEASE_SHARE);
  try {
    await work(row, AbortSignal.any([signal, inTime]));
  } catch (error) {
    failed(row, error);
  }
}
