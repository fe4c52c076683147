import { randomUUID } from 'node:crypto';
import { type GraphQLObjectType, getNamedType, isLeafType, isObjectType, isRequiredArgument } from 'graphql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { buildSchema } from '../resolvers/schema.js';
import { ExecuteActionDocument, VerifyDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

const { schema } = buildSchema();
const MANY = 100;
/** A provider's lists inside lists, a hundred times over, are more than may be asked for at once. */
const DEPTH: Readonly<Record<string, number>> = { IntegrationProvider: 0 };

let app: TestApp;
let github: FakeGitHub;
let caller: TestCaller;
const tenant = `tenant-${randomUUID()}`;
beforeAll(async () => {
  github = await startFakeGitHub(createTestClock());
  app = await startTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  caller = await app.caller(tenant);
  const hook = await connectGitHub(caller, 'main', github.token);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  const payload = { action: 'opened', issue: { id: 1, number: 1 }, repository: { full_name: 'acme/x' } };
  await post(hook.url, await githubDelivery('issues', payload, hook.secret));
  await caller.get(ExecuteActionDocument, {
    input: {
      connectionId: hook.connectionId,
      idempotencyKey: 'first',
      action: { createIssue: { project: 'octo/demo', title: 'Leak' } },
    },
  });
});
afterAll(async () => {
  await app.close();
  await github.provider.close();
});

/** Makes as many rows as are asked for of the one there is; what must be unique is told apart. */
async function multiply(table: string, apart: string): Promise<string[]> {
  await app.database.query(`
    insert into ${table}
    select (jsonb_populate_record(null::${table}, to_jsonb(r) || jsonb_build_object('id', gen_random_uuid()) || ${apart})).*
    from (select * from ${table} where tenant_id = '${tenant}' limit 1) r, generate_series(2, ${MANY}) n`);
  const rows = await app.database.query<{ id: string }>(`select id from ${table} limit ${MANY}`);
  expect(rows).toHaveLength(MANY);
  return rows.map(({ id }) => id);
}

const idsOf: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  IntegrationConnection: () => multiply('connections', `jsonb_build_object('name', 'copy ' || n)`),
  Signal: () => multiply('signals', `jsonb_build_object('sequence', n)`),
  IntegrationAction: () => multiply('actions', `jsonb_build_object('idempotency_key', 'copy ' || n)`),
  IntegrationReceipt: () => multiply('receipts', `'{}'::jsonb`),
  IntegrationProvider: async () => Array.from({ length: MANY }, (_, n) => (n % 2 ? 'github' : 'slack')),
  Tenant: async () => Array.from({ length: MANY }, () => tenant),
};

/** All that a type tells of itself and of what it refers to. Pages are left out: they are one statement a page. */
function everything(type: GraphQLObjectType, depth = 1): string {
  const parts = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some((argument) => argument.name === 'first' || isRequiredArgument(argument))) return [];
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return [field.name];
    return isObjectType(inner) && depth > 0 ? [`${field.name} ${everything(inner, depth - 1)}`] : [];
  });
  return `{ __typename ${parts.join(' ')} }`;
}

/** Of these documents one or the other. */
interface Answered {
  readonly _entities?: readonly unknown[];
  readonly connections?: { readonly nodes: readonly unknown[] };
}

/** What a document answers, and the statements on tables that it costs. */
async function askCounted(query: string, variables: object) {
  const spy = vi.spyOn(Client.prototype, 'query');
  onTestFinished(() => spy.mockRestore());
  const { data, errors } = await caller.ask<Answered, object>(query, variables);
  const texts = spy.mock.calls.map(([asked]) => textOf(asked)).filter((text) => / from /i.test(text));
  spy.mockRestore();
  expect(errors).toEqual([]);
  return { data, texts };
}

async function statementsOf(type: string, ids: readonly string[]): Promise<readonly string[]> {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
    ... on ${type} ${everything(schema.getType(type) as GraphQLObjectType, DEPTH[type])} } }`;
  const representations = ids.map((id) => ({ __typename: type, id }));
  const { data, texts } = await askCounted(query, { representations });
  expect(data?._entities?.filter(Boolean)).toHaveLength(ids.length);
  return texts;
}

function textOf(asked: unknown): string {
  return typeof asked === 'string' ? asked : ((asked as { text?: string } | undefined)?.text ?? '');
}

describe('_entities', () => {
  it.each(Object.keys(idsOf))('of %s costs as many statements for a hundred as for two', async (type) => {
    const ids = (await idsOf[type]?.()) ?? [];
    const forTwo = await statementsOf(type, ids.slice(0, 2));
    // Again if need be: what the application asks by itself now and then may fall into any one of them.
    await expect
      .poll(() => statementsOf(type, ids))
      .toSatisfy((forAll: readonly string[]) => forAll.length <= forTwo.length);
    // Providers are no rows.
    expect(forTwo.length > 0).toBe(type !== 'IntegrationProvider');
  });

  it('every entity is among these', () => {
    const union = schema.getType('_Entity');
    const names = union && 'getTypes' in union ? union.getTypes().map(({ name }) => name) : [];
    expect(names.toSorted()).toEqual(Object.keys(idsOf).toSorted());
  });
});

describe('connections with their signals', () => {
  // Three for each connection there is, in turns.
  beforeAll(async () => {
    await multiply('connections', `jsonb_build_object('name', 'with signals ' || n)`);
    await app.database.query(`
      insert into signals
      select (jsonb_populate_record(null::signals, to_jsonb(s) || jsonb_build_object(
        'id', gen_random_uuid(), 'connection_id', c.id, 'sequence', 1000000 + n * 1000 + c.place))).*
      from (select * from signals where tenant_id = '${tenant}' limit 1) s, generate_series(1, 3) n,
        (select id, row_number() over (order by id) as place from connections where tenant_id = '${tenant}') c`);
  });

  const list = (first: number, signals: string) => `{ connections(first: ${first}) { nodes {
    id health { status } signals(${signals}) {
      nodes { id sequence } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } } }`;

  it.each(['first: 2', 'last: 2', 'last: 50'])(
    '(%s) cost as many statements for 20 as for 2',
    async (page) => {
      const two = await askCounted(list(2, page), {});
      await expect
        .poll(async () => (await askCounted(list(20, page), {})).texts.length)
        .toBeLessThanOrEqual(two.texts.length);
      const { data } = await askCounted(list(20, page), {});
      // With a filter each list is read on its own: the same must come out.
      const { data: alone } = await askCounted(list(20, `${page}, filter: {}`), {});
      expect(data).toEqual(alone);
      expect(JSON.stringify(data)).toContain('"sequence":"100');
    },
  );
});
