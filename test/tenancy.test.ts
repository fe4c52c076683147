import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  type GraphQLSchema,
  type IntrospectionQuery,
  buildClientSchema,
  getIntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../src/core/caller.js';
import { type TestApp, startTestApp } from './support/app.js';
import type { FakeProvider } from './support/fake-provider.js';
import { githubDelivery } from './support/github.js';
import {
  FROM_START,
  type Tenant,
  ask,
  speakingTo,
  connect,
  createTenant,
  cursor,
  deliver,
  essence,
  everything,
  execute,
  issueOpened,
  pick,
  send,
  verify,
  watch,
} from './support/tenancy.js';
import {
  type Ask,
  DEPTH,
  type Ids,
  createAsks,
  foreignIdsOf,
  idsOf,
  idsOfNobody,
} from './support/tenancy-asks.js';
import { MARK, authorizationOf } from './support/tenancy-marks.js';
import { type MarkedExample, addMarkedExample, startMarkedGitHub } from './support/tenancy-providers.js';
import { agreesWithKeys, askByRest, live, readByRest } from './support/tenancy-life.js';
import { type Rows, didOf } from './support/tenancy-rows.js';
import { beginWork } from './support/tenancy-begin.js';
import {
  ageKeys,
  expectWorked,
  interrupt,
  jobReceipts,
  makeDue,
  noteWork,
  runJob,
  workOff,
} from './support/tenancy-work.js';

let app: TestApp;
/** The same again, on the same database and keys: whatever is asked may go to either. */
let apps: readonly TestApp[];
let provider: FakeProvider;
let example: MarkedExample;
let schema: GraphQLSchema;
let reads: Readonly<Record<string, Ask>>;
let changes: Readonly<Record<string, Ask>>;
beforeAll(async () => {
  provider = await startMarkedGitHub();
  example = addMarkedExample(provider);
  const env = {
    TRIBUTARY_PROVIDER_GITHUB_BASE_URL: provider.url,
    TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url,
    TRIBUTARY_PROVIDER_JIRA_BASE_URL: provider.url,
    TRIBUTARY_PROVIDER_EXAMPLE_OAUTH_URL: provider.url,
    RECEIPT_RETENTION_DAYS: '30',
  };
  app = await startTestApp({ env });
  apps = [app, await startTestApp({ env, beside: app })];
  const introspection = await (await app.caller()).ask<IntrospectionQuery, object>(getIntrospectionQuery());
  schema = buildClientSchema(introspection.data!);
  ({ reads, changes } = createAsks(schema));
});
afterAll(async () => {
  for (const one of apps.toReversed()) await one.close();
  await provider.close();
});

/** Root fields that take no id: there is nothing foreign to ask them for. */
const WITHOUT_IDS = new Set([
  'tryMapping',
  'providers',
  'provider',
  'health',
  'quota',
  'connect',
  '_service',
  // A tenant has one app with a provider: the provider's name is all there is to ask by.
  'oauthApps',
  'setOAuthApp',
  'removeOAuthApp',
  'webhookApps',
  'registerWebhookApp',
  'removeWebhookApp',
  'showWebhookAppSecret',
  // A tenant has one.
  'incidentSink',
  'setIncidentSink',
  'receiptWitnesses',
  'setReceiptWitness',
  // A tenant has one log; test/receipt-proofs.test.ts follows two.
  'receiptCheckpoint',
  'receiptConsistency',
  'receiptCheckpointAdded',
]);

/** Every subscription: what is in it, and how to ask it for what is of one connection. */
const feeds: Readonly<Record<string, { list: string; table: string; of(id: string): object }>> = {
  signalReceived: { list: 'signals', table: 'signals', of: (id) => ({ filter: { connectionIds: [id] } }) },
  connectionChanged: { list: 'changes', table: 'connection_changes', of: (id) => ({ connectionId: id }) },
  healthChanged: { list: 'health', table: 'health_changes', of: (id) => ({ connectionId: id }) },
};
const feed = (name: string) => schema.getSubscriptionType()!.getFields()[name]!;

/** One thing to do, beside another tenant that does such things at the same time. */
type Command = (tenant: Tenant, other: Tenant, n: number) => Promise<void>;

/** Another tenant's id answers what one of nobody answers, to the byte. */
const askForeign: Command = async (tenant, other, n) => {
  const make = pick(Object.values({ ...reads, ...changes }), n)!;
  const foreign = await ask(tenant, ...make(foreignIdsOf(other, n)));
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

/** Of another tenant's connections nothing may come; from now or a place in its feed on only what is the tenant's own. */
const watchForeign: Command = async (tenant, other, n) => {
  const [name, { list, of }] = pick(Object.entries(feeds), n)!;
  const foreign = of(foreignIdsOf(other, n).connection);
  const place = list === 'signals' && n % 3 ? { after: cursor(list, `${n}`) } : {};
  const [after] = await feedOf(tenant, name);
  if (n % 4 > 1) watch(tenant, feed(name), place);
  else watch(tenant, feed(name), { ...(after && { after }), ...foreign }, 'nothing');
};

const commands: Readonly<Record<string, Command>> = {
  live: (tenant, _other, n) => live(tenant, n),
  work: (_tenant, _other, n) => runJob(pick(apps, n)!, n >> 1),
  makeDue: (tenant, _other, n) => makeDue(app.database, tenant, n),
  interrupt: (tenant) => interrupt(tenant),
  readByRest: (tenant) => readByRest(tenant),
  askByRest: (tenant, other, n) => askByRest(tenant, foreignIdsOf(other, n), idsOfNobody(), n),
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

const step = fc.tuple(fc.constantFrom(...Object.keys(commands)), fc.nat(99), fc.nat(1));
/** For each tenant some lanes; what is in one lane happens in order, everything else at the same time. */
const plans = fc.array(
  fc.array(fc.array(step, { minLength: 6, maxLength: 12 }), { minLength: 2, maxLength: 3 }),
  { minLength: 2, maxLength: 4 },
);
type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

/** One of everything, under a name and a key of its own; and one under those that all tenants use. */
async function begin(tenant: Tenant): Promise<void> {
  await live(tenant, 0);
  await beginWork(tenant, example);
  for (const n of [0, 1]) for (const act of [connect, verify, execute, deliver]) await act(tenant, n);
  const { data } = await ask(tenant, '{ receipts { nodes { id } } }');
  const receipts = data?.['receipts'] as { nodes: readonly { id: string }[] };
  for (const { id } of receipts.nodes) tenant.receipts.add(id);
  // Calls are written down a moment after they end, and readOwn asks for the first ones.
  const logged = reads['integrationLogs by correlation']!(idsOf(tenant, 0));
  await expect.poll(async () => (await ask(tenant, ...logged)).told.text).toContain(tenant.mark);
}

async function newTenants(count: number): Promise<Tenant[]> {
  const tenants = await Promise.all(Array.from({ length: count }, () => createTenant(apps)));
  // In every process, so that each reads for all of them.
  const everywhere = tenants.flatMap((tenant) =>
    tenant.processes.map((_, process) => speakingTo(tenant, process)),
  );
  for (const tenant of everywhere) watch(tenant, feed('signalReceived'), { after: FROM_START }, 'all');
  await Promise.all(tenants.map(begin));
  // While nobody seals anything, so that jobs find something to do for keys from the start.
  await ageKeys(app.database, tenants);
  for (const tenant of everywhere) {
    const [after] = await feedOf(tenant, 'connectionChanged');
    watch(tenant, feed('connectionChanged'), { after }, 'all');
    watch(tenant, feed('healthChanged'), {});
  }
  return tenants;
}

/** All of them to their end, then the first that failed. */
async function together(work: readonly Promise<unknown>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason;
}

async function carryOut(plan: Plan, tenants: readonly Tenant[]): Promise<void> {
  const walk = async (index: number, lane: Plan[number][number]): Promise<void> => {
    for (const [name, n, process] of lane) {
      const other = (index + 1 + (n % (tenants.length - 1))) % tenants.length;
      await commands[name]!(speakingTo(tenants[index]!, process), tenants[other]!, n);
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
  connection_changes: ['verb', 'connection_id'],
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
    found.filter((one) => one.table === table && !jobReceipts.has(one.row)).map(({ row }) => row);
  return Object.fromEntries(Object.keys(STORED).map((table) => [table, rowsOf(table).toSorted()]));
}

/** The cursors of all that a tenant has in a feed, in the order of commits. */
async function feedOf({ id }: Tenant, name: string): Promise<string[]> {
  const { list, table } = feeds[name]!;
  const select = `select sequence::text as n from ${table} where tenant_id = $1 order by sequence`;
  return (await app.database.query<{ n: string }>(select, [id])).map(({ n }) => cursor(list, n));
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

/** A feed is in the order of commits: with its last entry a tenant has seen whatever it was going to see. */
async function finish(tenant: Tenant): Promise<void> {
  await noteWork(tenant, example);
  for (const { feed: name, seen, problems } of tenant.watches.filter(({ wants }) => wants === 'all')) {
    const last = (await feedOf(tenant, name)).at(-1);
    await expect.poll(() => problems.length > 0 || seen.at(-1) === last).toBe(true);
  }
  await together(tenant.watches.map(({ end }) => end()));
  for (const { socket } of tenant.processes) await socket.dispose();
}

/** One subscription to each feed had all that came after its start, once each and in order; no other had anything else. */
async function expectWatchesOwn(tenant: Tenant): Promise<void> {
  expect(tenant.watches.flatMap(({ problems }) => problems)).toEqual([]);
  for (const name of Object.keys(feeds)) {
    const stored = await feedOf(tenant, name);
    for (const { seen, wants } of tenant.watches.filter((one) => one.feed === name)) {
      if (wants === 'all') expect(seen).toEqual(stored.slice(name === 'connectionChanged' ? 1 : 0));
      else expect(wants === 'nothing' ? seen : seen.filter((one) => !stored.includes(one))).toEqual([]);
    }
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
    ({ name }) =>
      `select '${name}' as "table", tenant_id as tenant, t::text as row from ${name} t where tenant_id <> '${OPERATOR}'`,
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
    await agreesWithKeys(app.database, tenant);
    const own = new Set([...tenant.connections.map(({ name }) => name), ...tenant.actions.keys()]);
    expect([...tenant.refused].filter((what) => !own.has(what))).toEqual([]);
  }
}

/** Nobody's credential was used for anybody else, and every call was counted where it belongs. */
async function expectCallsOwn(): Promise<void> {
  const calls = new Map<string, number>();
  for (const request of provider.requests) {
    const { path, text } = request;
    const [mark, ...more] = new Set(`${authorizationOf(request)} ${path} ${text}`.match(MARK));
    expect(more).toEqual([]);
    if (/^\/(token|sinks|witnesses)/.test(path)) continue;
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
    const asked = Object.keys({ ...reads, ...changes, ...feeds });
    const known = new Set(asked.map((name) => /^\w+/.exec(name)?.[0]));
    const unknown = roots
      .flatMap((root) => Object.keys(root?.getFields() ?? {}))
      .filter((field) => !known.has(field) && !WITHOUT_IDS.has(field));
    expect(unknown, 'root fields that createAsks does not know').toEqual([]);

    const [tenant, other] = (await newTenants(2)) as [Tenant, Tenant];
    for (const n of Object.keys({ ...reads, ...changes }).keys()) await askForeign(tenant, other, n);
    for (const n of Object.keys(reads).keys()) await readOwn(tenant, other, n);
    for (const n of [0, 1]) for (const act of [askTogether, forge, watchForeign]) await act(tenant, other, n);
    await together([tenant, other].map(finish));
    await expectIsolated([tenant, other]);
  });

  // On a quiet machine it takes a quarter of this.
  it(
    'see, change and receive nothing of each other, whatever they do at the same time',
    { timeout: 120_000 },
    async () => {
      const run = async (plan: Plan): Promise<void> => {
        const tenants = await newTenants(plan.length);
        await carryOut(plan, tenants);
        await workOff(apps, tenants);
        for (const tenant of tenants) await deliver(tenant, LAST);
        await together(tenants.map(finish));
        await expectIsolated(tenants);
        for (const tenant of tenants) await expectWorked(app.database, tenant, example);
      };
      await fc.assert(fc.asyncProperty(plans, run), { numRuns: 2, endOnFailure: true });

      await expectCallsOwn();
      // Now that what was seen of the providers is in the tables.
      const everybody = [...property.keys()];
      await together(everybody.map((tenant) => browse(tenant, tenant, HEALTH)));
      for (const tenant of everybody) expectToldOwn(tenant);
      await expectTables();
    },
  );

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
