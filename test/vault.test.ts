import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  ReceiptsDocument,
  RegisterWebhookAppDocument,
  RotateDocument,
  SecretAccessesDocument,
  SetIncidentSinkDocument,
  SetReceiptWitnessDocument,
  SetOAuthAppDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { DataKeyRecord } from '../src/credential/data-key.entity.js';
import { createAccessLog } from '../src/credential/access.js';
import { createDataKeys } from '../src/credential/data-keys.js';
import { KeyProviderError } from '../src/credential/key-provider/key-provider.js';
import { createLocalKeyProvider } from '../src/credential/key-provider/local.js';
import { readMasterKey } from '../src/credential/master-key.js';
import { sealedColumns } from '../src/credential/reseal.js';
import { rewrapDataKeys } from '../src/credential/rewrap.js';
import { migrations } from '../src/migrations/index.js';
import { type TestApp, type TestCaller, createCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

const DAY_MS = 86_400_000;
const GRACE_MS = 15 * 60_000;

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly hook: Hook;
  readonly connectionId: string;
}

/** A connection to GitHub that was verified, took a delivery and carried out an action. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const env = {
    TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
    TRIBUTARY_MAX_CONNECTIONS_PER_TENANT: '100',
  };
  const app = await useTestApp({ clock, env });
  const caller = await app.caller();
  const hook = await connectGitHub(caller, 'main', github.token);
  const s = { app, clock, github, caller, hook, connectionId: hook.connectionId };
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  expect(await deliver(s)).toBe(202);
  await comment(s);
  return s;
}

/** The same, with something sealed in every column there is. */
async function fullStory(): Promise<Story> {
  const s = await story();
  const { caller, connectionId, github } = s;
  const credential = { token: github.token };
  await caller.get(RotateDocument, { input: { connectionId, what: 'WEBHOOK_SECRET' } });
  await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
  const app = { providerId: 'github', clientId: 'ours', clientSecret: 'secret' };
  await caller.get(SetOAuthAppDocument, { input: app });
  await caller.get(SetIncidentSinkDocument, { url: 'https://example.com/incidents' });
  await caller.get(SetReceiptWitnessDocument, { url: 'https://example.com/witness' });
  // The second takes over from the first, which is kept for a while.
  for (const secret of ['an app’s signing secret', 'the next signing secret']) {
    await caller.get(RegisterWebhookAppDocument, { input: { providerId: 'example', secret } });
  }
  await caller.get(ConnectDocument, {
    input: { providerId: 'github', name: 'by consent', authMethod: 'OAUTH2' },
  });
  return s;
}

async function deliver({ hook }: Pick<Story, 'hook'>): Promise<number> {
  return (await post(hook.url, await githubDelivery('ping', { zen: randomUUID() }, hook.secret))).status;
}

async function comment({ caller, connectionId }: Pick<Story, 'caller' | 'connectionId'>): Promise<void> {
  const { executeAction } = await caller.get(ExecuteActionDocument, {
    input: {
      connectionId,
      idempotencyKey: randomUUID(),
      action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } },
    },
  });
  expect(executeAction.status).toBe('SUCCEEDED');
}

/** The deployment's keys that sign checkpoints are sealed under the operator's data key: no tenant's story touches them. */
const tenantColumns = sealedColumns.filter(({ table }) => table !== 'checkpoint_keys');

/** Under which versions of the key each column's values are sealed. */
async function versionsInUse({ app }: Pick<Story, 'app'>): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const { table, column } of tenantColumns) {
    const rows = await app.database.query<{ version: number }>(
      `select distinct ('x' || encode(substring(${column} from 2 for 4), 'hex'))::bit(32)::int as version
       from ${table} where ${column} is not null order by 1`,
    );
    found[`${table}.${column}`] = rows.map(({ version }) => version);
  }
  return found;
}

const everywhere = (...versions: number[]) =>
  Object.fromEntries(tenantColumns.map(({ table, column }) => [`${table}.${column}`, versions]));

async function keyVersions({ app }: Pick<Story, 'app'>): Promise<number[]> {
  const rows = await app.database.query<{ version: number }>(
    'select version from data_keys order by version',
  );
  return rows.map(({ version }) => version);
}

/** The database once more, as another process has it. */
async function openDatabase({ database }: TestApp): Promise<Db> {
  const log = createLog('silent');
  const db = await openDb({ url: database.url, entities: [DataKeyRecord], migrations, log });
  onTestFinished(() => db.close());
  return db;
}

const rotateKey = ({ caller, connectionId }: Story) =>
  caller.get(RotateDocument, { input: { connectionId, what: 'ENCRYPTION_KEY' } });

it('every sealed column of the database is known to the one who seals anew', async () => {
  const app = await useTestApp();
  const columns = await app.database.query<{ name: string }>(
    `select c.table_name || '.' || c.column_name as name from information_schema.columns c
     where c.table_schema = 'public' and c.data_type = 'bytea' order by 1`,
  );
  const notSealed = [
    'actions.input_hash',
    'checkpoint_keys.public_key',
    'data_keys.wrapped',
    'oauth_flows.link_hash',
    'oauth_flows.session_hash',
    'oauth_flows.state_hash',
    'receipt_checkpoints.root',
    'receipt_leaves.hash',
    'receipt_nodes.hash',
    'receipt_queue.hash',
    'receipts.salt',
    'webhook_apps.token_hash',
    'webhook_endpoints.previous_token_hash',
    'webhook_endpoints.token_hash',
  ];
  const known = sealedColumns.map(({ table, column }) => `${table}.${column}`);
  expect(columns.map(({ name }) => name)).toEqual([...known, ...notSealed].toSorted());
});

describe('rotate ENCRYPTION_KEY', () => {
  it('seals anew in the background while everything works, and destroys the old key when nobody can use it', async () => {
    const s = await fullStory();
    const { services } = s.app.app;
    expect(await versionsInUse(s)).toEqual(everywhere(1));
    await rotateKey(s);
    expect(await keyVersions(s)).toEqual([1, 2]);
    // Nothing is sealed anew yet: everything opens by the old key, and what is new is under the new one.
    expect(await deliver(s)).toBe(202);
    await comment(s);
    expect((await versionsInUse(s))['deliveries.body']).toEqual([1, 2]);

    expect(await services.keys.resealAll()).toBe(1);
    expect(await versionsInUse(s)).toEqual(everywhere(2));
    expect(await keyVersions(s)).toEqual([1, 2]);
    s.clock.advance(GRACE_MS);
    expect(await services.keys.resealAll()).toBe(0);
    expect(await keyVersions(s)).toEqual([2]);
    expect(await services.keys.resealAll()).toBe(0);

    expect(await deliver(s)).toBe(202);
    await comment(s);
    const { connection } = await s.caller.get(SecretAccessesDocument, { connectionId: s.connectionId });
    expect(connection?.credential).toEqual({ version: 2, keyVersion: 2 });
    const { receipts } = await s.caller.get(ReceiptsDocument);
    const receipt = receipts.nodes.find(({ operation }) => operation.endsWith('rotate_encryption_key'));
    expect(receipt).toMatchObject({ outcome: 'SUCCESS', actor: 'user-of-acme' });
  });

  it('seals anew what a process that had not heard of the new key sealed after the first walk', async () => {
    const s = await fullStory();
    const [late] = await s.app.database.query<{ sealed: Buffer }>('select sealed from credentials');
    await rotateKey(s);
    await s.app.app.services.keys.resealAll();
    await s.app.database.query('update credentials set sealed = $1', [late?.sealed]);
    expect(await versionsInUse(s)).toEqual({ ...everywhere(2), 'credentials.sealed': [1] });
    s.clock.advance(GRACE_MS);
    expect(await s.app.app.services.keys.resealAll()).toBe(0);
    expect(await versionsInUse(s)).toEqual(everywhere(2));
    expect(await keyVersions(s)).toEqual([2]);
    await comment(s);
  });

  it('goes on where it was cut off, in another process', async () => {
    const s = await fullStory();
    const other = await useTestApp({ beside: s.app, clock: s.clock });
    for (let sent = 0; sent < 250; sent += 1) expect(await deliver(s)).toBe(202);
    await rotateKey(s);
    // A page for each column but the last, and one of the two that the deliveries have.
    let pages = 0;
    const stop = {
      get aborted() {
        pages += 1;
        return pages > sealedColumns.length;
      },
    } as AbortSignal;
    expect(await s.app.app.services.keys.resealAll(stop)).toBe(1);
    expect((await versionsInUse(s))['deliveries.body']).toEqual([1, 2]);
    const [position] = await s.app.database.query('select source, after from reseals');
    expect(position).toMatchObject({ source: sealedColumns.length - 1 });
    expect(await other.app.services.keys.resealAll()).toBe(1);
    expect(await versionsInUse(s)).toEqual(everywhere(2));
  });

  it('twice at once: one makes the key, the other is told', async () => {
    const s = await fullStory();
    const input = { connectionId: s.connectionId, what: 'ENCRYPTION_KEY' } as const;
    const answers = await Promise.all([1, 2, 3].map(() => s.caller.ask(RotateDocument, { input })));
    const codes = answers.map(({ errors }) => errors[0]?.extensions.code ?? 'ok');
    expect(codes.filter((code) => code === 'ok').length).toBeGreaterThan(0);
    expect(codes.filter((code) => code !== 'ok' && code !== 'CONFLICT')).toEqual([]);
    expect(await keyVersions(s)).toHaveLength(1 + codes.filter((code) => code === 'ok').length);
  });

  it('is refused while the one before is still in use', async () => {
    const s = await story();
    await rotateKey(s);
    const input = { connectionId: s.connectionId, what: 'ENCRYPTION_KEY' } as const;
    const { errors } = await s.caller.ask(RotateDocument, { input });
    expect(errors[0]?.extensions.code).toBe('CONFLICT');
    expect(await keyVersions(s)).toEqual([1, 2]);
  });

  it('comes by itself after 90 days, for each tenant alone', async () => {
    const s = await fullStory();
    s.clock.advance(60 * DAY_MS);
    await connectGitHub(await s.app.caller('globex'), 'theirs');
    expect(await s.app.app.services.keys.rotateDue()).toBe(0);
    s.clock.advance(30 * DAY_MS);
    expect(await s.app.app.services.keys.rotateDue()).toBe(1);
    expect(await s.app.app.services.keys.rotateDue()).toBe(0);
    const keys = await s.app.database.query('select tenant_id, version from data_keys order by 1, 2');
    expect(keys).toEqual([
      { tenant_id: 'acme', version: 1 },
      { tenant_id: 'acme', version: 2 },
      { tenant_id: 'globex', version: 1 },
    ]);
  });
});

describe('a tenant’s data key', () => {
  it('is made once, whoever comes first, in whichever process', async () => {
    const app = await useTestApp();
    const other = await useTestApp({ beside: app });
    const callers = [await app.caller(), createCaller(other.url, (await app.caller()).token)];
    await Promise.all(
      Array.from({ length: 24 }, (_, index) => connectGitHub(callers[index % 2] as TestCaller)),
    );
    expect(await keyVersions({ app })).toEqual([1]);
  });

  it('is found by who looked before it was made, and comes after another has sealed with it', async () => {
    const app = await useTestApp();
    const db = await openDatabase(app);
    const wrapper = createLocalKeyProvider({ masterKey: readMasterKey(app.config) });
    // It knows of none, and does not hear in time of the one that is made.
    const deaf = { ...db, listen: async () => async () => {} };
    const late = await createDataKeys({
      db: deaf,
      clock: createTestClock(),
      log: createLog('silent'),
      wrapper,
    });
    await expect(late.ofVersion('acme', 1)).rejects.toThrow('gone');
    await connectGitHub(await app.caller('acme'));
    expect(await late.current('acme')).toMatchObject({ version: 1 });
    expect(await keyVersions({ app })).toEqual([1]);
    await late.close();
  });

  it('of one tenant opens nothing of another’s: a row that is moved is refused', async () => {
    const s = await story();
    const globex = await s.app.caller('globex');
    const { connectionId } = await connectGitHub(globex, 'theirs', 'ghp_of_globex');
    await s.app.database.query(
      `update credentials set sealed = (select sealed from credentials where connection_id = $1)
       where connection_id = $2`,
      [s.connectionId, connectionId],
    );
    const { errors } = await globex.ask(VerifyDocument, { connectionId });
    expect(errors[0]?.extensions.code).toBe('INTERNAL');
    expect(s.github.provider.requests.filter(({ path }) => path === '/user')).toHaveLength(1);
  });

  it('that an older credential was sealed with does not bring it back', async () => {
    const s = await story();
    const [old] = await s.app.database.query<{ sealed: Buffer }>('select sealed from credentials');
    const credential = { token: s.github.token };
    await s.caller.get(RotateDocument, {
      input: { connectionId: s.connectionId, what: 'CREDENTIAL', credential },
    });
    await s.app.database.query('update credentials set sealed = $1', [old?.sealed]);
    const { errors } = await s.caller.ask(VerifyDocument, { connectionId: s.connectionId });
    expect(errors[0]?.extensions.code).toBe('INTERNAL');
  });
});

describe('the key provider', () => {
  it('that is away is told as VAULT_UNAVAILABLE, nothing is done, and it goes on when it is back', async () => {
    const s = await story();
    const wrapper = createLocalKeyProvider({ masterKey: readMasterKey(s.app.config) });
    let isAway = true;
    const db = await openDatabase(s.app);
    const keys = await createDataKeys({
      db,
      clock: s.clock,
      log: createLog('silent'),
      wrapper: {
        wrap: (key, name) => wrapper.wrap(key, name),
        unwrap: (wrapped, name) =>
          isAway
            ? Promise.reject(new KeyProviderError('unavailable', 'away'))
            : wrapper.unwrap(wrapped, name),
      },
    });
    await expect(keys.current('acme')).rejects.toMatchObject({
      code: 'VAULT_UNAVAILABLE',
      details: { retry_after_seconds: expect.any(Number) },
    });
    isAway = false;
    expect(await keys.current('acme')).toMatchObject({ version: 1 });
    isAway = true;
    // What was unwrapped once is good for a while.
    expect(await keys.current('acme')).toMatchObject({ version: 1 });
    await keys.close();
  });

  it('with another master key opens what the previous one wrapped, until all is wrapped anew', async () => {
    const s = await story();
    await connectGitHub(await s.app.caller('globex'), 'theirs');
    const db = await openDatabase(s.app);
    const old = readMasterKey(s.app.config);
    const [second, third] = [randomBytes(32), randomBytes(32)];
    const wrapper = (masterKey: Buffer, ...previousMasterKeys: Buffer[]) =>
      createLocalKeyProvider({ masterKey, previousMasterKeys });
    const rewrap = (by: ReturnType<typeof wrapper>) => rewrapDataKeys({ db, clock: s.clock, wrapper: by });

    const both = wrapper(second, old);
    let calls = 0;
    const failing = {
      ...both,
      wrap: (...args: Parameters<typeof both.wrap>) => {
        calls += 1;
        // The first tells which key it is, the next two are the tenants'.
        return calls === 3 ? Promise.reject(new KeyProviderError('unavailable', 'away')) : both.wrap(...args);
      },
    };
    await expect(rewrap(failing)).rejects.toThrow('away');
    // One was through. Before the rest follows, the key changes once more: then both have to.
    expect(await rewrap(wrapper(third, second, old))).toBe(2);
    expect(await rewrap(wrapper(third, second, old))).toBe(0);
    const log = createLog('silent');
    const keys = await createDataKeys({ db, clock: s.clock, log, wrapper: wrapper(third) });
    for (const tenant of ['acme', 'globex']) expect(await keys.current(tenant)).toMatchObject({ version: 1 });
    await keys.close();
  });

  it('is not asked for another first key where keys are lost: they can be put back', async () => {
    const s = await story();
    const kept = await s.app.database.query('select * from data_keys');
    await s.app.database.query('delete from data_keys');
    const broken = await useTestApp({ beside: s.app, clock: s.clock });
    const caller = createCaller(broken.url, s.caller.token);
    expect((await caller.ask(VerifyDocument, { connectionId: s.connectionId })).errors).toHaveLength(1);
    const input = {
      providerId: 'github',
      name: 'new',
      authMethod: 'BEARER',
      credential: { token: 'x' },
    } as const;
    expect((await caller.ask(ConnectDocument, { input })).errors).toHaveLength(1);
    expect(await keyVersions(s)).toEqual([]);
    await s.app.database.query(
      'insert into data_keys select * from jsonb_populate_recordset(null::data_keys, $1)',
      [
        JSON.stringify(
          kept.map((row) => ({ ...row, wrapped: `\\x${(row['wrapped'] as Buffer).toString('hex')}` })),
        ),
      ],
    );
    await expect
      .poll(
        async () => (await caller.ask(VerifyDocument, { connectionId: s.connectionId })).data?.verify.status,
      )
      .toBe('ACTIVE');
  });
});

describe('every use of a secret', () => {
  it('leaves a row: who, what for, which version', async () => {
    const s = await story();
    const credential = { token: s.github.token };
    await s.caller.get(RotateDocument, {
      input: { connectionId: s.connectionId, what: 'CREDENTIAL', credential },
    });
    await comment(s);
    await expect
      .poll(async () => (await accesses(s)).map(({ field, purpose }) => `${field} ${purpose}`))
      .toEqual([
        'CREDENTIAL action',
        'CREDENTIAL rotate',
        'CREDENTIAL action',
        'WEBHOOK_SECRET webhook',
        'CREDENTIAL verify',
      ]);
    const [action, , , webhook] = await accesses(s);
    expect(action).toMatchObject({
      actor: 'user-of-acme',
      secretVersion: 2,
      correlationId: expect.any(String),
    });
    expect(webhook).toMatchObject({ actor: 'system', secretVersion: null });
  });

  it('is not for those without the scope, nor for other tenants', async () => {
    const s = await story();
    const reader = await s.app.caller('acme', 'integrations:read');
    const { errors } = await reader.ask(SecretAccessesDocument, { connectionId: s.connectionId });
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
    const stranger = await s.app.caller('globex');
    const other = await stranger.ask(SecretAccessesDocument, { connectionId: s.connectionId });
    expect(other.errors[0]?.extensions.code).toBe('NOT_FOUND');
  });

  it('is written down although another row can’t be', async () => {
    const s = await story();
    const log = createAccessLog((await openDatabase(s.app)).doors, createLog('silent'));
    const access = {
      tenantId: 'acme',
      connectionId: s.connectionId,
      field: 'credential',
      secretVersion: 1,
      purpose: 'test',
      correlationId: null,
      at: new Date(),
    } as const;
    log.record({ ...access, actor: 'one' });
    log.record({ ...access, actor: 'no id', connectionId: 'none' });
    log.record({ ...access, actor: 'broken \ud800 \0' });
    log.record({ ...access, actor: 'two' });
    await log.drain();
    const rows = await s.app.database.query<{ actor: string }>(
      `select actor from secret_accesses where purpose = 'test' order by id`,
    );
    expect(rows.map(({ actor }) => actor)).toEqual(['one', 'broken \ufffd \ufffd', 'two']);
  });

  it('outlives the connection', async () => {
    const s = await story();
    await s.caller.get(DisconnectDocument, { connectionId: s.connectionId });
    const rows = await s.app.database.query('select * from secret_accesses where connection_id = $1', [
      s.connectionId,
    ]);
    expect(rows.length).toBeGreaterThanOrEqual(3);
  });

  async function accesses({ caller, connectionId }: Story) {
    const { connection } = await caller.get(SecretAccessesDocument, { connectionId });
    return connection?.secretAccesses.nodes ?? [];
  }
});
