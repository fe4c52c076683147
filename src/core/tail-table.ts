import type { EntityName } from '@mikro-orm/postgresql';
import type { Db } from './db.js';
import type { ForgetfulList } from './horizon.js';
import { type Conditions, readSpan } from './page.js';

/** A row of a table that is only ever appended to, numbered in the order of commits over all tenants. */
export interface Numbered {
  /** A bigint, in decimal. */
  readonly sequence: string;
  readonly tenantId: string;
}

/** Which table is read, and how. */
export interface TailTable<T extends Numbered, F> {
  readonly entity: EntityName<T>;
  /** Names its two doors, which cross tenants: `<name>_edge()` and `<name>_read(after, tenants, limit)`. */
  readonly name: string;
  /** Where rows are deleted when their time is over. Left out: they never are. */
  readonly list?: ForgetfulList;
  /** Where hints at new rows are given. */
  readonly channel: string;
  /** The filter over a row in memory: what {@link TailTable.toConditions} is in SQL. */
  matches(filter: F, row: T): boolean;
  toConditions(filter: F): Conditions<T>;
  /** Told of rows as they are read live. */
  readonly onRead?: (rows: readonly T[]) => void;
  /** Counts who is subscribed in this process. */
  readonly subscribers?: { inc(): void; dec(): void };
}

/** Rows read at once. */
export const PAGE = 500;

/** The highest number that is committed, over all tenants. */
export async function currentEdge(db: Db, { name }: { readonly name: string }): Promise<bigint> {
  const { rows } = await db.doors.query<{ edge: string }>({
    name: `${name}_edge`,
    text: `select ${name}_edge() as edge`,
  });
  return BigInt(rows[0]?.edge ?? 0);
}

export interface News<T> {
  readonly rows: readonly T[];
  /** Something behind the edge, of one of the tenants, was deleted before it was read. */
  readonly isLost: boolean;
}

/** What came behind the edge for these tenants. One statement, so that rows and loss are of the same moment. */
export async function readAfter<T extends Numbered>(
  db: Db,
  { entity, name, list }: Pick<TailTable<T, never>, 'entity' | 'name' | 'list'>,
  edge: bigint,
  tenants: readonly string[],
): Promise<News<T>> {
  if (tenants.length === 0) return { rows: [], isLost: false };
  const { rows } = await db.doors.query<{ is_lost: boolean; sequence: string | null }>({
    name: `${name}_read`,
    text: `select lost.is_lost, news.* from feed_lost($4, $1, $2) as lost(is_lost)
           left join lateral ${name}_read($1, $2, $3) as news on true order by news.sequence`,
    values: [String(edge), tenants, PAGE, list],
  });
  const em = db.for({ tenantId: '' });
  const meta = em.getMetadata().get(entity);
  const news = rows.filter(({ sequence }) => sequence !== null);
  return {
    rows: news.map((row) => em.getDriver().mapResult(row as never, meta) as T),
    isLost: rows[0]?.is_lost ?? false,
  };
}

/** The tenant's next rows behind a position, as plain objects with the entity's fields: nothing is changed through them. */
export interface Missed<T> {
  readonly rows: readonly T[];
  /** How far the table was looked through. Undefined: to its end. */
  readonly upTo: bigint | undefined;
}

/** As many of them as one look at the table may find, however few match: see {@link readSpan}. */
export async function readTable<T extends Numbered, F>(
  db: Db,
  { entity, toConditions }: Pick<TailTable<T, F>, 'entity' | 'toConditions'>,
  tenantId: string,
  filter: F,
  after: bigint,
): Promise<Missed<T>> {
  const bounds = [{ sequence: { $gt: String(after) } }];
  const span = { size: PAGE, order: 'asc', bounds } as const;
  const found = await readSpan(db.for({ tenantId }), entity, PLAIN, toConditions(filter), span);
  const rows = found.rows.slice(0, PAGE);
  const last = found.rows.length > PAGE ? rows.at(-1)?.sequence : found.edge;
  return { rows, upTo: last === undefined ? undefined : BigInt(last) };
}

const PLAIN = { key: 'sequence', isPlain: true } as const;
