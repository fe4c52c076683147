import { describe, expect, it, onTestFinished } from 'vitest';
import { type Caller, scopes } from '../src/core/caller.js';
import { type TestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import type { FakeAnswer } from './support/fake-provider.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';

const caller: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'corr-1' };

interface Story {
  readonly app: TestApp;
  readonly github: FakeGitHub;
}

async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  return { app, github };
}

function command(token: string, overrides: object = {}) {
  return {
    providerId: 'github',
    name: 'main',
    authMethod: 'BEARER' as const,
    credential: { token },
    ...overrides,
  };
}

describe('connect', () => {
  it('stores the secret sealed, waits for verification, and shows the webhook’s secret once', async () => {
    const { app, github } = await story();
    const { connection, webhook } = await app.app.services.connections.connect(caller, command(github.token));
    expect(connection).toMatchObject({
      status: 'PENDING_VERIFICATION',
      providerId: 'github',
      capabilities: ['WEBHOOK', 'POLLING', 'ACTIONS'],
    });
    expect(webhook?.url).toMatch(new RegExp(`^${app.url}/v1/integrations/webhooks/github/[\\w-]{43}$`));
    expect(webhook?.secret?.reveal()).toMatch(/^[\w-]{43}$/);
    expect(github.provider.requests).toHaveLength(0);
    const dump = JSON.stringify(
      await Promise.all(
        ['connections', 'credentials', 'webhook_endpoints', 'receipts'].map((table) =>
          app.database.query(`select row_to_json(t)::text as row from ${table} t`),
        ),
      ),
    );
    const token = webhook?.url.split('/').at(-1) ?? '';
    for (const secret of [github.token, webhook?.secret?.reveal() ?? '', token]) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        Buffer.from(secret).toString('hex'),
      ]) {
        expect(dump).not.toContain(form);
      }
    }
  });

  it('leaves a receipt that names the fields of the credential and not what is in them', async () => {
    const { app, github } = await story();
    await app.app.services.connections.connect(caller, command(github.token));
    expect(
      await app.database.query('select operation, outcome, actor, correlation_id, request from receipts'),
    ).toEqual([
      {
        operation: 'integration.connection.github.connect',
        outcome: 'SUCCESS',
        actor: 'ada',
        correlation_id: 'corr-1',
        request: expect.objectContaining({ name: 'main', credential: ['token'] }),
      },
    ]);
  });

  it.each<[string, string, object, string]>([
    ['an unknown provider', 'NOT_FOUND', { providerId: 'gitbub' }, 'github'],
    ['another auth method', 'UNSUPPORTED', { authMethod: 'BASIC' }, 'BEARER'],
    ['an empty name', 'INVALID_INPUT', { name: '  ' }, 'name'],
    ['an endless name', 'INVALID_INPUT', { name: 'x'.repeat(101) }, 'name'],
    ['no credential', 'INVALID_INPUT', { credential: undefined }, 'credential.token'],
    [
      'an unknown credential field',
      'INVALID_INPUT',
      { credential: { token: 'hunter2', pass: 'hunter2' } },
      'credential.pass',
    ],
    ['a credential of the wrong type', 'INVALID_INPUT', { credential: { token: 7 } }, 'credential.token'],
    ['unknown settings', 'INVALID_INPUT', { settings: { color: 'red' } }, 'settings.color'],
    ['a capability it lacks', 'INVALID_INPUT', { capabilities: ['PROXY'] }, 'capabilities'],
    ['no capability at all', 'INVALID_INPUT', { capabilities: [] }, 'capabilities'],
    ['too many tags', 'INVALID_INPUT', { tags: Array.from({ length: 21 }, String) }, 'tags'],
  ])('%s: %s naming it, nothing stored, nothing repeated', async (_name, code, overrides, named) => {
    const { app, github } = await story();
    const failed = app.app.services.connections.connect(caller, command(github.token, overrides));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') });
    for (const table of ['connections', 'credentials', 'webhook_endpoints', 'receipts']) {
      expect(await app.database.query(`select * from ${table}`)).toEqual([]);
    }
  });

  it('takes a name once per tenant and provider, also when two ask at once', async () => {
    const { app, github } = await story();
    const { connections } = app.app.services;
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => connections.connect(caller, command(github.token))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = results
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    expect(refused).toEqual([1, 2].map(() => expect.objectContaining({ code: 'NAME_TAKEN' })));
    expect(await app.database.query('select count(*)::int as n from receipts')).toEqual([{ n: 1 }]);
    await expect(
      connections.connect({ ...caller, tenantId: 'globex' }, command(github.token)),
    ).resolves.toBeDefined();
  });

  it('without WEBHOOK gives no endpoint', async () => {
    const { app, github } = await story();
    const { webhook } = await app.app.services.connections.connect(
      caller,
      command(github.token, { capabilities: ['ACTIONS'] }),
    );
    expect(webhook).toBeNull();
    expect(await app.database.query('select * from webhook_endpoints')).toEqual([]);
  });
});

/** A read is tried three times. */
function everyTry(reply: FakeAnswer) {
  return [answer(reply), answer(reply), answer(reply)];
}

describe('verify', () => {
  async function connected(token?: string) {
    const { app, github } = await story();
    const { connections } = app.app.services;
    const { connection } = await connections.connect(caller, command(token ?? github.token));
    return { app, github, connections, id: connection.id };
  }

  it('makes it ACTIVE with account and granted scopes, and leaves a receipt', async () => {
    const { app, connections, id, github } = await connected();
    const connection = await connections.verify(caller, id);
    expect(connection).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      account: { id: expect.any(String), name: expect.any(String), url: expect.stringContaining('https://') },
      grantedScopes: ['repo', 'read:user'],
      verifiedAt: expect.any(Date),
    });
    expect(github.provider.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /user']);
    expect(
      await app.database.query(`select outcome, result from receipts where operation like '%.verify'`),
    ).toMatchObject([{ outcome: 'SUCCESS', result: { status: 'ACTIVE' } }]);
  });

  it('with a credential the provider refuses makes it ERROR and says what to do', async () => {
    const { connections, id, app } = await connected('ghp_wrong');
    const connection = await connections.verify(caller, id);
    expect(connection).toMatchObject({
      status: 'ERROR',
      statusReason: {
        code: expect.any(String),
        message: expect.stringMatching(/new credential/i),
        since: expect.any(String),
      },
    });
    expect(await app.database.query(`select outcome from receipts where operation like '%.verify'`)).toEqual([
      { outcome: 'FAILURE' },
    ]);
  });

  it('of a provider that can’t be reached says so, and a later verify mends it', async () => {
    const { connections, id, github } = await connected();
    github.provider.next(
      'GET /user',
      ...everyTry({ status: 503, body: { message: 'Down for maintenance' } }),
    );
    expect(await connections.verify(caller, id)).toMatchObject({
      status: 'ERROR',
      statusReason: { message: expect.stringContaining('Try again') },
    });
    expect(await connections.verify(caller, id)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  });

  it('never takes a working connection down because the provider was away', async () => {
    const { connections, id, github } = await connected();
    await connections.verify(caller, id);
    github.provider.next('GET /user', ...everyTry({ status: 503, body: { message: 'Down' } }));
    expect(await connections.verify(caller, id)).toMatchObject({
      status: 'ACTIVE',
      statusReason: { code: 'http_503' },
    });
    github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    expect(await connections.verify(caller, id)).toMatchObject({ status: 'ERROR' });
  });

  it('of a suspended connection is refused, and nobody is asked', async () => {
    const { app, connections, id, github } = await connected();
    await app.database.query(`update connections set status = 'SUSPENDED'`);
    await expect(connections.verify(caller, id)).rejects.toMatchObject({ code: 'CONNECTION_NOT_READY' });
    expect(github.provider.requests).toHaveLength(0);
  });

  it('of another tenant’s connection is NOT_FOUND', async () => {
    const { connections, id } = await connected();
    await expect(connections.verify({ ...caller, tenantId: 'globex' }, id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('health', () => {
  it('tells what really happened: rate, latency, errors, and how fresh the signals are', async () => {
    const { app, github } = await story();
    const { connections, health } = app.app.services;
    const { connection } = await connections.connect(caller, command(github.token));
    const read = async () => (await health.of(caller, [connection.id])).get(connection.id);
    expect(await read()).toMatchObject({
      status: 'UNKNOWN',
      requests1h: 0,
      successRate1h: null,
      latencyP50Ms: null,
      freshnessLagSeconds: null,
    });
    await connections.verify(caller, connection.id);
    await expect.poll(async () => (await read())?.status).toBe('HEALTHY');
    expect(await read()).toMatchObject({
      requests1h: 1,
      errors1h: 0,
      successRate1h: 1,
      lastSuccessAt: expect.any(Date),
      lastFailureAt: null,
    });
    expect((await read())?.latencyP50Ms).toBeGreaterThan(0);
    // Told to wait for longer than a call waits, nothing is asked again.
    const headers = { 'retry-after': '30' };
    github.provider.next('GET /user', answer({ status: 503, headers, body: { message: 'Down' } }));
    await connections.verify(caller, connection.id);
    await expect.poll(async () => (await read())?.errors1h).toBe(1);
    // Two calls are too few to call it bad.
    expect(await read()).toMatchObject({
      status: 'UNKNOWN',
      successRate1h: 0.5,
      recentErrors: [{ category: 'PROVIDER', code: 'http_503', message: 'Down', providerStatus: 503 }],
    });
    expect(await health.ofTenant(caller)).toMatchObject({
      counts: [
        { status: 'UNHEALTHY', count: 0 },
        { status: 'DEGRADED', count: 0 },
        { status: 'UNKNOWN', count: 1 },
        { status: 'HEALTHY', count: 0 },
      ],
      worst: [{ connectionId: connection.id }],
    });
    expect(await health.of({ ...caller, tenantId: 'globex' }, [connection.id])).toEqual(new Map());
  });
});
