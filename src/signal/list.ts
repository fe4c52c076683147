import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import type { Conditions } from '../core/page.js';
import { type SignalFilter, toWhere } from './filter.js';
import type { Signal } from './signal.entity.js';

/** So many values of a filter are looked up on their own, each by its index; more are looked for among all signals. */
const MAX_LEADS = 10;

/**
 * How signals that match are found: by correlation id, connections or types an index leads to them. An index for each
 * filter would cost every webhook its part, so the others are looked for.
 */
export function toConditions(filter: SignalFilter): Conditions<Signal> {
  const { correlationId, connectionIds, types } = filter;
  if (correlationId !== undefined) {
    const { correlationId: _, ...others } = filter;
    return { leads: [{ correlationId }], rest: toWhere(others) };
  }
  if (isFew(connectionIds)) {
    const { connectionIds: _, ...others } = filter;
    return { leads: unique(connectionIds).map((connectionId) => ({ connectionId })), rest: toWhere(others) };
  }
  if (isFew(types)) {
    const { types: _, ...others } = filter;
    return { leads: unique(types).map((type) => ({ type })), rest: toWhere(others) };
  }
  return { rest: toWhere(filter) };
}

/**
 * Up to which sequence no signal of the tenant occurred at `since` or later: what arrived more than a day before has
 * not, and what is dated further ahead of its arrival has an index of its own.
 */
export async function findFloor(db: Db, caller: Caller, since: Date): Promise<bigint> {
  const rows = await db
    .for(caller)
    .execute<{ floor: string }[]>('select signals_before(?) as floor', [since]);
  return BigInt(rows[0]?.floor ?? 0);
}

function isFew(values: readonly string[] | undefined): values is readonly string[] {
  return values !== undefined && values.length <= MAX_LEADS;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
