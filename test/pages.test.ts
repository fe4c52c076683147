import { type GraphQLObjectType, getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSchema } from '../resolvers/schema.js';
import { MAX_PAGE, MAX_SCAN, toCursor } from '../src/core/page.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';

const CONNECTION = '00000000-0000-7000-8000-0000000000c1';
/** More than a page looks at, twice. */
const ROWS = 2 * MAX_SCAN + 2_000;
/** One row in so many, and none in the newest half: what a page has to look for. */
const RARE = 500;
const isRare = (n: number) => n % RARE === 1 && n < ROWS / 2;

const id = (n: number) => `${n.toString(16).padStart(8, '0')}-0000-7000-8000-000000000000`;
const ID = `(lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid`;
const MOMENT = `timestamptz '2026-01-01Z' + n * interval '1 hour'`;

let app: TestApp;
let caller: TestCaller;
beforeAll(async () => {
  app = await startTestApp();
  caller = await app.caller();
  await app.database
    .query(`insert into connections (id, tenant_id, provider_id, name, status, auth_method, capabilities,
    settings, tags, created_at, updated_at)
    values ('${CONNECTION}', 'acme', 'github', 'x', 'ACTIVE', 'API_TOKEN', '{}', '{}', '{}', now(), now())`);
  await addActions(1, ROWS);
  await app.database
    .query(`insert into signals (sequence, id, tenant_id, connection_id, provider_id, delivery_id,
    environment, kind, type, occurred_at, ingested_at, repository, schema_version, content)
    select n, ${ID}, 'acme', '${CONNECTION}', 'github', ${ID}, 'dev', case when n % ${RARE} = 1
      then 'metric' else 'event' end,
      case when n % 3 = 0 then 'push' else 'pr_opened' end, ${MOMENT}, ${MOMENT}, 'acme/' || n % 3, '1.0.0', '{}'
    from generate_series(1, ${ROWS}) n`);
});
afterAll(() => app.close());

async function addActions(from: number, to: number): Promise<void> {
  await app.database.query(
    `insert into actions (id, tenant_id, connection_id, provider_id, verb, sealed_input, input_hash, idempotency_key,
       correlation_id, actor, status, attempts, created_at)
     select ${ID}, 'acme', '${CONNECTION}', 'github', 'createIssue', '', '', 'k' || n, 'c', 'ada',
       case when n % ${RARE} = 1 and n < ${ROWS / 2} then 'FAILED' else 'SUCCEEDED' end, 1, ${MOMENT}
     from generate_series($1::integer, $2) n`,
    [from, to],
  );
}

interface PageInfo {
  readonly startCursor: string | null;
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}
interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: PageInfo;
}

async function read(field: string, type: string, args: object): Promise<Page> {
  const { data, errors } = await caller.ask<{ page: Page }, object>(
    `query ($first: Int, $last: Int, $after: Cursor, $before: Cursor, $filter: ${type}) {
      page: ${field}(first: $first, last: $last, after: $after, before: $before, filter: $filter) {
        nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`,
    args,
  );
  expect(errors).toEqual([]);
  return data!.page;
}

/** All pages, one after the other, with something done between them. */
async function walk(
  field: string,
  type: string,
  {
    isBackward = false,
    size = MAX_PAGE,
    filter = {},
  }: { isBackward?: boolean; size?: number; filter?: object },
  between: (page: number) => Promise<void> = async () => {},
): Promise<{ ids: string[]; pages: Page[] }> {
  const pages: Page[] = [];
  for (;;) {
    const { startCursor, endCursor } = pages.at(-1)?.pageInfo ?? {};
    const place = isBackward ? { last: size, before: startCursor } : { first: size, after: endCursor };
    const page = await read(field, type, { ...place, filter });
    pages.push(page);
    await between(pages.length);
    if (!(isBackward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage)) break;
  }
  const inOrder = isBackward ? pages.toReversed() : pages;
  return { ids: inOrder.flatMap(({ nodes }) => nodes.map((node) => node.id)), pages };
}

const range = (to: number) => Array.from({ length: to }, (_, n) => n + 1);
const rare = range(ROWS).filter(isRare).map(id);
const metrics = range(ROWS)
  .filter((n) => n % RARE === 1)
  .map(id);

describe('the pages of a list', () => {
  it('give each row once, both ways, while rows are added and changed', async () => {
    const old = range(ROWS).map(id);
    let added = ROWS;
    const change = async (page: number): Promise<void> => {
      if (page % 5 > 0) return;
      await addActions(added + 1, added + 7);
      added += 7;
      await app.database.query(`update actions set attempts = $1 where id = any($2::uuid[])`, [
        page,
        [old[page * 50], old.at(-page * 50), old[ROWS / 2]],
      ]);
    };
    const forward = await walk('actions', 'ActionFilter', {}, change);
    expect(forward.ids).toEqual(old.toReversed());
    const backward = await walk('actions', 'ActionFilter', { isBackward: true }, change);
    // From the oldest to the newest: what was added meanwhile comes last, and once as well.
    expect(new Set(backward.ids).size).toBe(backward.ids.length);
    expect(backward.ids.slice(-ROWS)).toEqual(old.toReversed());
  });

  it.each([
    ['actions', 'ActionFilter', { status: 'FAILED', connectionId: CONNECTION }, rare.toReversed()],
    ['deadLetters', 'DeadLetterFilter', { providerId: 'github' }, rare.toReversed()],
    ['signals', 'SignalFilter', { kinds: ['METRIC'] }, metrics],
  ])(
    'of %s that a filter leaves hardly anything of come to the same rows',
    async (field, type, filter, rows) => {
      for (const isBackward of [false, true]) {
        const { ids, pages } = await walk(field, type, { isBackward, filter, size: 5 });
        expect(ids).toEqual(rows);
        // Nodes or none, each says how it goes on; with few left, not row by row.
        expect(pages.length).toBeLessThan(rows.length / 5 + 5);
      }
    },
  );

  it('are one list where each of several values is looked up on its own', async () => {
    // One of them is looked at twice as far as the other: what lies behind is left to the next page.
    const filter = { kinds: ['METRIC'], types: ['push', 'pr_opened'] };
    for (const isBackward of [false, true]) {
      const { ids, pages } = await walk('signals', 'SignalFilter', { isBackward, filter, size: 50 });
      expect([ids, pages.length]).toEqual([metrics, 2]);
    }
  });

  it('begin and end where cursors say, whichever way', async () => {
    const cursor = (n: number) => toCursor('signals', String(n));
    const between = { after: cursor(10), before: cursor(20), filter: {} };
    const ids = (from: number, to: number) =>
      range(to)
        .slice(from - 1)
        .map((n) => ({ id: id(n) }));
    expect(await read('signals', 'SignalFilter', { ...between, first: 3 })).toEqual({
      nodes: ids(11, 13),
      pageInfo: { startCursor: cursor(11), endCursor: cursor(13), hasNextPage: true, hasPreviousPage: true },
    });
    expect(await read('signals', 'SignalFilter', { ...between, last: 3 })).toEqual({
      nodes: ids(17, 19),
      pageInfo: { startCursor: cursor(17), endCursor: cursor(19), hasNextPage: true, hasPreviousPage: true },
    });
    expect(await read('signals', 'SignalFilter', { ...between, first: 9 })).toMatchObject({
      pageInfo: { hasNextPage: false },
    });
  });
});

describe('signals since a moment', () => {
  it('are found without a look at all that is older, whatever their own times say', async () => {
    const since = new Date(Date.UTC(2026, 0, 1) + (ROWS - 100) * 3_600_000);
    const { database } = app;
    // One that is dated ahead of its arrival, and one that was told anew long after that.
    await database.query(`update signals set occurred_at = $1 where sequence = 7`, [since]);
    await database.query(
      `update signals set sequence = $1, revised_at = $2, occurred_at = $2 where sequence = 9`,
      [ROWS + 1, since],
    );
    const filter = { since: since.toISOString() };
    const expected = [id(7), ...range(ROWS).slice(-101).map(id), id(9)];
    for (const isBackward of [false, true]) {
      const { ids } = await walk('signals', 'SignalFilter', { filter, isBackward });
      expect(ids).toEqual(expected);
    }
    await database.query(`update signals set occurred_at = ingested_at where sequence = 7`);
    const { ids, pages } = await walk('signals', 'SignalFilter', { filter });
    expect([ids, pages.length]).toEqual([expected.slice(1), 1]);
  });
});

const { schema } = buildSchema();
const isPage = (type: unknown) => isObjectType(type) && 'pageInfo' in type.getFields();
const lists = Object.values(schema.getTypeMap())
  .filter((type): type is GraphQLObjectType => isObjectType(type))
  .flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => isPage(getNamedType(field.type)))
      .map((field) => [`${type.name}.${field.name}`] as const),
  );

/** How each type that has a list is come to. */
const ways: Readonly<Record<string, (field: string) => string>> = {
  Query: (field) => `{ ${field} }`,
  IntegrationConnection: (field) => `{ connection(id: "${CONNECTION}") { ${field} } }`,
  IntegrationHealth: (field) => `{ connection(id: "${CONNECTION}") { health { ${field} } } }`,
  IntegrationProvider: (field) => `{ provider(id: "github") { ${field} } }`,
  Tenant: (field) => `{ connection(id: "${CONNECTION}") { tenant { ${field} } } }`,
};

describe('what a page may be', () => {
  it.each(lists)('%s', async (name) => {
    const [type = '', field = ''] = name.split('.');
    const ask = (args: string) => caller.ask(ways[type]!(`${field}(${args}) { nodes { __typename } }`));
    for (const size of [0, -1, MAX_PAGE + 1]) {
      for (const which of ['first', 'last']) {
        expect(await ask(`${which}: ${size}`)).toMatchObject({
          errors: [
            {
              message: `${which}: must be a whole number from 1 to ${MAX_PAGE}`,
              extensions: { code: 'INVALID_INPUT', details: { problems: [{ field: which }] } },
            },
          ],
        });
      }
    }
    for (const which of ['after', 'before']) {
      expect(await ask(`${which}: "${toCursor('others', '1')}"`)).toMatchObject({
        errors: [{ extensions: { code: 'INVALID_CURSOR' } }],
      });
    }
    expect(await ask('last: 1')).toMatchObject({ errors: [] });
  });
});
