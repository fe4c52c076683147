import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { print } from 'graphql';
import { expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  ReceiptsDocument,
  RotateDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { createLocalKeyProvider } from '../src/credential/key-provider/local.js';
import { type TestApp, type TestCaller, createCaller, startTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { createTestDatabase, useSuperuser } from './support/database.js';
import { startFakeExample } from './support/fake-example.js';
import { startFakeGitHub } from './support/fake-github.js';
import { startFakeProvider } from './support/fake-provider.js';
import { useIssuer } from './support/issuer.js';
import {
  type Planted,
  type Watched,
  createPlanted,
  createWatched,
  repeat,
  repetitions,
  tryToComment,
} from './support/secrets.js';

interface World {
  readonly clock: TestClock;
  readonly watched: Watched;
  readonly planted: Planted;
  start(env: Readonly<Record<string, string>>, more?: object): Promise<TestApp>;
  caller(app: TestApp): Promise<TestCaller>;
}

function createWorld(): World {
  const clock = createTestClock();
  const [watched, planted] = [createWatched(), createPlanted()];
  return {
    clock,
    watched,
    planted,
    async start(env, more = {}) {
      const app = await startTestApp({ clock, log: watched.log, env, ...more });
      onTestFinished(() => app.close());
      return app;
    },
    async caller(app) {
      const caller = await app.caller();
      planted.plant('a caller’s token', caller.token);
      return watched.keep(caller);
    },
  };
}

const made = (kind: string): string => `${kind}_${randomBytes(15).toString('hex')}`;

async function connect(caller: TestCaller, input: object): Promise<string> {
  const common = { name: made('name'), authMethod: 'BEARER' };
  const { data } = await caller.ask<{ connect: { connection: { id: string } } | null }, object>(
    print(ConnectDocument),
    { input: { ...common, ...input } },
  );
  return data?.connect?.connection.id ?? '';
}

async function lookAround(caller: TestCaller, id: string): Promise<void> {
  await caller.ask(ConnectionDocument, { id });
  await caller.ask(ReceiptsDocument);
}

async function expectClean({ planted, watched }: World, ...apps: TestApp[]): Promise<void> {
  const places = await watched.places(...apps);
  expect(places['tables']).toContain('acme');
  planted.expectNoneIn(places);
}

it('what references lead to, to variables and to a Vault that repeats its token, is nowhere', async () => {
  const w = createWorld();
  const [example, vault] = await Promise.all([startFakeExample(w.clock), startFakeProvider()]);
  for (const provider of [example.provider, vault]) onTestFinished(() => provider.close());
  const value = w.planted.plant('a variable’s value', made('ex_live'));
  const other = w.planted.plant('a value that is no good', made('ex_live'));
  const kept = w.planted.plant('a value in Vault', made('ex_live'));
  const token = w.planted.plant('the Vault token', made('hvs'));
  example.accept((given) => given === value || given === kept);
  vault.on('GET /v1/kv/data/{name}', ({ headers }, { name }) => {
    if (headers['x-vault-token'] !== token)
      return { status: 403, body: { errors: [headers['x-vault-token']] } };
    return name === 'good'
      ? { status: 200, body: { data: { data: { token: kept }, metadata: { version: 1 } } } }
      : { status: 404, body: { errors: [kept, token] } };
  });
  const app = await w.start({
    TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
    TRIBUTARY_SECRET_REFERENCES: 'shared:env://*,shared:vault://kv/*',
    TRIBUTARY_SECRET_GOOD: value,
    TRIBUTARY_SECRET_OTHER: other,
    TRIBUTARY_SECRET_JSON: JSON.stringify({ token: value, deep: { other } }),
    VAULT_ADDR: vault.url,
    VAULT_TOKEN: token,
  });
  const caller = await w.caller(app);
  const references = ['GOOD', 'OTHER', 'JSON#token', 'JSON#deep', 'JSON#none', 'NONE', 'GOOD#x', 'JSON']
    .map((name) => `env://TRIBUTARY_SECRET_${name}`)
    .concat('vault://kv/good#token', 'vault://kv/none#token', 'vault://kv/good#none', 'vault://kv/good');
  // A secret that was typed where a reference belongs.
  const mistyped = [
    `env://${value}`,
    `vault://${value}`,
    `vault://kv/${value}#${value}`,
    `aws-sm://${value}`,
  ];
  for (const reference of [...references, ...mistyped]) {
    for (const credential of [{ token: reference }, { reference }]) {
      const id = await connect(caller, { providerId: 'example', credential });
      if (!id) continue;
      await caller.ask(VerifyDocument, { connectionId: id });
      await lookAround(caller, id);
    }
  }
  for (const repetition of Object.values(repetitions)) {
    for (const status of [400, 403, 500, 302]) {
      vault.next(
        () => true,
        repeat(status, repetition, ({ headers }) => headers['x-vault-token'] ?? ''),
      );
      await connect(caller, { providerId: 'example', credential: { token: 'vault://kv/good#token' } });
    }
  }
  const id = await connect(caller, { providerId: 'example', credential: { token: references[0] } });
  for (const repetition of Object.values(repetitions)) {
    const told = repeat(401, repetition, ({ headers }) => headers['authorization'] ?? '');
    example.provider.next(() => true, told);
    await caller.ask(VerifyDocument, { connectionId: id });
    const { verify } = await caller.get(VerifyDocument, { connectionId: id });
    expect(verify.status).toBe('ACTIVE');
    example.provider.next(() => true, told);
    await tryToComment(caller, id);
  }
  const variables = app.config.secretVariables as Record<string, string | undefined>;
  variables['TRIBUTARY_SECRET_GOOD'] = undefined;
  w.clock.advance(61_000);
  await tryToComment(caller, id);
  await lookAround(caller, id);
  await expectClean(w, app);
});

it('an App’s key, what it signs and the tokens it gets are nowhere, whatever GitHub repeats', async () => {
  const w = createWorld();
  const github = await startFakeGitHub(w.clock);
  onTestFinished(() => github.provider.close());
  const app = await w.start({ TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url });
  w.planted.plant('an installation’s token', github.token);
  const ask = 'POST /app/installations/{id}/access_tokens';
  const hour = () => new Date(w.clock.now().getTime() + 3_600_000).toISOString();
  github.provider.on(ask, () => ({ status: 201, body: { token: github.token, expires_at: hour() } }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  w.planted.plant('a private key', pem);
  w.planted.plant('a line of it', pem.split('\n')[5] ?? '');
  w.planted.plant('a broken key’s line', pem.split('\n')[6] ?? '');
  const app1 = { appId: '17', installationId: '4711', privateKey: pem };
  const caller = await w.caller(app);
  const input = { providerId: 'github', authMethod: 'SERVICE_ACCOUNT' };
  for (const credential of [
    { ...app1, privateKey: pem.replace(pem.split('\n')[5] ?? '', 'x') },
    { ...app1, privateKey: pem.slice(0, 400) },
    { ...app1, privateKey: { pem } },
    { ...app1, [pem]: pem },
    { ...app1, installationId: pem },
    { token: pem },
  ]) {
    const id = await connect(caller, { ...input, credential });
    if (id) await caller.ask(VerifyDocument, { connectionId: id });
  }
  const id = await connect(caller, { ...input, credential: app1 });
  for (const repetition of Object.values(repetitions)) {
    for (const status of [401, 404, 422, 500, 302]) {
      const told = repeat(status, repetition, ({ headers }) => headers['authorization'] ?? '');
      github.provider.next(ask, told);
      await caller.ask(VerifyDocument, { connectionId: id });
      const rotation = { connectionId: id, what: 'CREDENTIAL', credential: app1 } as const;
      github.provider.next(ask, told);
      await caller.ask(RotateDocument, { input: rotation });
      w.clock.advance(60_000);
    }
  }
  const asked = github.provider.requests.filter(({ path }) => path.endsWith('/access_tokens'));
  expect(asked.length).toBeGreaterThan(20);
  for (const { headers } of asked) {
    w.planted.plant('what the App signed', headers['authorization']?.split(' ')[1] ?? '');
  }
  const later = await w.caller(app);
  await later.ask(VerifyDocument, { connectionId: id });
  await lookAround(later, id);
  await expectClean(w, app);
});

it('the keys of the vault and the ways to the stores are nowhere, and data keys only wrapped', async () => {
  const w = createWorld();
  const example = await startFakeExample(w.clock);
  onTestFinished(() => example.provider.close());
  const [master, previous] = [randomBytes(32), randomBytes(32)];
  const password = w.planted.plant('the database’s password', made('pw'));
  for (const [name, key] of Object.entries({ master, previous })) {
    w.planted.plant(`the ${name} key`, key.toString('base64'));
    w.planted.plant(`the ${name} key in hex`, key.toString('hex'));
  }
  const base = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url };
  const database = await createTestDatabase();
  const url = await useSuperuser(database.url, password);
  const first = await w.start(
    { ...base, TRIBUTARY_MASTER_KEY: previous.toString('base64') },
    { database, via: () => url },
  );
  const id = await connect(await w.caller(first), {
    providerId: 'example',
    credential: { token: example.token },
  });
  const second = await w.start(
    {
      ...base,
      TRIBUTARY_MASTER_KEY: master.toString('base64'),
      TRIBUTARY_MASTER_KEY_PREVIOUS: previous.toString('base64'),
    },
    { beside: first, via: () => url },
  );
  const caller = await w.caller(second);
  await caller.ask(VerifyDocument, { connectionId: id });
  await caller.ask(RotateDocument, { input: { connectionId: id, what: 'ENCRYPTION_KEY' } });
  await second.app.services.keys.resealAll();
  // By the first one, who knows nothing of the new master key.
  const refused = await w.watched.keep(await first.caller()).ask(VerifyDocument, { connectionId: id });
  expect(refused.errors[0]?.extensions.code).toBe('VAULT_UNAVAILABLE');
  await second.database.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  );
  await caller.ask(ConnectionDocument, { id });
  await expect.poll(async () => (await caller.ask(ConnectionDocument, { id })).errors).toEqual([]);

  const local = createLocalKeyProvider({ masterKey: master, previousMasterKeys: [previous] });
  const rows = await second.database.query<{ tenant: string; version: number; key: string; wrapped: Buffer }>(
    'select tenant_id as tenant, version, key_id as key, wrapped from data_keys',
  );
  expect(rows).toHaveLength(2);
  for (const { tenant: tenantId, version, key: keyId, wrapped } of rows) {
    const key = await local.unwrap({ provider: 'local', keyId, wrapped }, { tenantId, version });
    w.planted.plant(`data key ${version}`, key.toString('base64'));
    w.planted.plant(`data key ${version} in hex`, key.toString('hex'));
  }
  await lookAround(caller, id);
  await expectClean(w, first, second);
});

it('a caller’s token is nowhere, be it good, over, forged, or from an issuer that does not answer', async () => {
  const w = createWorld();
  const issuer = await useIssuer();
  const app = await w.start(issuer.env);
  const all = 'integrations:read integrations:write integrations:admin integrations:audit';
  const tokens = [
    await issuer.sign({ scope: all }),
    await issuer.sign({ exp: 1 }),
    await issuer.sign({ aud: 'elsewhere' }),
    await issuer.sign({ scope: '', tenant_id: 7 }),
    await issuer.sign({}, 'HS256'),
    `${await issuer.sign()}x`,
    made('no_token'),
  ];
  const ask = async (token: string): Promise<void> => {
    w.planted.plant('a token', token);
    const signature = token.split('.')[2];
    if (signature) w.planted.plant('a token’s signature', signature);
    const caller = w.watched.keep(createCaller(app.url, token));
    await connect(caller, { providerId: 'github', credential: { token: 'ghp_x' } });
    await caller.ask('{ connections { nodes { id } } }');
    for (const authorization of [`Bearer ${token}`, `Basic ${token}`, token, `bearer  ${token} x`]) {
      const headers = { authorization, 'x-correlation-id': 'one' };
      await w.watched.request(`${app.url}/v1/integrations/connections`, { headers });
      await w.watched.request(`${app.url}/graphql?query={__typename}`, { headers });
    }
    const end = await new Promise<string>((resolve) => {
      const socket = caller.socket();
      socket.on('closed', (event) => resolve(JSON.stringify(event)));
      socket.subscribe(
        { query: 'subscription { signalReceived { id } }' },
        { next() {}, error: (error) => resolve(JSON.stringify(error)), complete() {} },
      );
      socket.on('connected', () => resolve(''));
    });
    w.watched.answers.push(end);
  };
  for (const token of tokens) await ask(token);
  expect(w.watched.answers.join()).toContain('UNAUTHENTICATED');
  issuer.fail('answers 500');
  w.clock.advance(3_600_000);
  await ask(await issuer.sign({ exp: Math.floor(w.clock.now().getTime() / 1000) + 60, scope: all }));
  await expectClean(w, app);
});
