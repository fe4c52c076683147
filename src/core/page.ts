import { type EntityName, type FilterQuery, raw } from '@mikro-orm/postgresql';
import { NIL, validate as isUuid } from 'uuid';
import type { EntityManager } from './db.js';
import { TributaryError, invalidInput } from './errors.js';

/** A request for part of a list: its beginning, or its end where `last` is given. */
export interface PageRequest {
  readonly first: number;
  /** Counts instead of `first`, and from the list's end. */
  readonly last?: number | undefined;
  /** Only what comes after this cursor … */
  readonly after?: string | undefined;
  /** … and before this one. */
  readonly before?: string | undefined;
}

/** Part of a list; cursors are opaque to everyone else. */
export interface Page<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: {
    /** Where `before` goes on. Null: there is nothing to go on from. */
    readonly startCursor: string | null;
    /** Where `after` goes on. */
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
  };
}

export const MAX_PAGE = 200;
/**
 * Rows that one page looks at where no index leads to those that match. What is found among them is the page, however
 * little that is, and the next one goes on from there: no filter makes the database read a whole table.
 */
export const MAX_SCAN = 5_000;
/** So many of them first: most filters let enough through. */
const FIRST_LOOK = 200;

/** Throws INVALID_INPUT for a page size outside 1 to {@link MAX_PAGE}. */
export function requirePageSize(size: number, name = 'first'): number {
  if (Number.isInteger(size) && size >= 1 && size <= MAX_PAGE) return size;
  throw invalidInput(name, `must be a whole number from 1 to ${MAX_PAGE}`);
}

/** A position in a list as opaque, URL-safe text. The list’s name is part of it, so that cursors can’t be mixed up. */
export function toCursor(list: string, position: string): string {
  return Buffer.from(`${list}:${position}`).toString('base64url');
}

/** The position in a cursor of this list. Throws INVALID_CURSOR for anything else. */
export function fromCursor(list: string, cursor: string, shape: RegExp): string {
  const [name, position = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(/:(.*)/s);
  if (name === list && shape.test(position)) return position;
  throw new TributaryError('INVALID_CURSOR', 'This cursor does not belong to this list.');
}

type Order = 'asc' | 'desc';

/** A list whose rows have places that never change: what comes and goes elsewhere in it moves no page. */
export interface List<K extends string> {
  /** Part of its cursors. */
  readonly name: string;
  /** The column that its rows are ordered by, each value once. */
  readonly key: K;
  readonly shape: RegExp;
  readonly order: Order;
  /** Whether its rows are read by {@link selectRows}, of which that says what it asks of them. Left out: as entities. */
  readonly isPlain?: boolean;
}

/** A cursor's position that is an id. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A bigint's worth of digits, so that no cursor can overflow the column. */
export const SEQUENCE = /^\d{1,18}$/;

/** A list of rows whose ids are UUIDv7, so that their order is the order they were made in; newest first. */
export function newestFirst(name: string): List<'id'> {
  return { name, key: 'id', shape: UUID, order: 'desc' };
}

/** The rows on both sides of a page: where it begins and ends in the order that it is read in. */
interface Span {
  readonly size: number;
  readonly order: Order;
  /** Conditions on the key. */
  readonly bounds: readonly object[];
}

/** Where a page is read, and what stands before and behind it. */
export function spanOf<K extends string>(list: List<K>, page: PageRequest): Span {
  const { first, last, after, before } = page;
  const isBackward = last !== undefined;
  const size = isBackward ? requirePageSize(last, 'last') : requirePageSize(first);
  const [beyond, short] = list.order === 'asc' ? (['$gt', '$lt'] as const) : (['$lt', '$gt'] as const);
  const bound = (cursor: string, operator: string) => ({
    [list.key]: { [operator]: fromCursor(list.name, cursor, list.shape) },
  });
  const bounds = [
    ...(after === undefined ? [] : [bound(after, beyond)]),
    ...(before === undefined ? [] : [bound(before, short)]),
  ];
  const opposite = list.order === 'asc' ? 'desc' : 'asc';
  return { size, order: isBackward ? opposite : list.order, bounds };
}

/** Makes a page of rows that were read one beyond the size, which tells whether there is more. */
export function toPage<K extends string, T extends Record<K, string>>(
  { name, key }: List<K>,
  { rows, edge }: Found<T>,
  { first, last, after, before }: PageRequest,
): Page<T> {
  const size = last ?? first;
  const isFull = rows.length > size;
  const read = rows.slice(0, size);
  const nodes = last === undefined ? read : read.toReversed();
  const cursor = (place: string | undefined) => (place === undefined ? null : toCursor(name, place));
  const far = isFull ? undefined : edge;
  const [start, end] = [nodes[0]?.[key], nodes.at(-1)?.[key]];
  const isMore = isFull || far !== undefined;
  const pageInfo =
    last === undefined
      ? { startCursor: cursor(start), endCursor: cursor(far ?? end) }
      : { startCursor: cursor(far ?? start), endCursor: cursor(end) };
  return {
    nodes,
    pageInfo: {
      ...pageInfo,
      hasNextPage: last === undefined ? isMore : before !== undefined,
      hasPreviousPage: last === undefined ? after !== undefined : isMore,
    },
  };
}

/** What the rows of a page have in common. */
export interface Conditions<T> {
  /**
   * What an index leads to in the list's order, as one condition or as several of which a row meets one: each is read
   * on its own, as PostgreSQL merges no indexes. The index has all columns of these, `tenant_id` and the key, so that
   * places are read from it alone: no other plan is as cheap, whatever the statistics make of the rows. Left out: the
   * tenant's rows.
   */
  readonly leads?: readonly object[];
  /** What has to be looked for among these: of about {@link MAX_SCAN} rows a page. */
  readonly rest?: object;
  /** Whether nothing that comes after this row in the order of reading can match. Left out: something may. */
  readonly isOver?: (row: T, order: Order) => boolean;
}

/** Rows in the order of reading, one more than fit on the page if there are so many. */
export interface Found<T> {
  readonly rows: readonly T[];
  /** The place of the last row that was looked at, where something may match behind it. */
  readonly edge?: string | undefined;
}

/** Reads a page. Throws INVALID_INPUT for its size, INVALID_CURSOR for a cursor of another list. */
export async function readPage<K extends string, T extends Record<K, string>>(
  em: EntityManager,
  entity: EntityName<T>,
  list: List<K>,
  conditions: Conditions<T>,
  page: PageRequest,
): Promise<Page<T>> {
  return toPage(list, await readRows(em, entity, list, conditions, page), page);
}

/** See {@link readPage}. */
export function readRows<K extends string, T extends Record<K, string>>(
  em: EntityManager,
  entity: EntityName<T>,
  list: List<K>,
  conditions: Conditions<T>,
  page: PageRequest,
): Promise<Found<T>> {
  return readSpan(em, entity, list, conditions, spanOf(list, page));
}

/** See {@link readPage}: of any size. */
export async function readSpan<K extends string, T extends Record<K, string>>(
  em: EntityManager,
  entity: EntityName<T>,
  { key, isPlain = false }: Pick<List<K>, 'key' | 'isPlain'>,
  { leads = [{}], rest = {}, isOver }: Conditions<T>,
  { size, order, bounds }: Span,
): Promise<Found<T>> {
  const isSearch = Object.keys(rest).length > 0;

  function placesOf(lead: object, limit: number, from?: string) {
    const behind = from === undefined ? {} : { [key]: { [order === 'asc' ? '$gt' : '$lt']: from } };
    const where = { $and: [lead, ...bounds, behind] } as never;
    const places = em.createQueryBuilder(entity, 'place').select(key as never);
    return places
      .where(where)
      .orderBy({ [key]: order } as never)
      .limit(limit);
  }

  async function readPlaces(lead: object, limit: number, from: string | undefined): Promise<string[]> {
    const rows = (await placesOf(lead, limit, from).execute('all')) as T[];
    return rows.map((row) => row[key]);
  }

  /** Where there is nothing to look for, places and rows are one statement. */
  async function readAll(lead: object): Promise<Found<T>> {
    const { sql, params } = placesOf(lead, size + 1).toQuery();
    const isThere = raw(`"${key}" = any(array(${sql}))`, [...params]);
    return { rows: await selectRows(em, entity, isThere, key, order) };
  }

  /** Nobody changes what a page shows: rows that nothing keeps track of cost half as much. */
  function readThese(where: FilterQuery<T>, limit: number): Promise<T[]> {
    if (isPlain) return selectRows(em, entity, where, key, order, limit);
    return em.find(entity, where, { orderBy: { [key]: order } as never, limit, disableIdentityMap: true });
  }

  /** Places first, then their rows, more at a time as long as too few match. */
  async function readLed(lead: object): Promise<Found<T>> {
    const rows: T[] = [];
    let from: string | undefined;
    let looked = 0;
    for (let limit = isSearch ? FIRST_LOOK : size + 1; ; limit = Math.min(4 * limit, MAX_SCAN - looked)) {
      const places = await readPlaces(lead, limit, from);
      const where = { $and: [{ [key]: { $in: places } }, rest] } as FilterQuery<T>;
      if (places.length > 0) rows.push(...(await readThese(where, size + 1)));
      looked += places.length;
      from = places.at(-1);
      if (from === undefined || places.length < limit || rows.length > size) return { rows };
      if (isOver && (await isBehind(from))) return { rows };
      if (isSearch && looked >= MAX_SCAN) return { rows, edge: from };
    }
  }

  async function isBehind(place: string): Promise<boolean> {
    const row = await em.findOne(entity, { [key]: place } as FilterQuery<T>);
    return row !== null && isOver?.(row, order) === true;
  }

  const found: Found<T>[] = [];
  for (const lead of leads) found.push(await (isPlain && !isSearch ? readAll(lead) : readLed(lead)));
  return merge(found, (row) => row[key], order);
}

/**
 * Rows as plain objects with the entity's fields, of a third of the cost of entities. Only for an entity whose columns
 * need no conversion but that of JSON and moments, and whose fields nobody leaves for later.
 */
export async function selectRows<T extends object>(
  em: EntityManager,
  entity: EntityName<T>,
  where: object,
  key: keyof T,
  order: Order,
  limit?: number,
): Promise<T[]> {
  const rows = em.createQueryBuilder(entity);
  rows.where(where as never).orderBy({ [key]: order } as never);
  if (limit !== undefined) rows.limit(limit);
  return (await rows.execute('all')) as T[];
}

/** One row of rows, as far as all of them were looked through. */
export function merge<T>(found: readonly Found<T>[], placeOf: (row: T) => string, order: Order): Found<T> {
  const edges = found.flatMap(({ edge }) => (edge === undefined ? [] : [edge]));
  const edge = edges.toSorted((one, other) => compare(one, other, order))[0];
  const rows = found
    .flatMap((one) => one.rows)
    .filter((row) => edge === undefined || compare(placeOf(row), edge, order) <= 0)
    .toSorted((one, other) => compare(placeOf(one), placeOf(other), order));
  return { rows, edge };
}

/** Which place comes first in the order of reading. Ids are in the order of their text, sequences in that of numbers. */
function compare(one: string, other: string, order: Order): number {
  const sign = order === 'asc' ? 1 : -1;
  if (one.length !== other.length) return sign * (one.length - other.length);
  if (one === other) return 0;
  return one < other ? -sign : sign;
}

/** The id as a value for a uuid column. A text that is no id at all matches nothing there, instead of being an error. */
export function toUuid(id: string): string {
  return isUuid(id) ? id : NIL;
}
