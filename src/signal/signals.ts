import { validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import { invalidInput, notFound } from '../core/errors.js';
import { findHorizon, requireKept } from '../core/horizon.js';
import {
  type List,
  type Page,
  type PageRequest,
  SEQUENCE,
  fromCursor,
  readRows,
  toCursor,
  toPage,
} from '../core/page.js';
import { storable } from '../core/storable.js';
import type { Feed } from './feed.js';
import type { SignalFilter } from './filter.js';
import { findFloor, toConditions } from './list.js';
import { readOfConnections } from './of-connections.js';
import { Signal } from './signal.entity.js';

/** Signals as callers read them: by page, by id, and as a stream. */
export interface SignalService {
  /**
   * In sequence order, oldest first: the same order and the same cursors as {@link SignalService.subscribe}. Without a
   * cursor from the oldest that is there. Throws INVALID_CURSOR, and CURSOR_EXPIRED when a signal behind the cursor was
   * deleted, whether or not it would have matched.
   */
  list(caller: Caller, filter: SignalFilter, page: PageRequest): Promise<Page<Signal>>;
  /** The same page of each of several connections' signals, together. By connection; throws as `list` does. */
  listOfConnections(
    caller: Caller,
    connectionIds: readonly string[],
    page: PageRequest,
  ): Promise<ReadonlyMap<string, Page<Signal>>>;
  /** Throws NOT_FOUND. */
  require(caller: Caller, id: string): Promise<Signal>;
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Signal>>;
  /** See {@link Feed.subscribe}; `after` is a signal's cursor. Throws INVALID_CURSOR and CURSOR_EXPIRED. */
  subscribe(caller: Caller, filter: SignalFilter, after?: string): Promise<AsyncIterableIterator<Signal>>;
}

const LIST = 'signals';
const SIGNALS: List<'sequence'> = {
  name: LIST,
  key: 'sequence',
  shape: SEQUENCE,
  order: 'asc',
  isPlain: true,
};
const MAX_FILTER_VALUES = 100;

/** A signal's place in its tenant's feed. */
export function signalCursor({ sequence }: Pick<Signal, 'sequence'>): string {
  return toCursor(LIST, sequence);
}

export function createSignalService(db: Db, feed: Feed): SignalService {
  return {
    async list(caller, filter, page) {
      const checked = requireFilter(filter);
      const after = page.after === undefined ? undefined : fromCursor(LIST, page.after, SEQUENCE);
      // Deleted rows lie at the beginning until a vacuum comes by; who has no cursor need not walk over them.
      const begin = BigInt(after ?? (await findHorizon(db, LIST, caller)));
      const floor = checked.since ? await findFloor(db, caller, checked.since) : 0n;
      const within = { ...page, after: toCursor(LIST, String(floor > begin ? floor : begin)) };
      const found = await readRows(db.for(caller), Signal, SIGNALS, toConditions(checked), within);
      if (after !== undefined) requireKept(LIST, after, await findHorizon(db, LIST, caller));
      return toPage(SIGNALS, found, page);
    },
    async listOfConnections(caller, connectionIds, page) {
      const found = await readOfConnections(db, caller, SIGNALS, connectionIds, page);
      if (page.after !== undefined) {
        const after = fromCursor(LIST, page.after, SEQUENCE);
        requireKept(LIST, after, await findHorizon(db, LIST, caller));
      }
      return new Map([...found].map(([id, rows]) => [id, toPage(SIGNALS, rows, page)]));
    },
    async require(caller, id) {
      const signal = isUuid(id) ? await db.for(caller).findOne(Signal, { id }) : null;
      if (!signal) throw notFound('signal');
      return signal;
    },
    async findMany(caller, ids) {
      const rows = await db.for(caller).find(Signal, { id: { $in: ids.filter((id) => isUuid(id)) } });
      return new Map(rows.map((row) => [row.id, row]));
    },
    async subscribe(caller, filter, after) {
      const position = after === undefined ? undefined : fromCursor(LIST, after, SEQUENCE);
      if (position !== undefined) requireKept(LIST, position, await findHorizon(db, LIST, caller));
      return feed.subscribe(caller, requireFilter(filter), position);
    },
  };
}

/**
 * An id that is none matches nothing, but would be an error in SQL, as a text would be that it can't hold; a list without
 * end would be a query without end.
 */
function requireFilter(filter: SignalFilter): SignalFilter {
  for (const [field, value] of Object.entries(filter)) {
    if (Array.isArray(value) && value.length > MAX_FILTER_VALUES) {
      throw invalidInput(`filter.${field}`, `must have at most ${MAX_FILTER_VALUES} values`);
    }
    if (storable<unknown>(value) !== value) {
      throw invalidInput(`filter.${field}`, 'must hold no NUL and no half of a surrogate pair');
    }
  }
  const { connectionIds } = filter;
  return connectionIds ? { ...filter, connectionIds: connectionIds.filter((id) => isUuid(id)) } : filter;
}
