import { validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import { invalidInput, notFound } from '../core/errors.js';
import { type Page, type PageRequest, fromCursor, requirePageSize, toCursor, toPage } from '../core/page.js';
import type { Feed } from './feed.js';
import { type SignalFilter, toWhere } from './filter.js';
import { Signal } from './signal.entity.js';

/** Signals as callers read them: by page, by id, and as a stream. */
export interface SignalService {
  /** In sequence order, oldest first: the same order and the same cursors as {@link SignalService.subscribe}. */
  list(caller: Caller, filter: SignalFilter, page: PageRequest): Promise<Page<Signal>>;
  /** Throws NOT_FOUND. */
  require(caller: Caller, id: string): Promise<Signal>;
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Signal>>;
  /** See {@link Feed.subscribe}; `after` is a signal's cursor. Throws INVALID_CURSOR. */
  subscribe(caller: Caller, filter: SignalFilter, after?: string): AsyncIterableIterator<Signal>;
}

const LIST = 'signals';
/** A bigint's worth of digits, so that no cursor can overflow the column. */
const SEQUENCE = /^\d{1,18}$/;
const MAX_FILTER_VALUES = 100;

/** A signal's place in its tenant's feed. */
export function signalCursor({ sequence }: Signal): string {
  return toCursor(LIST, sequence);
}

export function createSignalService(db: Db, feed: Feed): SignalService {
  return {
    async list(caller, filter, page) {
      const limit = requirePageSize(page.first) + 1;
      const newer =
        page.after === undefined ? {} : { sequence: { $gt: fromCursor(LIST, page.after, SEQUENCE) } };
      const where = { ...toWhere(requireFilter(filter)), ...newer };
      const rows = await db.for(caller).find(Signal, where, { orderBy: { sequence: 'asc' }, limit });
      return toPage(rows, page, signalCursor);
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
    subscribe(caller, filter, after) {
      const position = after === undefined ? undefined : fromCursor(LIST, after, SEQUENCE);
      return feed.subscribe(caller, requireFilter(filter), position);
    },
  };
}

/** An id that is none matches nothing, but would be an error in SQL; a list without end would be a query without end. */
function requireFilter(filter: SignalFilter): SignalFilter {
  for (const [field, value] of Object.entries(filter)) {
    if (Array.isArray(value) && value.length > MAX_FILTER_VALUES) {
      throw invalidInput(`filter.${field}`, `must have at most ${MAX_FILTER_VALUES} values`);
    }
  }
  const { connectionIds } = filter;
  return connectionIds ? { ...filter, connectionIds: connectionIds.filter((id) => isUuid(id)) } : filter;
}
