import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  type GraphQLFieldMap,
  type GraphQLSchema,
  type IntrospectionQuery,
  buildClientSchema,
  getIntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, startTestApp } from './support/app.js';
import type { FakeProvider } from './support/fake-provider.js';
import { githubDelivery } from './support/github.js';
import {
  FROM_START,
  MARK,
  type Rows,
  type Tenant,
  ask,
  connect,
  createTenant,
  cursor,
  deliver,
  didOf,
  essence,
  everything,
  execute,
  issueOpened,
  pick,
  send,
  startMarkedGitHub,
  verify,
  watch,
} from './support/tenancy.js';

let app: TestApp;
let github: FakeProvider;
let schema: GraphQLSchema;
let reads: Readonly<Record<string, Ask>>;
let changes: Readonly<Record<string, Ask>>;
beforeAll(async () => {
  github = await startMarkedGitHub();
  app = await startTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.url } });
  const introspection = await (await app.caller()).ask<IntrospectionQuery, object>(getIntrospectionQuery());
  schema = buildClientSchema(introspection.data!);
  ({ reads, changes } = createAsks(schema));
});
afterAll(async () => {
  await app.close();
  await github.close();
});

/** What a tenant can be asked by. */
interface Ids {
  readonly connection: string;
  readonly signal: string;
  readonly action: string;
  readonly receipt: string;
  readonly tenant: string;
  readonly key: string;
  readonly mark: string;
  readonly correlation: string;
}

type Ask = (ids: Ids) => readonly [document: string, variables: object];

const mk = (): string => `mk${randomUUID().replaceAll('-', '').slice(0, 16)}`;

/** Of the same form as those of a tenant, and of nobody. */
function idsOfNobody(): Ids {
  const [mark, id] = [mk(), randomUUID];
  const ids = { connection: id(), signal: id(), action: id(), receipt: id() };
  return { ...ids, tenant: `tenant-${mark}`, key: `${mark} 0`, mark, correlation: `${mark} did 0` };
}

function idsOf(tenant: Tenant, n: number): Ids {
  const { connections, signals, receipts, actions, mark } = tenant;
  const own = [...actions.values()].filter(({ key }) => key.startsWith(mark));
  const action = pick(own, n)!;
  return {
    connection: pick(connections, n)!.connectionId,
    signal: pick(signals, n)!,
    receipt: pick(receipts, n)!,
    action: action.id,
    key: action.key,
    correlation: action.correlationId,
    tenant: tenant.id,
    mark,
  };
}

const DEPTH = 3;

/** Every field of Query and Mutation that takes an id, by all the ways it takes one; the field's name comes first. */
function createAsks(of: GraphQLSchema): Record<'reads' | 'changes', Record<string, Ask>> {
  const fields: GraphQLFieldMap<unknown, unknown> = {
    ...of.getQueryType()?.getFields(),
    ...of.getMutationType()?.getFields(),
  };
  const byArgument = (kind: string, field: string, argument: string, value: (ids: Ids) => unknown): Ask => {
    const { args, type } = fields[field]!;
    const declared = String(args.find(({ name }) => name === argument)?.type);
    const document = `${kind} ($v: ${declared}) { ${field}(${argument}: $v) ${everything(type, DEPTH)} }`;
    return (ids) => [document, { v: value(ids) }];
  };
  const query = (field: string, argument: string, value: (ids: Ids) => unknown): Ask =>
    byArgument('query', field, argument, value);
  const change = (field: string, argument: string, value: (ids: Ids) => unknown): Record<string, Ask> =>
    fields[field] ? { [field]: byArgument('mutation', field, argument, value) } : {};
  const entity = (type: string, value: (ids: Ids) => string): Ask => {
    const selection = `... on ${type} ${everything(of.getType(type) as never, DEPTH)}`;
    const document = `query ($v: [_Any!]!) { _entities(representations: $v) { ${selection} } }`;
    return (ids) => [document, { v: [{ __typename: type, id: value(ids) }] }];
  };
  const comment = { addIssueComment: { project: 'octo/demo', issue: '1', body: 'Stolen.' } };
  const ofQuery = {
    connection: query('connection', 'id', ({ connection }) => connection),
    signal: query('signal', 'id', ({ signal }) => signal),
    action: query('action', 'id', ({ action }) => action),
    'action by key': query('action', 'idempotencyKey', ({ key }) => key),
    receipt: query('receipt', 'id', ({ receipt }) => receipt),
    'connections by tag': query('connections', 'filter', ({ mark }) => ({ tag: mark })),
    'signals by connection': query('signals', 'filter', (ids) => ({ connectionIds: [ids.connection] })),
    'actions by connection': query('actions', 'filter', (ids) => ({ connectionId: ids.connection })),
    'actions by correlation': query('actions', 'filter', (ids) => ({ correlationId: ids.correlation })),
    'receipts by connection': query('receipts', 'filter', (ids) => ({ connectionId: ids.connection })),
    'receipts by correlation': query('receipts', 'filter', (ids) => ({ correlationId: ids.correlation })),
    '_entities: connection': entity('IntegrationConnection', ({ connection }) => connection),
    '_entities: signal': entity('Signal', ({ signal }) => signal),
    '_entities: action': entity('IntegrationAction', ({ action }) => action),
    '_entities: receipt': entity('IntegrationReceipt', ({ receipt }) => receipt),
    '_entities: tenant': entity('Tenant', ({ tenant }) => tenant),
  };
  const ofMutation = {
    ...change('verify', 'connectionId', ({ connection }) => connection),
    ...change('executeAction', 'input', ({ connection, key }) => ({
      connectionId: connection,
      idempotencyKey: key,
      action: comment,
    })),
    ...change('updateConnection', 'input', (ids) => ({ connectionId: ids.connection, name: 'stolen' })),
    ...change('rotate', 'input', (ids) => ({ connectionId: ids.connection, what: 'WEBHOOK_SECRET' })),
    ...change('suspend', 'connectionId', ({ connection }) => connection),
    ...change('resume', 'connectionId', ({ connection }) => connection),
    ...change('disconnect', 'connectionId', ({ connection }) => connection),
  };
  return { reads: ofQuery, changes: ofMutation };
}

/** Root fields that take no id: there is nothing foreign to ask them for. */
const WITHOUT_IDS = new Set(['providers', 'provider', 'health', 'connect', '_service', 'signalReceived']);

/** One thing to do, beside another tenant that does such things at the same time. */
type Command = (tenant: Tenant, other: Tenant, n: number) => Promise<void>;

/** Another tenant's id answers what one of nobody answers, to the byte. */
const askForeign: Command = async (tenant, other, n) => {
  const make = pick(Object.values({ ...reads, ...changes }), n)!;
  const foreign = await ask(tenant, ...make(idsOf(other, n)));
  const unknown = await ask(tenant, ...make(idsOfNobody()));
  const { told, code, data } = foreign;
  expect(essence(told), told.asked).toEqual(essence(unknown.told));
  if (code) expect(code, told.asked).toBe('NOT_FOUND');
  else expect(JSON.stringify(data), told.asked).toMatch(/"nodes":\[\]|\[null\]/);
};

/** A foreign id in one batch with an own one: the one is found, the other is not. */
const askTogether: Command = async (tenant, other, n) => {
  const [own, foreign] = [idsOf(tenant, n), idsOf(other, n)];
  const kinds = {
    IntegrationConnection: 'connection',
    Signal: 'signal',
    IntegrationAction: 'action',
  } as const;
  for (const [type, of] of Object.entries(kinds)) {
    const v = [foreign, own, idsOfNobody()].map((ids) => ({ __typename: type, id: ids[of] }));
    const document = `query ($v: [_Any!]!) { _entities(representations: $v) { ... on ${type} { id } } }`;
    const { data, code } = await ask(tenant, document, { v });
    expect([code, data]).toEqual([undefined, { _entities: [null, { id: own[of] }, null] }]);
  }
};

const readOwn: Command = async (tenant, _other, n) => {
  const { told, code } = await ask(tenant, ...pick(Object.values(reads), n)!(idsOf(tenant, 0)));
  expect(code, told.text).toBeUndefined();
  expect(told.text, told.asked).toContain(tenant.mark);
};

const LISTS = ['connections', 'actions', 'receipts', 'signals', 'providers', 'health'] as const;
const HEALTH = LISTS.indexOf('health');

/** Whole lists; every other time from a place in another tenant's on. */
const browse: Command = async (tenant, other, n) => {
  const list = pick(LISTS, n)!;
  const { type } = schema.getQueryType()!.getFields()[list]!;
  const { connection, action, receipt } = idsOf(other, n);
  const place = { connections: connection, actions: action, receipts: receipt, signals: `${n}` };
  const position = new Map(Object.entries(place)).get(list);
  const after = position && Math.floor(n / LISTS.length) % 2 ? `(after: "${cursor(list, position)}")` : '';
  const { told, code } = await ask(tenant, `{ ${list}${after} ${everything(type, DEPTH)} }`);
  expect(code, told.text).toBeUndefined();
};

/** What is not the tenant's own in every part: the address, the secret, the delivery. */
const forge: Command = async (tenant, other, n) => {
  const [mine, theirs] = [pick(tenant.connections, n)!, pick(other.connections, n)!];
  const delivery = await githubDelivery('issues', issueOpened(tenant.mark, n), mine.secret, `forged ${n}`);
  expect((await send(tenant, theirs.url, delivery)).body.error?.code).toBe('INVALID_SIGNATURE');
  const recorded = pick(other.deliveries.values(), n)!;
  expect((await send(tenant, mine.url, recorded)).body.error?.code).toBe('INVALID_SIGNATURE');
  const misled = await githubDelivery('issues', issueOpened(tenant.mark, n), theirs.secret, `forged ${n}`);
  expect((await send(tenant, mine.url, misled)).body.error?.code).toBe('INVALID_SIGNATURE');
  const elsewhere = (token: string): string => theirs.url.replace(/[^/]+$/, token);
  const addresses = [elsewhere(theirs.connectionId), theirs.url.replace('/github/', '/example/')];
  const nowhere = await send(tenant, elsewhere(randomUUID()), delivery);
  expect(nowhere.status).toBe(404);
  for (const address of addresses) {
    const { status, body } = await send(tenant, address, delivery);
    expect([status, body]).toEqual([404, nowhere.body]);
  }
};

/** Of another tenant's connections nothing may come; from a place in its feed on only what is the tenant's own. */
const watchForeign: Command = async (tenant, other, n) => {
  const filter = { connectionIds: other.connections.map(({ connectionId }) => connectionId) };
  const selection = everything(schema.getType('Signal') as never, 1);
  if (n % 2 === 0) watch(tenant, selection, { after: FROM_START, filter }, 'nothing');
  else watch(tenant, selection, n % 3 === 0 ? {} : { after: cursor('signals', `${n}`) });
};

const commands: Readonly<Record<string, Command>> = {
  connect: (tenant, _other, n) => connect(tenant, n),
  verify: (tenant, _other, n) => verify(tenant, n),
  execute: (tenant, _other, n) => execute(tenant, n),
  deliver: (tenant, _other, n) => deliver(tenant, n),
  readOwn,
  browse,
  askForeign,
  askTogether,
  forge,
  watchForeign,
};

/** Beyond what any plan numbers its steps with. */
const LAST = 1_000;

const step = fc.tuple(fc.constantFrom(...Object.keys(commands)), fc.nat(99));
/** For each tenant some lanes; what is in one lane happens in order, everything else at the same time. */
const plans = fc.array(
  fc.array(fc.array(step, { minLength: 4, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
  { minLength: 2, maxLength: 4 },
);
type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

/** One of everything, under a name and a key of its own; and one under those that all tenants use. */
async function begin(tenant: Tenant): Promise<void> {
  for (const n of [0, 1]) for (const act of [connect, verify, execute, deliver]) await act(tenant, n);
  const { data } = await ask(tenant, '{ receipts { nodes { id } } }');
  const receipts = data?.['receipts'] as { nodes: readonly { id: string }[] };
  for (const { id } of receipts.nodes) tenant.receipts.add(id);
}

async function newTenants(count: number): Promise<Tenant[]> {
  const tenants = await Promise.all(Array.from({ length: count }, () => createTenant(app)));
  const selection = everything(schema.getType('Signal') as never, 2);
  for (const tenant of tenants) watch(tenant, selection, { after: FROM_START });
  await Promise.all(tenants.map(begin));
  return tenants;
}

/** All of them to their end, then the first that failed. */
async function together(work: readonly Promise<unknown>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason;
}

async function carryOut(plan: Plan, tenants: readonly Tenant[]): Promise<void> {
  const walk = async (index: number, lane: Plan[number][number]): Promise<void> => {
    for (const [name, n] of lane) {
      const other = (index + 1 + (n % (tenants.length - 1))) % tenants.length;
      await commands[name]!(tenants[index]!, tenants[other]!, n);
    }
  };
  await together(plan.flatMap((lanes, index) => lanes.map((lane) => walk(index, lane))));
}

/** As {@link didOf} words it. */
const STORED = {
  connections: ['id', 'name', 'description'],
  credentials: ['connection_id'],
  webhook_endpoints: ['connection_id'],
  actions: ['id', 'idempotency_key', 'connection_id', 'correlation_id'],
  receipts: ['operation', 'connection_id', 'action_id'],
  deliveries: ['connection_id', 'event_id'],
  signals: ['id'],
};

/** What the tables do hold of a tenant, past row-level security. */
async function storedOf({ id }: Tenant): Promise<Rows> {
  const selects = Object.entries(STORED).map(
    ([table, columns]) =>
      `select '${table}' as "table", concat_ws(' ', ${columns.join(', ')}) as row from ${table} where tenant_id = $1`,
  );
  const found = await app.database.query<{ table: string; row: string }>(selects.join(' union all '), [id]);
  const rowsOf = (table: string): string[] =>
    found.filter((one) => one.table === table).map(({ row }) => row);
  return Object.fromEntries(Object.keys(STORED).map((table) => [table, rowsOf(table).toSorted()]));
}

/** The ids of a tenant's signals in the order of commits. */
async function feedOf({ id }: Tenant): Promise<string[]> {
  const select = 'select id from signals where tenant_id = $1 order by sequence';
  return (await app.database.query<{ id: string }>(select, [id])).map((row) => row.id);
}

/** What only this tenant may know of: its mark, its secrets, the id of every row that is its own, and its cursors. */
async function propertyOf({ id, mark, token, connections }: Tenant): Promise<readonly string[]> {
  const tables = ['connections', 'actions', 'receipts', 'deliveries', 'signals'];
  const selects = tables.map((table) => `select id from ${table} where tenant_id = $1`);
  const rows = await app.database.query<{ id: string }>(selects.join(' union all '), [id]);
  const ids = rows.map((row) => row.id);
  const cursors = ids.flatMap((one) =>
    ['connections', 'actions', 'receipts'].map((list) => cursor(list, one)),
  );
  const secrets = connections.flatMap(({ url, secret }) => [url.split('/').at(-1) ?? '', secret]);
  return [mark, token, ...secrets, ...ids, ...cursors];
}

/** The feed is in the order of commits: with its last signal a tenant has seen whatever it was going to see. */
async function finish(tenant: Tenant): Promise<void> {
  const last = (await feedOf(tenant)).length;
  const main = tenant.watches[0]!;
  await expect.poll(() => main.problems.length > 0 || main.ids.length >= last).toBe(true);
  await together(tenant.watches.map(({ end }) => end()));
  await tenant.socket.dispose();
}

/** The tenant's first subscription had all of its signals, once each and in order; no other had anything else. */
async function expectWatchesOwn(tenant: Tenant): Promise<void> {
  const { watches } = tenant;
  const stored = await feedOf(tenant);
  expect(watches.flatMap(({ problems }) => problems)).toEqual([]);
  expect(watches[0]?.ids).toEqual(stored);
  for (const { ids, wants } of watches) {
    expect(wants === 'nothing' ? ids : ids.filter((id) => !stored.includes(id))).toEqual([]);
  }
}

/** What each tenant alone may know of. */
const property = new Map<Tenant, readonly string[]>();

function expectOwn(tenant: Tenant, what: string, text: string): void {
  for (const [owner, secrets] of property) {
    const leaked = owner === tenant ? undefined : secrets.find((secret) => text.includes(secret));
    if (leaked === undefined) continue;
    const at = text.indexOf(leaked);
    const around = text.slice(Math.max(0, at - 100), at + 150);
    throw new Error(`${tenant.id}: ${what} holds ${leaked} of ${owner.id}: …${around}…`);
  }
}

function expectToldOwn(tenant: Tenant): void {
  for (const { asked, headers, text } of tenant.told.splice(0)) {
    expectOwn(tenant, asked, `${JSON.stringify(headers)} ${text}`);
  }
}

/** Every row of every table, past row-level security. */
async function expectTables(): Promise<void> {
  const columns = `select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'tenant_id'`;
  const tables = await app.database.query<{ name: string }>(columns);
  expect(tables.length).toBeGreaterThan(8);
  const selects = tables.map(
    ({ name }) => `select '${name}' as "table", tenant_id as tenant, t::text as row from ${name} t`,
  );
  const rows = await app.database.query<Record<'table' | 'tenant' | 'row', string>>(
    selects.join(' union all '),
  );
  const byId = new Map([...property.keys()].map((tenant) => [tenant.id, tenant]));
  for (const { table, tenant, row } of rows) {
    const owner = byId.get(tenant);
    if (!owner) throw new Error(`${table} holds a row of nobody: ${row}`);
    expectOwn(owner, `a row of ${table}`, row);
  }
}

async function expectIsolated(tenants: readonly Tenant[]): Promise<void> {
  for (const tenant of tenants) property.set(tenant, await propertyOf(tenant));
  for (const tenant of tenants) expectToldOwn(tenant);
  for (const tenant of tenants) {
    await expectWatchesOwn(tenant);
    expect(await storedOf(tenant)).toEqual(didOf(tenant));
    const own = new Set([...tenant.connections.map(({ name }) => name), ...tenant.actions.keys()]);
    expect([...tenant.refused].filter((what) => !own.has(what))).toEqual([]);
  }
}

/** Nobody's credential was used for anybody else, and every call was counted where it belongs. */
async function expectCallsOwn(): Promise<void> {
  const calls = new Map<string, number>();
  for (const { headers, path, text } of github.requests) {
    const [mark, ...more] = new Set(`${headers['authorization']} ${path} ${text}`.match(MARK));
    expect(more).toEqual([]);
    calls.set(`tenant-${mark}`, (calls.get(`tenant-${mark}`) ?? 0) + 1);
  }
  const counted = `select m.tenant_id as tenant, sum(m.requests)::int as calls from health_minutes m
    join connections c on c.id = m.connection_id and c.tenant_id = m.tenant_id group by m.tenant_id`;
  await expect
    .poll(async () => {
      const rows = await app.database.query<{ tenant: string; calls: number }>(counted);
      return new Map(rows.map((row) => [row.tenant, row.calls]));
    })
    .toEqual(calls);
}

describe('tenants', () => {
  it('get for a foreign id, by every way to give one, what they get for one that never existed', async () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const known = new Set(Object.keys({ ...reads, ...changes }).map((name) => /^\w+/.exec(name)?.[0]));
    const unknown = roots
      .flatMap((root) => Object.keys(root?.getFields() ?? {}))
      .filter((field) => !known.has(field) && !WITHOUT_IDS.has(field));
    expect(unknown, 'root fields that createAsks does not know').toEqual([]);

    const [tenant, other] = (await newTenants(2)) as [Tenant, Tenant];
    for (const n of Object.keys({ ...reads, ...changes }).keys()) await askForeign(tenant, other, n);
    for (const n of Object.keys(reads).keys()) await readOwn(tenant, other, n);
    for (const n of [0, 1]) for (const act of [askTogether, forge]) await act(tenant, other, n);
    await together([tenant, other].map(finish));
    await expectIsolated([tenant, other]);
  });

  it('see, change and receive nothing of each other, whatever they do at the same time', async () => {
    const run = async (plan: Plan): Promise<void> => {
      const tenants = await newTenants(plan.length);
      await carryOut(plan, tenants);
      for (const tenant of tenants) await deliver(tenant, LAST);
      await together(tenants.map(finish));
      await expectIsolated(tenants);
    };
    await fc.assert(fc.asyncProperty(plans, run), { numRuns: 8, endOnFailure: true });

    await expectCallsOwn();
    // Now that what was seen of the providers is in the tables.
    const everybody = [...property.keys()];
    await together(everybody.map((tenant) => browse(tenant, tenant, HEALTH)));
    for (const tenant of everybody) expectToldOwn(tenant);
    await expectTables();
  });

  // Again, because on a busy machine even medians waver; a true difference does not go away.
  it('can’t tell a foreign id from one of nobody by the clock', { retry: 2 }, async () => {
    const [tenant, other] = (await newTenants(2)) as [Tenant, Tenant];
    const foreign = idsOf(other, 0);
    for (const of of ['connection', 'signal', 'action', 'receipt'] as const) {
      const time = async (ids: Ids): Promise<number> => {
        const began = performance.now();
        const { code } = await ask(tenant, `{ ${of}(id: "${ids[of]}") { id } }`);
        const took = performance.now() - began;
        expect(code).toBe('NOT_FOUND');
        return took;
      };
      const times: [foreign: number, unknown: number][] = [];
      for (let n = 0; n < 200; n += 1) {
        // Each is as often the first, which finds things cold, as the second.
        const early = n % 2 ? await time(foreign) : undefined;
        const unknown = await time(idsOfNobody());
        times.push([early ?? (await time(foreign)), unknown]);
      }
      const [a, b] = [median(times.map(([one]) => one)), median(times.map(([, one]) => one))];
      expect(Math.max(a, b) / Math.min(a, b), `${of}: ${a} ms and ${b} ms`).toBeLessThan(2);
    }
    await together([tenant, other].map(finish));
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
