import type { EntityName, FilterQuery } from '@mikro-orm/postgresql';
import { NIL, validate as isUuid } from 'uuid';
import type { EntityManager } from './db.js';
import { TributaryError, invalidInput } from './errors.js';

/** A request for part of a list. */
export interface PageRequest {
  readonly first: number;
  /** `endCursor` of the page before. */
  readonly after?: string | undefined;
}

/** Part of a list; cursors are opaque to everyone else. */
export interface Page<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
  };
}

export const MAX_PAGE = 200;

/** Throws INVALID_INPUT for a page size outside 1 to {@link MAX_PAGE}. */
export function requirePageSize(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= MAX_PAGE) return first;
  throw invalidInput('first', `must be a whole number from 1 to ${MAX_PAGE}`);
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

/** Makes a page of rows that were read one beyond the size, which tells whether there is more. */
export function toPage<T>(
  rows: readonly T[],
  { first, after }: PageRequest,
  cursorOf: (row: T) => string,
): Page<T> {
  const nodes = rows.slice(0, first);
  const [start, end] = [nodes[0], nodes.at(-1)];
  return {
    nodes,
    pageInfo: {
      startCursor: start ? cursorOf(start) : null,
      endCursor: end ? cursorOf(end) : null,
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== undefined,
    },
  };
}

/** A cursor's position that is an id. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A page of rows whose ids are UUIDv7, so that their order is the order they were made in; newest first. */
export async function newestFirst<T extends { id: string }>(
  em: EntityManager,
  entity: EntityName<T>,
  where: object,
  list: string,
  page: PageRequest,
): Promise<Page<T>> {
  const limit = requirePageSize(page.first) + 1;
  const older = page.after === undefined ? {} : { id: { $lt: fromCursor(list, page.after, UUID) } };
  const rows = await em.find(entity, { $and: [where, older] } as FilterQuery<T>, {
    orderBy: { id: 'desc' } as never,
    limit,
  });
  return toPage(rows, page, ({ id }) => toCursor(list, id));
}

/** The id as a value for a uuid column. A text that is no id at all matches nothing there, instead of being an error. */
export function toUuid(id: string): string {
  return isUuid(id) ? id : NIL;
}
