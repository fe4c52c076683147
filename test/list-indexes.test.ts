import { type GraphQLObjectType, getNamedType, isInputObjectType, isObjectType } from 'graphql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildSchema } from '../resolvers/schema.js';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { MAX_SCAN } from '../src/core/page.js';
import { PAGE, readTable } from '../src/core/tail-table.js';
import { migrations } from '../src/migrations/index.js';
import type { SignalFilter } from '../src/signal/filter.js';
import { toConditions } from '../src/signal/list.js';
import { Signal } from '../src/signal/signal.entity.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { createTestDatabase } from './support/database.js';
import { BIG, ROWS, fill, idOf, tableNames, tidy, timeOf } from './support/million.js';

/** Values of one filter, each asked for alone and beside every other filter's. */
type Values = readonly unknown[];

interface List {
  /** Puts the list's field into a document. */
  readonly ask: (field: string) => string;
  /** Its cursors' list, and a position in its middle. */
  readonly middle: readonly [list: string, position: string];
  readonly filters: Readonly<Record<string, Values>>;
  /** What needs no looking: an index leads to what matches, one of these filters alone or the whole list. */
  readonly direct: readonly string[];
}

const CONNECTION = idOf(7);
/** Its rows are the oldest. */
const GIVEN_UP = idOf(1);
const NONE = idOf(0xffffff);
const MIDDLE = idOf(ROWS / 2);
const connectionIds = [CONNECTION, GIVEN_UP, NONE];
/** An hour, a month, and all. */
const moments = [timeOf(ROWS - 360), timeOf(ROWS / 2), timeOf(0)];
const root = (field: string) => `{ ${field} }`;
const ofConnection = (field: string) => `{ connection(id: "${CONNECTION}") { ${field} } }`;

const signalFilters = {
  connectionIds: [[CONNECTION], [GIVEN_UP, NONE], connectionIds],
  providerIds: [['github'], ['nobody']],
  types: [['push'], ['pr_merged'], ['pr_merged', 'alarm_state_changed']],
  kinds: [['EVENT'], ['METRIC']],
  repository: ['acme/7', 'acme/none'],
  since: moments,
  until: [timeOf(360), timeOf(ROWS)],
  correlationId: [`c${ROWS / 2 + 1}`, 'none'],
};

/** Every list of the API; what is missing here, or has a filter that is missing here, is told by the first test. */
const lists: Readonly<Record<string, List>> = {
  'Query.signals': {
    ask: root,
    middle: ['signals', String(ROWS / 2)],
    filters: signalFilters,
    direct: ['', 'connectionIds', 'types', 'correlationId'],
  },
  'IntegrationConnection.signals': {
    ask: ofConnection,
    middle: ['signals', String(ROWS / 2)],
    filters: Object.fromEntries(
      Object.entries(signalFilters).map(([name, values]) => [name, values.slice(-1)]),
    ),
    direct: ['', 'connectionIds'],
  },
  'Query.actions': {
    ask: root,
    middle: ['actions', MIDDLE],
    filters: {
      connectionId: connectionIds,
      status: ['SUCCEEDED', 'FAILED', 'RETRYING'],
      correlationId: [`c${ROWS / 2 + 1}`, 'none'],
    },
    direct: ['', 'connectionId', 'correlationId'],
  },
  'IntegrationConnection.actions': {
    ask: ofConnection,
    middle: ['actions', MIDDLE],
    filters: {},
    direct: [''],
  },
  'Query.receipts': {
    ask: root,
    middle: ['receipts', MIDDLE],
    filters: {
      connectionId: connectionIds,
      correlationId: [`c${ROWS / 2 + 1}`, 'none'],
      outcome: ['SUCCESS', 'FAILURE', 'UNCONFIRMED'],
      operation: ['integration.connection.github.verify', 'none'],
    },
    direct: ['', 'connectionId', 'correlationId'],
  },
  'IntegrationConnection.receipts': {
    ask: ofConnection,
    middle: ['receipts', MIDDLE],
    filters: {},
    direct: [''],
  },
  'IntegrationConnection.secretAccesses': {
    ask: ofConnection,
    middle: ['accesses', MIDDLE],
    filters: {},
    direct: [''],
  },
  'IntegrationHealth.history': {
    ask: (field) => `{ connection(id: "${CONNECTION}") { health { ${field} } } }`,
    middle: ['health', String(ROWS / 2)],
    filters: {},
    direct: [''],
  },
  'Query.integrationLogs': {
    ask: root,
    middle: ['integration-logs', MIDDLE],
    filters: {
      connectionId: connectionIds,
      correlationId: [`c${ROWS / 2 + 1}`, 'none'],
      category: ['NETWORK', 'AUTH'],
      since: moments,
    },
    direct: ['', 'connectionId', 'correlationId'],
  },
  'Query.incidents': {
    ask: root,
    middle: ['incidents', MIDDLE],
    filters: {
      connectionId: connectionIds,
      kind: ['LIMIT_EXHAUSTED', 'CIRCUIT_OPEN', 'POLLS_FAILING'],
      isOpen: [true, false],
    },
    direct: ['', 'connectionId'],
  },
  'Query.deadLetters': {
    ask: root,
    middle: ['deadLetters', MIDDLE],
    filters: {
      kind: ['DELIVERY', 'ACTION'],
      connectionId: connectionIds,
      providerId: ['github', 'nobody'],
      since: moments,
      until: [timeOf(360)],
    },
    direct: ['', 'kind'],
  },
  'Query.connections': {
    ask: root,
    middle: ['connections', idOf(ROWS / 20)],
    filters: {
      providerId: ['github', 'nobody'],
      status: ['ACTIVE', 'ERROR', 'SUSPENDED'],
      tag: ['common', 'rare', 'none'],
    },
    direct: [''],
  },
  'IntegrationProvider.connections': {
    ask: (field) => `{ provider(id: "github") { ${field} } }`,
    middle: ['connections', idOf(ROWS / 20)],
    filters: {},
    direct: [],
  },
  'Tenant.connections': {
    ask: (field) => `{ connection(id: "${CONNECTION}") { tenant { ${field} } } }`,
    middle: ['connections', idOf(ROWS / 20)],
    filters: {},
    direct: [''],
  },
};

/** `Type.field` of every field that answers a page, with the names of its filters. */
function listsOfSchema(): Record<string, readonly string[]> {
  const types = Object.values(buildSchema().schema.getTypeMap()).filter((type) => isObjectType(type));
  return Object.fromEntries(
    types.flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ type: answered }) => isPage(getNamedType(answered)))
        .map(({ name, args }) => [`${type.name}.${name}`, filtersOf(args)] as const),
    ),
  );
}

function isPage(type: unknown): type is GraphQLObjectType {
  return isObjectType(type) && 'pageInfo' in type.getFields();
}

function filtersOf(args: ReturnType<GraphQLObjectType['getFields']>[string]['args']): readonly string[] {
  const paging = new Set(['first', 'after', 'last', 'before']);
  return args
    .filter(({ name }) => !paging.has(name))
    .flatMap(({ name, type }) => {
      const named = getNamedType(type);
      return isInputObjectType(named) ? Object.keys(named.getFields()) : [name];
    })
    .toSorted();
}

/** How the part of a list is asked for: its beginning and its end, and both from its middle. */
function pagesOf([list, position]: List['middle']): readonly string[] {
  const cursor = Buffer.from(`${list}:${position}`).toString('base64url');
  const all = ['first: 50', `first: 50, after: "${cursor}"`, `last: 50, before: "${cursor}"`];
  // The end of a history is its oldest row, which is a plan of its own.
  return [...all, 'last: 50'];
}

/** Each filter's values alone, those that an index leads to in pairs, and all filters at once. */
function combinationsOf({ filters, direct }: List): Readonly<Record<string, unknown>>[] {
  const names = Object.keys(filters);
  const alone = names.flatMap((name) => filters[name]!.map((value) => ({ [name]: value })));
  const last = (...some: readonly string[]) =>
    Object.fromEntries(some.map((name) => [name, filters[name]!.at(-1)]));
  const pairs = direct.flatMap((one, n) =>
    direct.slice(n + 1).flatMap((other) => (one && other ? [last(one, other)] : [])),
  );
  return [{}, ...alone, ...pairs, ...(names.length > 1 ? [last(...names)] : [])];
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Actual Loops': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

function* nodesOf(plan: Plan): Generator<Plan> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodesOf(child);
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

let app: TestApp;
let caller: TestCaller;
let planner: Client;
beforeAll(async () => {
  const database = await createTestDatabase();
  await fill(database);
  // Before anybody else reads there: rows that a reader may not see yet would not count as tidied.
  await tidy(database);
  app = await startTestApp({ database });
  caller = await app.caller(BIG);
  planner = new Client({ connectionString: app.database.url });
  planner.on('error', () => {});
  await planner.connect();
  await planner.query(`set role tributary_app; set tributary.tenant = '${BIG}'`);
}, 120_000);
afterAll(async () => {
  await planner?.end();
  await app?.close();
});

/** What the application asks of the listed tables to answer a document. */
function statementsOf(document: string, variables: object): Promise<readonly Statement[]> {
  return statementsIn(async () => {
    const { errors } = await caller.ask(document, variables);
    expect(errors).toEqual([]);
  });
}

async function statementsIn(work: () => Promise<unknown>): Promise<readonly Statement[]> {
  const spy = vi.spyOn(Client.prototype, 'query');
  try {
    await work();
    return spy.mock.calls.flatMap(([asked, values]) => {
      const statement = asked as string | { text: string; values?: unknown[] };
      const text = (typeof statement === 'string' ? statement : statement.text).replace(BEGINNING, '');
      const given: unknown = typeof statement === 'string' ? values : statement.values;
      return isOfList(text) ? [{ text, values: (given ?? []) as unknown[] }] : [];
    });
  } finally {
    spy.mockRestore();
  }
}

/** What a transaction's first statement is sent together with. */
const BEGINNING = /^begin;select set_config\([^;]*;/;

function isOfList(text: string): boolean {
  return /signals_before/.test(text) || tableNames.some((table) => text.includes(`from "${table}"`));
}

async function planOf({ text, values }: Statement): Promise<Plan> {
  const explain = `explain (analyze, buffers, timing off, format json) ${text}`;
  const { rows } = await planner.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain, [...values]);
  return rows[0]!['QUERY PLAN'][0].Plan;
}

/** Pages of tables and indexes that fifty rows may take, each with a way to it of its own. */
const DIRECT_BUFFERS = 300;
/** The same, where rows have to be looked for. */
const SCAN_BUFFERS = 5 * MAX_SCAN + DIRECT_BUFFERS;

describe('a large table', () => {
  it('are tried with every list of the API and every filter', () => {
    const known = Object.entries(lists).map(([name, { filters }]) => [name, Object.keys(filters).toSorted()]);
    expect(Object.fromEntries(known)).toEqual(listsOfSchema());
  });

  it.each(Object.entries(lists))('%s: no page reads more than its part', async (name, list) => {
    const field = name.slice(name.indexOf('.') + 1);
    const type = listFilterType(name);
    for (const filter of combinationsOf(list)) {
      const isDirect = list.direct.includes(Object.keys(filter).join());
      const pages = pagesOf(list.middle);
      // Where rows are looked for, one direction is like the other, and the middle like the beginning.
      for (const page of isDirect ? pages : pages.slice(0, 1)) {
        const args = type ? `(${page}, filter: $filter)` : `(${page})`;
        const body = `${field}${args} { nodes { __typename } pageInfo { endCursor } }`;
        const document = type ? `query ($filter: ${type}) ${list.ask(body)}` : list.ask(body);
        const statements = await statementsOf(document, { filter });
        expect(statements.length, `${name} asks its table`).toBeGreaterThan(0);
        for (const statement of statements) {
          const plan = await planOf(statement);
          const what = `${page} ${JSON.stringify(filter)}: ${statement.text}`;
          check(plan, what, isDirect);
        }
      }
    }
  });
});

/** What {@link lists} has of signals, as a subscription has it. */
const missedFilters = combinationsOf(lists['Query.signals']!).map(
  ({ kinds, since, until, ...filter }) =>
    ({
      ...filter,
      ...(kinds !== undefined && { kinds: (kinds as string[]).map((kind) => kind.toLowerCase()) }),
      ...(since !== undefined && { since: new Date(since as string) }),
      ...(until !== undefined && { until: new Date(until as string) }),
    }) as SignalFilter,
);

it('a large table: what a subscriber has missed is read in parts, whatever it filters by', async () => {
  const db = await openDb({
    url: app.database.url,
    entities: [Signal],
    migrations,
    log: createLog('silent'),
  });
  try {
    for (const filter of missedFilters) {
      const read = () => readTable(db, { entity: Signal, toConditions }, BIG, filter, 0n);
      const statements = await statementsIn(read);
      expect(statements.length, JSON.stringify(filter)).toBeGreaterThan(0);
      for (const statement of statements) {
        const plan = await planOf(statement);
        const what = `${JSON.stringify(filter)}: ${statement.text.slice(0, 500)}`;
        check(plan, what, isLed(filter), (PAGE / 50) * DIRECT_BUFFERS);
      }
    }
  } finally {
    await db.close();
  }
});

function isLed(filter: SignalFilter): boolean {
  return Object.keys(toConditions(filter).rest ?? {}).length === 0;
}

function check(plan: Plan, what: string, isDirect: boolean, direct = DIRECT_BUFFERS): void {
  const nodes = [...nodesOf(plan)];
  expect(
    nodes.map((node) => node['Node Type']),
    what,
  ).not.toContain('Seq Scan');
  const removed = nodes.map(
    (node) =>
      ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) *
      node['Actual Loops'],
  );
  expect(Math.max(...removed), what).toBeLessThanOrEqual(isDirect ? 0 : MAX_SCAN);
  const buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  expect(buffers, what).toBeLessThanOrEqual(isDirect ? direct : SCAN_BUFFERS);
}

/** The type of a list's `filter`, where it has one. */
function listFilterType(name: string): string | undefined {
  const [type = '', field = ''] = name.split('.');
  const { args } = (buildSchema().schema.getType(type) as GraphQLObjectType).getFields()[field]!;
  return args.find((one) => one.name === 'filter')?.type.toString();
}
