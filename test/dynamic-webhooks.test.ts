import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jira } from '../connectors/jira/index.js';
import {
  ConnectDocument,
  ConnectionDocument,
  DisconnectDocument,
  HealthHistoryDocument,
  IncidentsDocument,
  ReceiptsDocument,
  RegisterWebhookAppDocument,
  RegisterWebhookDocument,
  RemoveWebhookAppDocument,
  ResumeDocument,
  SuspendDocument,
  UnregisterWebhookDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import type { Connector } from '../src/connector/index.js';
import { OPERATOR } from '../src/core/caller.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer, loseAnswer } from './support/fake-behavior.js';
import { dynamicDelivery } from './support/fake-jira-dynamic.js';
import { CLOUD_ID, EMAIL, type FakeJira, SITE, ada, jiraError, startFakeJira } from './support/fake-jira.js';
import { post } from './support/github.js';

const DAY = 24 * 60 * 60_000;
const SECRET = 'the client secret of an app in a test';
const OPERATORS = 'client-of-the-operator';
const CREATE = `POST /ex/jira/${CLOUD_ID}/rest/api/3/webhook`;
const REFRESH = `PUT /ex/jira/${CLOUD_ID}/rest/api/3/webhook/refresh`;
const shop = { jql: 'project = SHOP' };

// Consent has tests of its own: here the token is simply there.
const bearing: Connector = {
  ...jira,
  auth: { ...jira.auth, sign: ({ apiToken }) => ({ authorization: `Bearer ${apiToken?.reveal() ?? ''}` }) },
};

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly fake: FakeJira;
}

async function story(): Promise<Story> {
  const clock = createTestClock();
  const fake = await startFakeJira(clock);
  onTestFinished(() => fake.provider.close());
  const env = {
    TRIBUTARY_PROVIDER_JIRA_BASE_URL: fake.provider.url,
    TRIBUTARY_PROVIDER_JIRA_CLIENT_ID: OPERATORS,
    TRIBUTARY_PROVIDER_JIRA_CLIENT_SECRET: SECRET,
  };
  return { app: await useTestApp({ clock, env, connectors: [bearing] }), clock, fake };
}

async function connect({ fake }: Story, caller: TestCaller): Promise<string> {
  const input = {
    providerId: 'jira',
    name: randomUUID(),
    authMethod: 'BASIC',
    credential: { email: EMAIL, apiToken: fake.accessToken },
  } as const;
  const connectionId = (await caller.get(ConnectDocument, { input })).connect.connection.id;
  await caller.get(VerifyDocument, { connectionId });
  return connectionId;
}

/** The tenant's own app. */
async function registerApp(caller: TestCaller): Promise<string> {
  const input = { providerId: 'jira', secret: SECRET };
  return (await caller.get(RegisterWebhookAppDocument, { input })).registerWebhookApp.url;
}

async function register(
  caller: TestCaller,
  connectionId: string,
  target: object = shop,
  signalTypes?: string[],
) {
  const input = { connectionId, target: { ...target }, ...(signalTypes && { signalTypes }) };
  return (await caller.get(RegisterWebhookDocument, { input })).registerWebhook;
}

async function registrationOf(caller: TestCaller, id: string) {
  const { connection } = await caller.get(ConnectionDocument, { id });
  return connection?.webhook?.registrations[0];
}

/** One tenant with an app, a connection and a webhook that was registered by API. */
async function registered() {
  const s = await story();
  const caller = await s.app.caller();
  const url = await registerApp(caller);
  const connectionId = await connect(s, caller);
  const { registration, failure } = await register(caller, connectionId);
  expect(failure).toBeNull();
  const renewals = () => s.app.app.services.connections.renewWebhooksDue();
  return { ...s, caller, url, connectionId, registration: registration!, renewals };
}

const GATEWAY = `https://api.atlassian.com/ex/jira/${CLOUD_ID}`;

function created(self = `${SITE}/rest/api/2/issue/10001`) {
  const issue = { id: '10001', key: 'SHOP-1', self, fields: { summary: 'The door does not close' } };
  return { timestamp: Date.now(), webhookEvent: 'jira:issue_created', user: ada, issue };
}

/** The numbers of the webhooks that the fake has. */
const numbers = ({ fake }: Story) => fake.dynamic.all.map(({ id }) => id);

async function deliveriesOf({ app }: Story, connectionId: string): Promise<number> {
  const select = 'select count(*)::int as n from deliveries where connection_id = $1';
  const [row] = await app.database.query<{ n: number }>(select, [connectionId]);
  return row?.n ?? -1;
}

describe('a webhook that Jira lets an OAuth app register', () => {
  it('is set up with the app’s address, and told until when', async () => {
    const s = await registered();
    const [hook] = s.fake.dynamic.all;
    expect(hook).toMatchObject({ url: s.url, jqlFilter: 'project = SHOP' });
    expect(hook?.events).toEqual([
      'jira:issue_created',
      'jira:issue_updated',
      'jira:issue_deleted',
      'comment_created',
    ]);
    expect(s.registration).toMatchObject({
      externalId: `${CLOUD_ID}#${hook?.id}`,
      expiresAt: hook?.expiresAt.toISOString(),
      renewalFailure: null,
    });
    // The connection's own address is nothing that anybody there has to know.
    const { connection } = await s.caller.get(ConnectionDocument, { id: s.connectionId });
    const token = connection?.webhook?.url.split('/').at(-1) ?? '';
    expect(token.length).toBeGreaterThan(40);
    expect(s.fake.provider.requests.map(({ text }) => text).join()).not.toContain(token);
    const again = await register(s.caller, s.connectionId);
    expect(again.registration?.externalId).toBe(s.registration.externalId);
    const fewer = await register(s.caller, s.connectionId, shop, ['issue_deleted', 'user_created']);
    expect(fewer.registration).toMatchObject({ id: s.registration.id, events: ['jira:issue_deleted'] });
    expect(s.fake.dynamic.all.map(({ events }) => events)).toEqual([['jira:issue_deleted']]);
  });

  it('needs an app, a filter, and an event that there is', async () => {
    const s = await story();
    const caller = await s.app.caller();
    const id = await connect(s, caller);
    const codeOf = async (...more: [object?, string[]?]) =>
      (await register(caller, id, ...more)).failure?.code;
    expect(await codeOf()).toBe('needs_webhook_app');
    await registerApp(caller);
    expect(await codeOf({})).toBe('needs_jql');
    expect(await codeOf(shop, ['user_created'])).toBe('no_such_event');
    expect((await register(caller, id, { jql: 'summary ~ door' })).failure).toMatchObject({
      code: 'webhook_refused',
      message: 'The clause summary ~ door is unsupported',
    });
    expect(numbers(s)).toEqual([]);
  });

  it('ends when Jira says, in either of the forms that it shows', async () => {
    const s = await registered();
    const body = { expirationDate: '2027-01-20T04:30:00.000-0800' };
    s.fake.provider.next(REFRESH, answer({ status: 200, body }));
    const { registration } = await register(s.caller, s.connectionId);
    expect(registration?.expiresAt).toBe('2027-01-20T12:30:00.000Z');
    s.fake.provider.next(REFRESH, answer({ status: 200, body: {} }));
    expect((await register(s.caller, s.connectionId)).failure?.code).toBe('unexpected_answer');
  });

  it('is refused while the app is known by another address, which nobody is told', async () => {
    const s = await registered();
    await s.caller.get(RemoveWebhookAppDocument, { providerId: 'jira' });
    const url = await registerApp(s.caller);
    const { failure } = await register(s.caller, await connect(s, s.caller));
    expect(failure?.code).toBe('webhook_refused');
    for (const told of [url, s.url]) expect(failure?.message).not.toContain(told.split('/').at(-1));
    // Its own that sends to the old address makes room.
    const { registration } = await register(s.caller, s.connectionId);
    expect(registration?.id).toBe(s.registration.id);
    expect(s.fake.dynamic.all.map((hook) => hook.url)).toEqual([url]);
  });

  it('is there once, also when the answer was lost', async () => {
    const s = await story();
    const caller = await s.app.caller();
    await registerApp(caller);
    const [id, other] = [await connect(s, caller), await connect(s, caller)];
    await register(caller, other);
    s.fake.provider.next(CREATE, loseAnswer());
    expect((await register(caller, id)).failure).not.toBeNull();
    const { registration } = await register(caller, id);
    expect(registration?.externalId).toBe(`${CLOUD_ID}#${numbers(s)[1]}`);
    expect(numbers(s)).toHaveLength(2);
  });

  it('is taken away when it is unregistered, and when its connection goes', async () => {
    const s = await registered();
    const { connectionId } = s;
    await s.caller.get(UnregisterWebhookDocument, { connectionId });
    expect(numbers(s)).toEqual([]);
    await register(s.caller, connectionId);
    expect(numbers(s)).toHaveLength(1);
    await s.caller.get(DisconnectDocument, { connectionId });
    expect(numbers(s)).toEqual([]);
  });
});

describe('a delivery to the app', () => {
  it('reaches the connection whose webhook matched, and no other of the site or of another tenant', async () => {
    const s = await story();
    const [acme, globex] = [await s.app.caller('acme'), await s.app.caller('globex')];
    const operator = {
      tenantId: OPERATOR,
      subject: 'operator',
      scopes: new Set<string>(),
      correlationId: '',
    };
    const app = await s.app.app.services.webhookApps.register(operator, {
      providerId: 'jira',
      secret: SECRET,
    });
    const own = await connect(s, acme);
    const same = await connect(s, acme);
    const foreign = await connect(s, globex);
    const ids = [own, same, foreign];
    await s.app.database.query('update connections set app_client_id = $1', [OPERATORS]);
    for (const [caller, id] of [
      [acme, own],
      [acme, same],
      [globex, foreign],
    ] as const)
      expect((await register(caller, id)).failure).toBeNull();
    const [first, second, third] = numbers(s) as [number, number, number];
    const counts = () => Promise.all(ids.map((id) => deliveriesOf(s, id)));
    const send = (matched: number[], body = created()) =>
      post(app.url, dynamicDelivery(app.url, SECRET, body, matched, s.clock.now()));

    expect((await send([first])).status).toBe(202);
    expect(await counts()).toEqual([1, 0, 0]);
    await send([third], created(`${GATEWAY}/rest/api/2/issue/10001`));
    expect(await counts()).toEqual([1, 0, 1]);
    expect((await send([first, second, first])).body.signals).toHaveLength(2);
    expect(await counts()).toEqual([2, 1, 1]);
    // The same number at another site, one that nobody registered, and a body that names no site.
    for (const [matched, self] of [
      [first, 'https://other.atlassian.net/rest/api/2/issue/1'],
      [first, 'https://api.atlassian.com/ex/jira/another/rest/api/2/issue/1'],
      [first + 77, `${SITE}/rest/api/2/issue/1`],
      [first, 'nowhere'],
    ] as const)
      expect((await send([matched], created(self))).body.signals).toEqual([]);
    expect(await counts()).toEqual([2, 1, 1]);
    const tenants = await s.app.database.query(
      'select distinct d.tenant_id = c.tenant_id as same from deliveries d join connections c on c.id = d.connection_id',
    );
    expect(tenants).toEqual([{ same: true }]);
  });

  it('to a tenant’s app reaches that tenant only', async () => {
    const s = await registered();
    const globex = await s.app.caller('globex');
    const theirs = await registerApp(globex);
    const send = (url: string) =>
      post(url, dynamicDelivery(url, SECRET, created(), numbers(s), s.clock.now()));
    expect((await send(theirs)).body.signals).toEqual([]);
    expect((await send(s.url)).body.signals).toHaveLength(1);
    expect(await deliveriesOf(s, s.connectionId)).toBe(1);
  });

  it('goes by what Atlassian says of the site, not by what a tenant enters', async () => {
    const s = await story();
    const caller = await s.app.caller();
    const url = await registerApp(caller);
    const id = await connect(s, caller);
    const victim = 'https://victim.atlassian.net';
    const change = `update connections set settings = jsonb_build_object('cloudId', $1::text, 'siteUrl', $2::text)`;
    await s.app.database.query(change, [CLOUD_ID, victim]);
    expect((await register(caller, id)).failure).toBeNull();
    const send = (self: string) =>
      post(url, dynamicDelivery(url, SECRET, created(self), numbers(s), s.clock.now()));
    expect((await send(`${victim}/rest/api/2/issue/1`)).body.signals).toEqual([]);
    expect((await send(`${SITE}/rest/api/2/issue/1`)).body.signals).toHaveLength(1);
  });

  it('is refused by another secret, too late, and without a token', async () => {
    const s = await registered();
    const of = (secret: string, at = s.clock.now()) =>
      dynamicDelivery(s.url, secret, created(), numbers(s), at);
    const { authorization: _none, ...bare } = of(SECRET).headers;
    const late = new Date(s.clock.now().getTime() - 10 * 60_000);
    expect((await post(s.url, of('another secret'))).status).toBe(401);
    expect((await post(s.url, of(SECRET, late))).status).toBe(401);
    expect((await post(s.url, { ...of(SECRET), headers: bare })).status).toBe(401);
    expect((await post(s.url, of(SECRET))).status).toBe(202);
  });

  it('comes to nobody any more once the webhook is unregistered', async () => {
    const s = await registered();
    const sent = () => dynamicDelivery(s.url, SECRET, created(), [1_001], s.clock.now());
    expect((await post(s.url, sent())).body.signals).toHaveLength(1);
    await s.caller.get(UnregisterWebhookDocument, { connectionId: s.connectionId });
    await expect.poll(async () => (await post(s.url, sent())).body.signals).toEqual([]);
  });
});

describe('renewal', () => {
  it('begins a week before the end, and has it last for another 30 days', async () => {
    const s = await registered();
    s.clock.advance(22 * DAY);
    expect(await s.renewals()).toBe(0);
    s.clock.advance(1.1 * DAY);
    expect(await s.renewals()).toBe(1);
    const [hook] = s.fake.dynamic.all;
    const later = await s.app.caller();
    expect(await registrationOf(later, s.connectionId)).toMatchObject({
      id: s.registration.id,
      externalId: s.registration.externalId,
      expiresAt: hook?.expiresAt.toISOString(),
    });
    expect(hook!.expiresAt.getTime()).toBeGreaterThan(s.clock.now().getTime() + 29 * DAY);
    expect(await s.renewals()).toBe(0);
    const { receipts } = await later.get(ReceiptsDocument);
    expect(receipts.nodes[0]).toMatchObject({
      operation: 'integration.connection.jira.renew_webhook',
      outcome: 'SUCCESS',
    });
  });

  it('that fails is shown, and tried again, later each time', async () => {
    const s = await registered();
    s.clock.advance(28 * DAY);
    const away = answer(jiraError(503));
    s.fake.provider.next(REFRESH, away, away, away);
    expect(await s.renewals()).toBe(1);
    const later = await s.app.caller();
    expect(await registrationOf(later, s.connectionId)).toMatchObject({
      expiresAt: s.registration.expiresAt,
      renewalFailure: { category: 'PROVIDER', providerStatus: 503 },
    });
    expect(await s.renewals()).toBe(0);
    s.clock.advance(5 * 60_000);
    s.fake.provider.next(REFRESH, away, away, away);
    expect(await s.renewals()).toBe(1);
    s.clock.advance(5 * 60_000);
    expect(await s.renewals()).toBe(0);
    s.clock.advance(5 * 60_000);
    expect(await s.renewals()).toBe(1);
    const registration = await registrationOf(later, s.connectionId);
    expect(registration?.renewalFailure).toBeNull();
    expect(registration?.expiresAt).toBe(s.fake.dynamic.all[0]?.expiresAt.toISOString());
  });

  it('that is put off by a wrong date comes before the webhook’s end all the same', async () => {
    const s = await registered();
    s.clock.advance(25 * DAY);
    s.fake.provider.next(REFRESH, answer({ ...jiraError(429), headers: { 'retry-after': '9999999999' } }));
    expect(await s.renewals()).toBe(1);
    s.clock.advance(6 * 60 * 60_000 - 60_000);
    expect(await s.renewals()).toBe(0);
    s.clock.advance(2 * 60_000);
    expect(await s.renewals()).toBe(1);
    const registration = await registrationOf(await s.app.caller(), s.connectionId);
    expect(registration?.renewalFailure).toBeNull();
  });

  it('that fails three times in a row is an incident, and a reason of health', async () => {
    const s = await registered();
    s.clock.advance(25 * DAY);
    const { health } = s.app.app.services;
    const incidents = async () => {
      await health.evaluate(10);
      const { nodes } = (await (await s.app.caller()).get(IncidentsDocument, {})).incidents;
      return nodes.filter(({ kind }) => kind === 'WEBHOOK_ENDING');
    };
    for (let failures = 1; failures <= 3; failures++) {
      expect(await incidents()).toEqual([]);
      s.fake.provider.next(REFRESH, answer(jiraError(403)));
      expect(await s.renewals()).toBe(1);
      s.clock.advance(20 * 60_000);
    }
    const message = expect.stringMatching(/ends at the provider at .*Z, and renewing it has failed 3 times/);
    expect(await incidents()).toMatchObject([{ message, resolvedAt: null }]);
    s.clock.advance(6 * 60_000);
    await health.evaluate(10);
    const variables = { connectionId: s.connectionId, first: 1 };
    const { connection } = await (await s.app.caller()).get(HealthHistoryDocument, variables);
    expect(connection?.health).toMatchObject({ status: 'DEGRADED', reason: 'WEBHOOKS' });
    expect(await s.renewals()).toBe(1);
    for (let minute = 0; minute < 7; minute++) {
      s.clock.advance(60_000);
      await health.evaluate(10);
    }
    const [over] = await incidents();
    expect(over?.resolvedAt).not.toBeNull();
  });

  it('sets up anew what is not there any more', async () => {
    const s = await registered();
    s.clock.advance(31 * DAY);
    expect(numbers(s)).toEqual([]);
    expect(await s.renewals()).toBe(1);
    const [number] = numbers(s);
    const later = await s.app.caller();
    expect(await registrationOf(later, s.connectionId)).toMatchObject({
      id: s.registration.id,
      externalId: `${CLOUD_ID}#${number}`,
      events: s.registration.events,
    });
    const sent = dynamicDelivery(s.url, SECRET, created(), numbers(s), s.clock.now());
    expect((await post(s.url, sent)).body.signals).toHaveLength(1);
  });

  it('waits while the connection is suspended', async () => {
    const s = await registered();
    await s.caller.get(SuspendDocument, { connectionId: s.connectionId });
    s.clock.advance(25 * DAY);
    expect(await s.renewals()).toBe(0);
    const later = await s.app.caller();
    await later.get(ResumeDocument, { connectionId: s.connectionId });
    expect(await s.renewals()).toBe(1);
  });

  it('leaves nothing behind when somebody unregisters meanwhile', async () => {
    const s = await registered();
    s.clock.advance(31 * DAY);
    const later = await s.app.caller();
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    s.fake.provider.next(REFRESH, async ({ perform, send }) => {
      isAsked();
      await released;
      send(perform());
    });
    const renewing = s.renewals();
    await asked;
    expect(numbers(s)).toHaveLength(1);
    await later.get(UnregisterWebhookDocument, { connectionId: s.connectionId });
    release();
    await renewing;
    expect(numbers(s)).toEqual([]);
    expect(await registrationOf(later, s.connectionId)).toBeUndefined();
  });
});
