import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import { type Found, type List, type PageRequest, fromCursor, selectRows, spanOf } from '../core/page.js';
import { Signal } from './signal.entity.js';

/**
 * The same part of each of several connections' signals, one more than fits on the page where there are so many: two
 * statements, however many connections there are. Only ids that exist. Throws INVALID_CURSOR.
 */
export async function readOfConnections(
  db: Db,
  caller: Caller,
  list: List<'sequence'>,
  connectionIds: readonly string[],
  page: PageRequest,
): Promise<ReadonlyMap<string, Found<Signal>>> {
  const { size, order } = spanOf(list, page);
  const place = (cursor: string | undefined) =>
    cursor === undefined ? null : fromCursor(list.name, cursor, list.shape);
  const rows = await db.for(caller).execute<{ sequence: string }[]>(order === 'asc' ? OLDEST : NEWEST, [
    // As one text: an array would become a list of values.
    connectionIds.join(),
    place(page.after),
    place(page.before),
    size + 1,
  ]);
  const where = { sequence: { $in: rows.map(({ sequence }) => sequence) } };
  const signals = await selectRows(db.for(caller), Signal, where, 'sequence', order);
  const found = new Map(connectionIds.map((id) => [id, { rows: [] as Signal[] }]));
  for (const signal of signals) found.get(signal.connectionId)?.rows.push(signal);
  return found;
}

const OLDEST = placesIn('asc');
const NEWEST = placesIn('desc');

function placesIn(order: 'asc' | 'desc'): string {
  return `
    select place.sequence::text from unnest(string_to_array(?, ',')::uuid[]) as wanted(id)
    cross join lateral (
      select sequence from signals
      where connection_id = wanted.id and tenant_id = current_setting('tributary.tenant')
        and sequence > coalesce(?::bigint, 0) and sequence < coalesce(?::bigint, 9223372036854775807)
      order by sequence ${order} limit ?
    ) place`;
}
