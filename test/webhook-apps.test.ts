import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ConnectDocument,
  RegisterWebhookAppDocument,
  RemoveWebhookAppDocument,
  SetOAuthAppDocument,
  SuspendDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { OPERATOR } from '../src/core/caller.js';
import { Secret } from '../src/core/secret.js';
import { loadFixtures } from './conformance/fixtures.js';
import { subject } from './conformance/subjects/example.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { startFakeExample } from './support/fake-example.js';
import { type Delivery, post } from './support/github.js';
import { PUBLIC_URL, connected, useOAuthStory } from './support/oauth-story.js';

const SECRET = 'app secret 0123456789';
const created = loadFixtures('example').find(({ name }) => name === 'issue.created')!;

/** A signed delivery of the example's app, about this account. */
function delivery(account: string | undefined, secret = SECRET, at = new Date()): Delivery {
  const { account: _fixture, ...rest } = JSON.parse(String(created.body)) as Record<string, unknown>;
  const body = Buffer.from(JSON.stringify({ ...rest, ...(account && { account }) }));
  const headers = { ...created.headers, 'example-delivery': randomUUID() };
  const signed = subject.webhook!.sign({ headers, body }, new Secret(secret), at);
  return { body: signed.body, headers: signed.headers as Record<string, string> };
}

const connect = async (caller: TestCaller, token: string) => (await connectOwn(caller, token)).id;

/** With the connection's own address. */
async function connectOwn(caller: TestCaller, token: string): Promise<{ id: string; url: string }> {
  const input = {
    providerId: 'example',
    name: randomUUID(),
    authMethod: 'BEARER',
    credential: { token },
  } as const;
  const { connection, webhook } = (await caller.get(ConnectDocument, { input })).connect;
  await caller.get(VerifyDocument, { connectionId: connection.id });
  return { id: connection.id, url: webhook!.url };
}

async function deliveriesOf({ database }: TestApp, connectionId: string): Promise<number> {
  const select = 'select count(*)::int as n from deliveries where connection_id = $1';
  const [row] = await database.query<{ n: number }>(select, [connectionId]);
  return row?.n ?? -1;
}

async function useExample() {
  const clock = createTestClock();
  const example = await startFakeExample(clock);
  const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url };
  const app = await useTestApp({ clock, env });
  return { clock, example, app, token: example.token };
}

const register = async (caller: TestCaller, secret = SECRET): Promise<string> =>
  (await caller.get(RegisterWebhookAppDocument, { input: { providerId: 'example', secret } }))
    .registerWebhookApp.url;

describe('the app of a tenant', () => {
  it('reaches every connection of that tenant to the account, and nobody else’s', async () => {
    const { app, token } = await useExample();
    const [acme, globex] = [await app.caller('acme'), await app.caller('globex')];
    const own = [await connect(acme, token), await connect(acme, token)];
    const foreign = await connect(globex, token);
    const url = await register(acme);
    const answer = await post(url, delivery('acc_1'));
    expect(answer.status).toBe(202);
    expect(answer.body.signals).toHaveLength(2);
    expect(new Set(answer.body.signals).size).toBe(2);
    expect(await Promise.all([...own, foreign].map((id) => deliveriesOf(app, id)))).toEqual([1, 1, 0]);
  });

  it('sent again is recognised, connection by connection', async () => {
    const { app, token } = await useExample();
    const acme = await app.caller('acme');
    const first = await connect(acme, token);
    const url = await register(acme);
    const sent = delivery('acc_1');
    await post(url, sent);
    const again = await post(url, sent);
    expect(again.status).toBe(200);
    const late = await connect(acme, token);
    await expect.poll(async () => (await post(url, sent)).status).toBe(202);
    expect(await Promise.all([first, late].map((id) => deliveriesOf(app, id)))).toEqual([1, 1]);
  });

  it('about an account that nobody has connected, or about none, is taken, dropped and counted', async () => {
    const { app, token } = await useExample();
    const acme = await app.caller('acme');
    const id = await connect(acme, token);
    const url = await register(acme);
    for (const account of ['acc_2', undefined]) {
      const answer = await post(url, delivery(account));
      expect([answer.status, answer.body]).toEqual([202, { delivery_id: null, signals: [] }]);
    }
    expect(await deliveriesOf(app, id)).toBe(0);
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toContain('tributary_unrouted_deliveries_total{provider="example"} 2');
  });

  it('is refused with a wrong signature, a byte changed, and another token', async () => {
    const { app, token } = await useExample();
    const acme = await app.caller('acme');
    const id = await connect(acme, token);
    const url = await register(acme);
    const good = delivery('acc_1');
    const altered = Buffer.from(good.body);
    altered[5] = (altered[5] ?? 0) ^ 1;
    expect((await post(url, { ...good, body: altered })).status).toBe(401);
    expect((await post(url, delivery('acc_1', 'another secret 0123'))).status).toBe(401);
    expect((await post(url.replace('/example/', '/github/'), good)).status).toBe(404);
    expect((await post(`${url}x`, good)).status).toBe(404);
    expect(await deliveriesOf(app, id)).toBe(0);
  });

  it('keeps its URL when it gets another secret, and takes the old one for a day', async () => {
    const { app, token, clock } = await useExample();
    const acme = await app.caller('acme');
    await connect(acme, token);
    const url = await register(acme);
    expect(await register(acme, 'a newer secret 0123456789')).toBe(url);
    const newer = () => delivery('acc_1', 'a newer secret 0123456789', clock.now());
    const statuses = async () => [
      (await post(url, newer())).status,
      (await post(url, delivery('acc_1', SECRET, clock.now()))).status,
    ];
    await expect.poll(statuses).toEqual([202, 202]);
    clock.advance(25 * 60 * 60_000);
    expect(await statuses()).toEqual([202, 401]);
  });

  it('passes by a connection that is suspended, and its address is unknown once it is removed', async () => {
    const { app, token } = await useExample();
    const acme = await app.caller('acme');
    const id = await connect(acme, token);
    const url = await register(acme);
    expect((await post(url, delivery('acc_1'))).body.signals).toHaveLength(1);
    await acme.get(SuspendDocument, { connectionId: id });
    await expect.poll(async () => (await post(url, delivery('acc_1'))).body.signals).toEqual([]);
    expect(await acme.get(RemoveWebhookAppDocument, { providerId: 'example' })).toEqual({
      removeWebhookApp: true,
    });
    await expect.poll(async () => (await post(url, delivery('acc_1'))).status).toBe(404);
  });

  it('needs a secret, and a provider that knows apps', async () => {
    const { app } = await useExample();
    const acme = await app.caller('acme');
    const codeOf = async (input: object): Promise<unknown> =>
      (await acme.ask(RegisterWebhookAppDocument, { input } as never)).errors[0]?.extensions.code;
    expect(await codeOf({ providerId: 'example' })).toBe('INVALID_INPUT');
    expect(await codeOf({ providerId: 'nobody', secret: 'x' })).toBe('NOT_FOUND');
  });
});

describe('the rate of an app', () => {
  const OF_CONNECTION = 20;
  async function useLimited() {
    const example = await startFakeExample({ now: () => new Date() });
    const app = await useTestApp({
      env: {
        TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
        WEBHOOK_RATE_PER_SECOND: String(OF_CONNECTION),
        WEBHOOK_APP_RATE_PER_SECOND: String(5 * OF_CONNECTION),
      },
    });
    const acme = await app.caller('acme');
    return { app, acme, token: example.token, url: await register(acme) };
  }
  const flood = (url: string, count: number, make: () => Delivery) =>
    Promise.all(Array.from({ length: count }, async () => (await post(url, make())).status));

  it('is not used up by what nobody has signed', async () => {
    const { app, acme, token, url } = await useLimited();
    const id = await connect(acme, token);
    const forged = await flood(url, 3 * OF_CONNECTION, () => delivery('acc_1', 'another secret 0123'));
    expect(new Set(forged)).toEqual(new Set([401]));
    expect((await post(url, delivery('acc_1'))).status).toBe(202);
    expect(await deliveriesOf(app, id)).toBe(1);
  });

  it('has an end', async () => {
    const { url } = await useLimited();
    const send = () => flood(url, 10 * OF_CONNECTION, () => delivery(undefined));
    await expect.poll(send).toContain(429);
  });

  it('is that of each connection it is for, and who has none left keeps it from no other', async () => {
    const { app, acme, token, url } = await useLimited();
    const [noisy, quiet] = [await connectOwn(acme, token), await connectOwn(acme, token)];
    const asked: number[] = [];
    await expect
      .poll(
        async () => {
          await flood(noisy.url, 3 * OF_CONNECTION, () => delivery('acc_1', 'another secret 0123'));
          const { status, headers } = await post(url, delivery('acc_1'));
          asked.push(status);
          return [status, headers.get('retry-after')];
        },
        { timeout: 10_000 },
      )
      .toEqual([429, '1']);
    expect(await deliveriesOf(app, quiet.id)).toBe(asked.length);
    expect(await deliveriesOf(app, noisy.id)).toBe(asked.filter((status) => status === 202).length);
  });
});

describe('the app of the operator', () => {
  const operator = {
    tenantId: OPERATOR,
    subject: 'operator',
    scopes: new Set<string>(),
    correlationId: randomUUID(),
  };

  async function registered({ app }: TestApp, url: string): Promise<string> {
    const made = await app.services.webhookApps.register(operator, { providerId: 'example', secret: SECRET });
    return made.url.replace(PUBLIC_URL, url);
  }

  it('reaches connections of every tenant whose person consented to that app, and no other', async () => {
    const story = await useOAuthStory();
    const { app, example, front } = story;
    const [acme, globex, initech] = await Promise.all(
      ['acme', 'globex', 'initech'].map((id) => story.caller(id)),
    );
    const consented = [await connected(story, acme!), await connected(story, globex!)];
    // Knows the account as well, by a token of its own: that says nothing about what the app may show it.
    example.accept((token) => token === example.token || front.issued.has(token));
    const knowing = await connect(initech!, example.token);
    const url = await registered(app, app.url);
    const answer = await post(url, delivery('acc_1', SECRET, story.clock.now()));
    expect([answer.status, answer.body.signals?.length]).toEqual([202, 2]);
    const ids = [...consented, knowing];
    expect(await Promise.all(ids.map((id) => deliveriesOf(app, id)))).toEqual([1, 1, 0]);
    // Each in its own tenant.
    const rows = await app.database.query(
      'select d.tenant_id = c.tenant_id as same from deliveries d join connections c on c.id = d.connection_id',
    );
    expect(rows).toEqual([{ same: true }, { same: true }]);
  });

  it('does not reach one whose consent was to the tenant’s own app', async () => {
    const story = await useOAuthStory({ env: { TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_ID: 'operators' } });
    const acme = await story.caller('acme');
    const { clientId, clientSecret } = story.front.server.app;
    const input = { providerId: 'example', clientId, clientSecret: clientSecret.reveal() };
    await acme.get(SetOAuthAppDocument, { input });
    const id = await connected(story, acme);
    const url = await registered(story.app, story.app.url);
    const answer = await post(url, delivery('acc_1', SECRET, story.clock.now()));
    expect([answer.status, answer.body.signals]).toEqual([202, []]);
    expect(await deliveriesOf(story.app, id)).toBe(0);
  });

  it('reaches nobody whose connection speaks to a server that the tenant names', async () => {
    const story = await useOAuthStory();
    const id = await connected(story, await story.caller('acme'));
    await story.app.database.query(`update connections set settings = '{"baseUrl": "https://evil.example"}'`);
    const url = await registered(story.app, story.app.url);
    expect((await post(url, delivery('acc_1', SECRET, story.clock.now()))).body.signals).toEqual([]);
    expect(await deliveriesOf(story.app, id)).toBe(0);
  });

  it('belongs to a tenant that no token can name', async () => {
    const story = await useOAuthStory();
    await registered(story.app, story.app.url);
    const impostor = await story.caller(OPERATOR);
    const answer = await impostor.ask('{ webhookApps { provider { id } } }');
    expect(answer.errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
