import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, it, onTestFinished, vi } from 'vitest';
import { ConnectDocument, VerifyDocument } from '../schema/generated/operations.js';
import { variables } from '../src/variables.js';
import { createCaller } from './support/app.js';
import { useSuperuser, useTestDatabase } from './support/database.js';
import { startFakeProvider } from './support/fake-provider.js';
import { githubDelivery, post } from './support/github.js';
import { type Exit, type Program, buildProgram, useDataDir } from './support/process.js';
import { createPlanted, repeat, repetitions } from './support/secrets.js';

vi.setConfig({ testTimeout: 60_000 });

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

const made = (kind: string): string => `${kind}_${randomBytes(15).toString('hex')}`;

const printed = ({ stdout, stderr }: Exit) => ({ 'standard output': stdout, 'standard error': stderr });

it('a process prints no secret of its environment or of what it is told, but its own development token', async () => {
  const planted = createPlanted();
  const secret = (name: string): string => planted.plant(name, made('secret'));
  const github = await startFakeProvider();
  onTestFinished(() => github.close());
  github.on('GET /user', ({ headers }) => ({ status: 401, body: { message: headers['authorization'] } }));
  const { url } = await useTestDatabase();
  const database = await useSuperuser(url, secret('the database’s password'));
  const redis = new URL(inject('redisUrl'));
  redis.password = secret('the password of Redis');
  const [master, previous] = ['master key', 'previous master key'].map((name) =>
    planted.plant(name, randomBytes(32).toString('base64')),
  );
  const clientSecret = made('client');
  planted.plantBasic('the OAuth client’s secret', 'our-app', clientSecret);
  const running = await program.start({
    dataDir: await useDataDir(),
    env: {
      LOG_LEVEL: 'trace',
      EGRESS_ALLOW: '127.0.0.0/8',
      DATABASE_URL: database,
      REDIS_URL: redis.href,
      TRIBUTARY_MASTER_KEY: master!,
      TRIBUTARY_MASTER_KEY_PREVIOUS: previous!,
      TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.url,
      TRIBUTARY_PROVIDER_GITHUB_OAUTH_URL: github.url,
      TRIBUTARY_PROVIDER_GITHUB_CLIENT_ID: 'our-app',
      TRIBUTARY_PROVIDER_GITHUB_CLIENT_SECRET: clientSecret,
      TRIBUTARY_SECRET_REFERENCES: 'shared:env://*',
      TRIBUTARY_SECRET_REFERRED: secret('a secret that is referred to'),
      VAULT_ADDR: github.url,
      VAULT_TOKEN: secret('the Vault token'),
      AWS_SECRET_ACCESS_KEY: secret('the key to AWS'),
      AZURE_CLIENT_SECRET: secret('the key to Azure'),
    },
  });
  const caller = createCaller(running.url, running.token);
  const connect = async (credential: Record<string, string>) => {
    const input = { providerId: 'github', name: made('name'), authMethod: 'BEARER', credential } as const;
    const { connect: { connection, webhook } } = await caller.get(ConnectDocument, { input }); // prettier-ignore
    planted.plant('a webhook’s secret', webhook?.secret ?? '');
    planted.plant('a webhook’s token', webhook?.url.split('/').at(-1) ?? '');
    return { connectionId: connection.id, url: webhook?.url ?? '', secret: webhook?.secret ?? '' };
  };
  for (const credential of [{ token: secret('a token') }, { token: 'env://TRIBUTARY_SECRET_REFERRED' }]) {
    const { connectionId, ...hook } = await connect(credential);
    for (const repetition of Object.values(repetitions)) {
      github.next(
        'GET /user',
        repeat(401, repetition, ({ headers }) => headers['authorization'] ?? ''),
      );
      await caller.ask(VerifyDocument, { connectionId });
    }
    await post(hook.url, await githubDelivery('ping', { zen: secret('a word in a body') }, hook.secret));
    await post(hook.url, await githubDelivery('ping', '{', hook.secret));
    await post(`${hook.url}x`, await githubDelivery('ping', {}, hook.secret));
  }
  await createCaller(running.url, secret('no token')).ask('{ connections { nodes { id } } }');
  await fetch(
    `${running.url}/v1/integrations/oauth/callback?code=${secret('a code')}&state=${secret('a state')}`,
  );
  const exit = await running.stop('SIGTERM');
  expect(exit).toMatchObject({ code: 0, messages: [] });
  expect(exit.stderr).toContain('provider call');
  planted.expectNoneIn(printed(exit));
  // The one exception: it is how a developer gets to try anything. Once, and where no log goes.
  expect(exit.stdout.split(running.token)).toHaveLength(2);
  expect(exit.stderr).not.toContain(running.token.split('.')[2]);
});

it('a process that can’t start says which variable is wrong, and not how it was set', async () => {
  const planted = createPlanted();
  const dataDir = await useDataDir();
  const start = async (env: Readonly<Record<string, string>>): Promise<Exit> => {
    const exit = await program.launch({ dataDir, env: { DATABASE_URL: 'postgres://127.0.0.1:1/x', ...env } })
      .ended;
    expect(exit.code, JSON.stringify(env)).not.toBe(0);
    planted.expectNoneIn(printed(exit));
    return exit;
  };
  const secret = (name = 'what a variable was set to'): string =>
    planted.plant(`${name} ${made('')}`, made('secret'));

  const allWrong = Object.fromEntries(
    Object.keys(variables)
      .filter((name) => name !== 'TRIBUTARY_DATA_DIR')
      .map((name) => [name, secret(name)]),
  );
  const families = ['BASE_URL', 'OAUTH_URL', 'CLIENT_SECRET'].map(
    (end) => `TRIBUTARY_PROVIDER_GITHUB_${end}`,
  );
  for (const name of families) allWrong[name] = secret(name);
  const { stderr } = await start(allWrong);
  for (const name of [
    'PORT',
    'DATABASE_URL',
    'TRIBUTARY_MASTER_KEY',
    'AUTH_JWKS_URL',
    'LOG_LEVEL',
    ...families,
  ])
    expect(stderr).toContain(`${name}: `);

  const silent = createServer((socket) => void socket.end('no PostgreSQL')).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const at = (scheme: string, rest: string): string => `${scheme}://user:${secret()}@${rest}`;
  const starts: Readonly<Record<string, string>>[] = [
    { DATABASE_URL: at('postgres', '127.0.0.1:1/x') },
    { DATABASE_URL: at('postgres', `127.0.0.1:${port}/x`) },
    { DATABASE_URL: `postgres://user:%zz${secret()}@127.0.0.1:1/x` },
    { DATABASE_URL: at('postgres', `127.0.0.1:1/x?sslmode=verify-full&sslrootcert=/nowhere`) },
    { DATABASE_URL: at('mysql', '127.0.0.1/x') },
    { DATABASE_URL: `postgres://user:pass#${secret()}@127.0.0.1/x` },
    {
      TRIBUTARY_MASTER_KEY: randomBytes(31).toString('base64'),
      TRIBUTARY_MASTER_KEY_PREVIOUS: `,${secret()}`,
    },
    { VAULT_TOKEN: secret() },
    { EGRESS_ALLOW: secret() },
    { TRIBUTARY_SECRET_REFERENCES: secret() },
    { TRIBUTARY_SECRET_REFERENCES: `vault://${secret()}/{tenant}/**` },
  ];
  for (const env of starts.slice(6, 8)) planted.plant(`key ${made('')}`, Object.values(env)[0] ?? '');
  await Promise.all(starts.map(start));
});

it('a process whose stores refuse its passwords says so without them', async () => {
  const planted = createPlanted();
  const database = (await useTestDatabase()).url;
  const redis = new URL(inject('redisUrl'));
  redis.username = 'someone';
  redis.password = planted.plant('a refused password', made('pw'));
  const running = await program.start({
    dataDir: await useDataDir(),
    env: { LOG_LEVEL: 'trace', DATABASE_URL: database, REDIS_URL: redis.href },
  });
  const exit = await running.stop('SIGTERM');
  expect(exit.stderr).toContain('redis');
  planted.expectNoneIn(printed(exit));

  const mongodb = `mongodb://user:${planted.plant('the password of MongoDB', made('pw'))}@127.0.0.1:1/x?serverSelectionTimeoutMS=500`;
  const refused = await program.launch({
    dataDir: await useDataDir(),
    env: { LOG_LEVEL: 'trace', DATABASE_URL: database, MONGODB_URL: mongodb },
  }).ended;
  expect(refused.code).toBe(1);
  planted.expectNoneIn(printed(refused));
  const broken = mongodb.replace('@127', '@x@127');
  const malformed = await program.launch({
    dataDir: await useDataDir(),
    env: { DATABASE_URL: database, MONGODB_URL: broken },
  }).ended;
  expect(malformed.code).toBe(1);
  planted.expectNoneIn(printed(malformed));
});
