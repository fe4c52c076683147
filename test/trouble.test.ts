import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  ExecuteActionDocument,
  ProvidersDocument,
  SignalsDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { LEASE_MS } from '../src/action/settle.js';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { migrations } from '../src/migrations/index.js';
import { type TestApp, type TestAppOptions, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { useClient, useTestDatabase } from './support/database.js';
import { answer } from './support/fake-behavior.js';
import { startFakeGitHub } from './support/fake-github.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

/** A line to PostgreSQL that can go silent, as after a failover without a goodbye. */
interface Line {
  readonly url: (database: string) => string;
  /** What is connected stays connected and hears nothing any more; new connections work. */
  silence(): void;
  /** Nobody gets through at all. */
  cut(): void;
}

async function useLine(): Promise<Line> {
  const target = new URL(inject('postgresUrl'));
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  onTestFinished(() => {
    drop();
    server.close();
  });
  return {
    url(database) {
      const url = new URL(database);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    silence: () => sockets.forEach((socket) => socket.unpipe().pause()),
    cut() {
      drop();
      server.close();
    },
  };
}

async function appOver(line: Line, options: TestAppOptions = {}): Promise<TestApp> {
  return useTestApp({ ...options, via: line.url });
}

/** A verified connection to a fake GitHub. */
async function verified() {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  const { connectionId } = await connectGitHub(caller, 'main', github.token);
  await caller.get(VerifyDocument, { connectionId });
  return { app, caller, clock, connectionId, github };
}

describe('a database', () => {
  it('whose connections go silent costs who was using them ten seconds and a 503, and nobody after them', async () => {
    const line = await useLine();
    const app = await appOver(line);
    const hook = await connectGitHub(await app.caller());
    const send = async () =>
      (await post(hook.url, await githubDelivery('ping', { zen: 'x' }, hook.secret))).status;
    expect(await send()).toBe(202);
    line.silence();
    expect(await send()).toBe(503);
    await expect.poll(send, { timeout: 30_000 }).toBe(202);
  }, 60_000);

  it('that is away is 503 and a code, not a bug of ours: webhooks, GraphQL, REST', async () => {
    const line = await useLine();
    const app = await appOver(line);
    const caller = await app.caller();
    const hook = await connectGitHub(caller);
    line.cut();
    const webhook = await post(hook.url, await githubDelivery('ping', { zen: 'x' }, hook.secret));
    expect(webhook).toMatchObject({ status: 503, body: { error: { code: 'STORAGE_UNAVAILABLE' } } });
    expect(webhook.headers.get('retry-after')).toBe('1');
    const { errors } = await caller.ask(SignalsDocument);
    expect(errors[0]?.extensions.code).toBe('STORAGE_UNAVAILABLE');
    const rest = await fetch(`${app.url}/v1/integrations/connections`, {
      headers: { authorization: `Bearer ${caller.token}` },
    });
    expect(rest.status).toBe(503);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await caller.ask(ProvidersDocument)).status).toBe(200);
  });

  it('is entered as the powerless role whatever the URL asks for', async () => {
    const database = await useTestDatabase();
    const url = `${database.url}?options=${encodeURIComponent('-c statement_timeout=60000')}`;
    const db = await openDb({ url, entities: [], migrations, log: createLog('silent') }).catch(
      (error: unknown) => error,
    );
    // Without entities the ORM refuses to open; what matters is decided before by the same connection settings.
    expect(String(db)).toMatch(/No entities found/);
    const { connectionOf } = await import('../src/core/postgres.js');
    const client = await useClient(connectionOf(url, 'tributary_app'));
    expect((await client.query('select current_user as role')).rows).toEqual([{ role: 'tributary_app' }]);
  });
});

describe('characters that PostgreSQL can’t hold', () => {
  it('in what a caller sends are INVALID_INPUT', async () => {
    const app = await useTestApp();
    const caller = await app.caller();
    for (const filter of [{ repository: 'a\0b' }, { correlationId: '\0' }]) {
      expect((await caller.ask(SignalsDocument, { filter })).errors[0]?.extensions.code).toBe(
        'INVALID_INPUT',
      );
    }
    await expect(connectGitHub(caller, 'na\0me')).rejects.toThrow('INVALID_INPUT');
  });

  it('in an action, or in what the provider says, keep nothing from being settled', async () => {
    const { app, caller, connectionId, github } = await verified();
    const execute = (title: string) =>
      caller.get(ExecuteActionDocument, {
        input: {
          connectionId,
          idempotencyKey: randomUUID(),
          action: { createIssue: { project: 'octo/demo', title } },
        },
      });
    expect((await execute('a\0b')).executeAction.status).toBe('SUCCEEDED');
    const message = `${'x'.repeat(499)}😀 \0`;
    github.provider.next((request) => request.method === 'POST', answer({ status: 422, body: { message } }));
    expect((await execute('broken')).executeAction).toMatchObject({
      status: 'FAILED',
      failure: { category: 'INVALID' },
    });
    expect(
      await app.database.query('select count(*)::int as n from receipts where action_id is not null'),
    ).toEqual([{ n: 2 }]);
  });
});

describe('an action', () => {
  it('whose every attempt breaks off ends UNCONFIRMED', async () => {
    const { app, caller, clock, connectionId, github } = await verified();
    await app.database.query('alter table credentials rename to hidden');
    const { executeAction } = await caller.get(ExecuteActionDocument, {
      input: {
        connectionId,
        idempotencyKey: 'k',
        waitSeconds: 0,
        action: { createIssue: { project: 'octo/demo', title: 'x' } },
      },
    });
    const status = async () =>
      (await app.database.query<{ status: string }>('select status from actions'))[0]?.status;
    for (let attempt = 1; attempt <= 5 && (await status()) === 'RUNNING'; attempt += 1) {
      clock.advance(LEASE_MS + 1);
      await app.database.endLeases();
      await app.app.services.actions.recover();
    }
    expect(executeAction.status).toBe('RUNNING');
    expect(await status()).toBe('UNCONFIRMED');
    expect(github.provider.effects.size).toBe(0);
    expect(await app.database.query(`select outcome from receipts where action_id is not null`)).toEqual([
      { outcome: 'UNCONFIRMED' },
    ]);
  });

  it('that was held up beyond its lease sends nothing any more', async () => {
    const { app, caller, clock, connectionId, github } = await verified();
    const lock = await useClient({ connectionString: app.database.url });
    // The attempt stands still between claim and send: it can't read its credential.
    await lock.query('begin; lock table credentials in access exclusive mode');
    await caller.get(ExecuteActionDocument, {
      input: {
        connectionId,
        idempotencyKey: 'k',
        waitSeconds: 0,
        action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } },
      },
    });
    clock.advance(LEASE_MS + 1);
    await app.database.endLeases();
    await lock.query('commit');
    await app.app.services.actions.drain();
    expect(github.provider.effects.get('comment')).toBeUndefined();
    await app.app.services.actions.recover();
    await app.app.services.actions.drain();
    expect(github.provider.effects.get('comment')).toBe(1);
  });
});

it('who knows no token makes nobody read a body, nor a label', async () => {
  const app = await useTestApp();
  const body = new Uint8Array(5_000_000);
  for (const path of ['github/unknown', 'made-up-1/x', 'made-up-2/x']) {
    const response = await fetch(`${app.url}/v1/integrations/webhooks/${path}`, { method: 'POST', body });
    expect(response.status).toBe(404);
  }
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  expect(metrics).not.toContain('made-up');
});
