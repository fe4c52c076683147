import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { type SignalFilter, matches, toWhere } from './filter.js';
import { Signal } from './signal.entity.js';

/** The live reading of the journal, once per process for all its subscribers. */
export interface Feed {
  /**
   * Every matching signal of the caller's tenant after `after` (a sequence; absent: from now on), each once, in
   * commit order, first what was missed, then live. Ends when the consumer returns it or the feed closes.
   */
  subscribe(
    caller: Pick<Caller, 'tenantId'>,
    filter: SignalFilter,
    after?: string,
  ): AsyncIterableIterator<Signal>;
  close(): Promise<void>;
}

export interface FeedDeps {
  readonly db: Db;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long a lost hint can go unnoticed. */
  readonly selfCheckMs?: number;
  /** Signals kept in memory per tenant with subscribers; who falls further behind reads from the table again. */
  readonly windowSize?: number;
}

const PAGE = 500;

/**
 * The newest signals of one tenant, kept while it has subscribers. Complete from `since` (exclusive) up to the
 * feed's edge: a subscriber inside the window takes from it, one before it reads the table.
 */
interface Window {
  since: bigint;
  readonly signals: { readonly sequence: bigint; readonly signal: Signal }[];
  readonly wake: Set<() => void>;
  subscribers: number;
}

/**
 * Subscribers hold no queue: each is a position in the order of commits and pulls from there, from the tenant's window
 * in memory or, when it is too far behind, from the table. So a slow one costs nothing, and there is no seam between
 * what was missed and what is live that a signal could fall into or come out of twice.
 */
export async function createFeed(deps: FeedDeps): Promise<Feed> {
  const { db, log, metrics, selfCheckMs = 1_000, windowSize = 1_000 } = deps;
  const windows = new Map<string, Window>();
  /** Everything up to here has been read into the windows. */
  let edge = 0n;
  let isReading = false;
  let isHinted = false;
  const closing = new AbortController();

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
      log.warn({ error: (error as Error).message }, 'feed: could not read; trying again with the next check');
    } finally {
      isReading = false;
    }
  }

  /** True when the page was full, so that there may be more. */
  async function readPage(): Promise<boolean> {
    const tenants = [...windows.keys()];
    const target = await currentEdge(db);
    if (target <= edge) return false;
    const signals = tenants.length > 0 ? await readAfter(db, edge, tenants) : [];
    const isFull = signals.length === PAGE;
    const newest = BigInt(signals.at(-1)?.sequence ?? 0);
    // A short page has everything that was committed when it was read, so at least everything up to the target.
    edge = isFull ? newest : max(target, newest);
    for (const signal of signals) {
      windows.get(signal.tenantId)?.signals.push({ sequence: BigInt(signal.sequence), signal });
    }
    for (const [tenantId, window] of windows) {
      // A tenant that came while the page was read is complete only from here; its subscribers look in the table.
      const isNew = !tenants.includes(tenantId);
      if (isNew) window.since = edge;
      if (isNew || signals.some((signal) => signal.tenantId === tenantId)) announce(window);
    }
    return isFull;
  }

  function announce(window: Window): void {
    const surplus = window.signals.length - windowSize;
    if (surplus > 0) window.since = window.signals.splice(0, surplus).at(-1)?.sequence ?? window.since;
    for (const wake of window.wake) wake();
    window.wake.clear();
  }

  function enter(tenantId: string): Window {
    const window = windows.get(tenantId) ?? { since: edge, signals: [], wake: new Set(), subscribers: 0 };
    windows.set(tenantId, window);
    window.subscribers += 1;
    metrics.subscribers.inc();
    return window;
  }

  function leave(tenantId: string, window: Window): void {
    window.subscribers -= 1;
    metrics.subscribers.dec();
    if (window.subscribers === 0) windows.delete(tenantId);
  }

  async function* follow(
    tenantId: string,
    filter: SignalFilter,
    after: string | undefined,
    abort: AbortSignal,
  ) {
    const window = enter(tenantId);
    try {
      // "From now on" is what is committed now, which this process may not have read yet.
      let position = after === undefined ? await currentEdge(db) : BigInt(after);
      while (!abort.aborted) {
        if (position < window.since) {
          const reached = edge;
          const page = await readTable(db, tenantId, filter, position);
          for (const signal of page) {
            yield signal;
            position = BigInt(signal.sequence);
          }
          if (page.length < PAGE) position = max(position, reached);
          continue;
        }
        const news = window.signals.slice(firstAfter(window.signals, position));
        for (const { sequence, signal } of news) {
          if (matches(filter, signal)) yield signal;
          position = sequence;
        }
        if (news.length === 0) await nextNews(window, abort);
      }
    } finally {
      leave(tenantId, window);
    }
  }

  edge = await currentEdge(db);
  // Without subscribers a hint is not worth a query; the self-check keeps the edge near enough.
  const stopListening = await db.listen('tributary_signals', () => void (windows.size > 0 && read()));
  const selfCheck = setInterval(() => void read(), selfCheckMs);

  return {
    subscribe: ({ tenantId }, filter, after) =>
      cancellable(closing.signal, (abort) => follow(tenantId, filter, after, abort)),
    async close() {
      closing.abort();
      clearInterval(selfCheck);
      await stopListening();
    },
  };
}

async function currentEdge(db: Db): Promise<bigint> {
  const { rows } = await db.doors.query<{ edge: string }>({
    name: 'feed_edge',
    text: 'select feed_edge() as edge',
  });
  return BigInt(rows[0]?.edge ?? 0);
}

async function readAfter(db: Db, edge: bigint, tenants: readonly string[]): Promise<Signal[]> {
  const { rows } = await db.doors.query<Record<string, unknown>>({
    name: 'feed_read',
    text: 'select * from feed_read($1, $2, $3)',
    values: [String(edge), tenants, PAGE],
  });
  const em = db.for({ tenantId: '' });
  return rows.map((row) => em.map(Signal, row));
}

function readTable(db: Db, tenantId: string, filter: SignalFilter, after: bigint): Promise<Signal[]> {
  return db
    .for({ tenantId })
    .find(
      Signal,
      { ...toWhere(filter), sequence: { $gt: String(after) } },
      { orderBy: { sequence: 'asc' }, limit: PAGE },
    );
}

/** Resolves with the next signal of the tenant, or when the subscription ends. */
function nextNews(window: Window, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      abort.removeEventListener('abort', wake);
      window.wake.delete(wake);
      resolve();
    };
    window.wake.add(wake);
    abort.addEventListener('abort', wake);
  });
}

/** Index of the first entry beyond the position; binary search, as windows are sorted. */
function firstAfter(entries: Window['signals'], position: bigint): number {
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
 * A generator that waits can't be returned: `return()` would wait with it. So `return()` first aborts the wait, which
 * is what lets a closed socket free its subscription at once.
 */
function cancellable<T>(
  closing: AbortSignal,
  make: (abort: AbortSignal) => AsyncGenerator<T>,
): AsyncIterableIterator<T> {
  const own = new AbortController();
  const stream = make(AbortSignal.any([closing, own.signal]));
  return {
    next: () => stream.next(),
    async return() {
      own.abort();
      return stream.return(undefined);
    },
    throw(error) {
      own.abort();
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
