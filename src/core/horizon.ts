import type { Caller } from './caller.js';
import type { Db } from './db.js';
import { TributaryError } from './errors.js';
import { toCursor } from './page.js';

/** A list of numbered rows that loses its beginning when the time of that is over; its cursors bear its name. */
export type ForgetfulList = 'signals' | 'changes' | 'health';

/**
 * The highest number that was deleted of the tenant's list, 0 when nothing was. Whoever has seen that much has lost
 * nothing. Asked after rows were read, it tells whether one was gone before.
 */
export async function findHorizon(
  db: Db,
  list: ForgetfulList,
  { tenantId }: Pick<Caller, 'tenantId'>,
): Promise<bigint> {
  const { rows } = await db.doors.query<{ horizon: string }>({
    name: 'feed_horizon',
    text: 'select feed_horizon($1, $2) as horizon',
    values: [list, tenantId],
  });
  return BigInt(rows[0]?.horizon ?? 0);
}

/** Throws CURSOR_EXPIRED when something that came after the position is gone. */
export function requireKept(list: ForgetfulList, position: bigint | string, horizon: bigint): void {
  if (BigInt(position) >= horizon) return;
  throw new TributaryError('CURSOR_EXPIRED', 'What came right behind this cursor is not kept any more.', {
    oldest_cursor: toCursor(list, String(horizon)),
  });
}
