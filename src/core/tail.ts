import type { Caller } from './caller.js';
import type { Db } from './db.js';
import type { Hints } from './hints.js';
import { findHorizon, requireKept } from './horizon.js';
import type { Log } from './log.js';
import { type Numbered, PAGE, type TailTable, currentEdge, readAfter, readTable } from './tail-table.js';

/** The live reading of such a table, once per process for all its subscribers. */
export interface Tail<T extends Numbered, F> {
  /**
   * Every matching row of the caller's tenant after `after` (a sequence; absent: from now on), each once, in commit
   * order, first what was missed, then live. Ends when the consumer returns it or the tail closes. Throws
   * CURSOR_EXPIRED as soon as a row that it would have told is deleted, instead of leaving it out.
   */
  subscribe(caller: Pick<Caller, 'tenantId'>, filter: F, after?: string): TailStream<T>;
  close(): Promise<void>;
}

/** The rows of a subscription, one by one, or as many together as there are. */
export interface TailStream<T> extends AsyncIterableIterator<T> {
  /** Takes what follows at once, so many at most, as if asked for one by one; none where the next would be waited for. */
  takeReady(most: number): readonly T[];
}

/** What every tail works with. */
export interface TailDeps {
  readonly db: Db;
  readonly log: Log;
  /** Where hints at new rows are heard, if not by NOTIFY alone. */
  readonly hints?: Pick<Hints, 'listen'> | undefined;
  /** How long a lost hint can go unnoticed. */
  readonly selfCheckMs?: number;
  /** Rows kept in memory per tenant and filter with subscribers; who falls further behind reads from the table again. */
  readonly windowSize?: number;
}

/**
 * The newest rows of one tenant that one filter lets through, kept while there are subscribers of both: what a filter
 * says of a row is asked once, however many have it. Complete from `since` (exclusive) up to the tail's edge: a
 * subscriber inside the window takes from it, one before it reads the table.
 */
interface Window<T, F> {
  /** Its place among the windows. */
  readonly key: string;
  readonly tenantId: string;
  readonly filter: F;
  since: bigint;
  readonly rows: { readonly sequence: bigint; readonly row: T }[];
  /** Those who were told all there was. */
  readonly waiting: Set<Reader>;
  subscribers: number;
}

/**
 * A subscription as long as it lasts. Not an AbortSignal of its own: to listen to one and to stop it, for each row of
 * each subscriber, takes longer than all else here.
 */
interface Reader<T = unknown> {
  isOver: boolean;
  /** Ends a wait: with all up to where there was nothing, just before there is. */
  wake(told: bigint): void;
  /** What was found together, and how much of it is handed on. */
  ready: readonly T[];
  taken: number;
}

/**
 * Subscribers hold no queue: each is a position in the order of commits and pulls from there, from the tenant's window
 * in memory or, when it is too far behind, from the table. So a slow one costs nothing, and there is no seam between
 * what was missed and what is live that a row could fall into or come out of twice.
 */
export async function createTail<T extends Numbered, F>(
  { db, log, hints = db, selfCheckMs = 1_000, windowSize = 1_000 }: TailDeps,
  table: TailTable<T, F>,
): Promise<Tail<T, F>> {
  /** By tenant and filter. */
  const windows = new Map<string, Window<T, F>>();
  /** Everything up to here has been read into the windows. */
  let edge = 0n;
  let isReading = false;
  let isHinted = false;
  const closing = new AbortController();
  const readers = new Set<Reader>();

  /** Reads what is new until there is nothing new. Hints that come meanwhile cause one more look. */
  async function read(): Promise<void> {
    isHinted = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isHinted && !closing.signal.aborted) {
        isHinted = false;
        if (await readPage()) isHinted = true;
      }
    } catch (error) {
      const { message } = error as Error;
      log.warn({ error: message }, `${table.name}: could not read; trying again with the next check`);
    } finally {
      isReading = false;
    }
  }

  /** True when the page was full, so that there may be more. */
  async function readPage(): Promise<boolean> {
    const known = new Set(windows.values());
    const tenants = [...new Set(Array.from(known, ({ tenantId }) => tenantId))];
    const target = await currentEdge(db, table);
    if (target <= edge) return false;
    const { rows, isLost } = await readAfter(db, table, edge, tenants);
    table.onRead?.(rows);
    const isFull = rows.length === PAGE;
    const newest = BigInt(rows.at(-1)?.sequence ?? 0);
    const told = edge;
    // A short page has everything that was committed when it was read, so at least everything up to the target.
    edge = isFull ? newest : max(target, newest);
    const byTenant = Map.groupBy(rows, ({ tenantId }) => tenantId);
    for (const window of windows.values()) {
      if (known.has(window) && !isLost) {
        take(window, byTenant.get(window.tenantId) ?? [], told);
      } else {
        // One that came while the page was read is complete only from here, and so is each when something was deleted
        // before it was read: subscribers look in the table, and are told there if it was theirs.
        window.rows.length = 0;
        window.since = edge;
        announce(window, told);
      }
    }
    return isFull;
  }

  function take(window: Window<T, F>, rows: readonly T[], told: bigint): void {
    const matching = rows.filter((row) => table.matches(window.filter, row));
    if (matching.length === 0) return;
    for (const row of matching) window.rows.push({ sequence: BigInt(row.sequence), row });
    announce(window, told);
  }

  function announce(window: Window<T, F>, told: bigint): void {
    const surplus = window.rows.length - windowSize;
    if (surplus > 0) window.since = window.rows.splice(0, surplus).at(-1)?.sequence ?? window.since;
    for (const reader of window.waiting) reader.wake(told);
    window.waiting.clear();
  }

  function enter(tenantId: string, filter: F, reader: Reader): Window<T, F> {
    const key = keyOf(tenantId, filter);
    const waiting = new Set<Reader>();
    const window = windows.get(key) ?? {
      key,
      tenantId,
      filter,
      since: edge,
      rows: [],
      waiting,
      subscribers: 0,
    };
    windows.set(key, window);
    readers.add(reader);
    window.subscribers += 1;
    return window;
  }

  function leave(window: Window<T, F>, reader: Reader): void {
    window.waiting.delete(reader);
    readers.delete(reader);
    window.subscribers -= 1;
    if (window.subscribers === 0) windows.delete(window.key);
  }

  async function* follow(
    tenantId: string,
    filter: F,
    after: string | undefined,
    reader: Reader<T>,
  ): AsyncGenerator<T, void> {
    // Before it is there: what nobody waited for is not read.
    if (windows.size === 0) void read();
    const window = enter(tenantId, filter, reader);
    let isCounted = false;
    try {
      // "From now on" is what is committed now, which this process may not have read yet.
      let position = after === undefined ? await currentEdge(db, table) : BigInt(after);
      // Counted once it has its place: whoever sees the count may rely on what comes from then on being told.
      isCounted = true;
      table.subscribers?.inc();
      while (!reader.isOver && !closing.signal.aborted) {
        const found = await (position < window.since
          ? findMissed(window, position)
          : findNews(window, position, reader));
        [reader.ready, reader.taken] = [found.rows, 0];
        while (reader.taken < reader.ready.length) yield reader.ready[reader.taken++] as T;
        position = max(position, found.upTo);
      }
    } finally {
      if (isCounted) table.subscribers?.dec();
      leave(window, reader);
    }
  }

  async function findMissed({ tenantId, filter }: Window<T, F>, position: bigint): Promise<Found<T>> {
    const reached = edge;
    const { rows, upTo } = await readTable(db, table, tenantId, filter, position);
    if (table.list) requireKept(table.list, position, await findHorizon(db, table.list, { tenantId }));
    return { rows, upTo: max(BigInt(rows.at(-1)?.sequence ?? 0), upTo ?? reached) };
  }

  async function findNews(window: Window<T, F>, position: bigint, reader: Reader): Promise<Found<T>> {
    const news = window.rows.slice(firstAfter(window.rows, position));
    // Whatever came meanwhile and did not match is behind who waited, and may be deleted.
    return {
      rows: news.map(({ row }) => row),
      upTo: news.at(-1)?.sequence ?? (await nextNews(window, reader)),
    };
  }

  edge = await currentEdge(db, table);
  // Without subscribers nothing is worth a query: the first one has the edge moved to where it is then.
  const stopListening = await hints.listen(table.channel, () => void (windows.size > 0 && read()));
  const selfCheck = setInterval(() => void (windows.size > 0 && read()), selfCheckMs);

  return {
    subscribe: ({ tenantId }, filter, after) =>
      cancellable((reader) => follow(tenantId, filter, after, reader)),
    async close() {
      closing.abort();
      for (const reader of readers) end(reader);
      clearInterval(selfCheck);
      await stopListening();
    },
  };
}

/** Filters that say the same in another order are two, which costs a second look and nothing else. */
function keyOf(tenantId: string, filter: unknown): string {
  return JSON.stringify([tenantId, filter]);
}

/** Matching rows behind a position, and up to where there are no others. */
interface Found<T> {
  readonly rows: readonly T[];
  readonly upTo: bigint;
}

/** Resolves when a row comes that matches, with all up to where there was none; or when the subscription ends, with 0. */
function nextNews({ waiting }: { readonly waiting: Set<Reader> }, reader: Reader): Promise<bigint> {
  return new Promise((resolve) => {
    reader.wake = resolve;
    waiting.add(reader);
  });
}

function end(reader: Reader): void {
  reader.isOver = true;
  [reader.ready, reader.taken] = [[], 0];
  reader.wake(0n);
}

/** Index of the first entry beyond the position; binary search, as windows are sorted. */
function firstAfter(entries: readonly { readonly sequence: bigint }[], position: bigint): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.sequence ?? 0n) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A generator that waits can't be returned: `return()` would wait with it. So `return()` first ends the wait, which
 * is what lets a closed socket free its subscription at once.
 */
function cancellable<T>(make: (reader: Reader<T>) => AsyncGenerator<T, void>): TailStream<T> {
  const reader: Reader<T> = { isOver: false, wake() {}, ready: [], taken: 0 };
  const stream = make(reader);
  return {
    next: () => stream.next(),
    takeReady(most) {
      const next = reader.ready.slice(reader.taken, reader.taken + most);
      reader.taken += next.length;
      return next;
    },
    async return() {
      end(reader);
      return stream.return();
    },
    throw(error) {
      end(reader);
      return stream.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
