import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jira } from '../connectors/jira/index.js';
import {
  ConnectDocument,
  ConnectionDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  RegisterWebhookDocument,
  SignalsDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import type { Connector } from '../src/connector/index.js';
import { type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { CLOUD_ID, EMAIL, type FakeJira, SITE, ada, startFakeJira } from './support/fake-jira.js';
import { post } from './support/github.js';

interface Story {
  readonly fake: FakeJira;
  readonly caller: TestCaller;
  readonly connectionId: string;
  readonly hook: { readonly url: string; readonly secret: string };
}

/** A connection to the fake, verified. */
async function story(settings: object, connector: Connector = jira, secret = 'apiToken'): Promise<Story> {
  const clock = createTestClock();
  const fake = await startFakeJira(clock);
  onTestFinished(() => fake.provider.close());
  const env = { TRIBUTARY_PROVIDER_JIRA_BASE_URL: fake.provider.url };
  const app = await useTestApp({ clock, env, connectors: [connector] });
  const caller = await app.caller();
  const apiToken = secret === 'apiToken' ? fake.apiToken : fake.accessToken;
  const { connect } = await caller.get(ConnectDocument, {
    input: {
      providerId: 'jira',
      name: 'jira',
      authMethod: 'BASIC',
      credential: { email: EMAIL, apiToken },
      settings: { ...settings },
    },
  });
  const connectionId = connect.connection.id;
  const { verify } = await caller.get(VerifyDocument, { connectionId });
  expect(verify).toMatchObject({ status: 'ACTIVE', account: { id: ada.accountId, name: 'Ada', url: SITE } });
  const { url, secret: shown } = connect.webhook ?? {};
  if (!url || !shown) throw new Error('connect answered no webhook');
  return { fake, caller, connectionId, hook: { url, secret: shown } };
}

async function create({ caller, connectionId }: Story) {
  const { executeAction } = await caller.get(ExecuteActionDocument, {
    input: {
      connectionId,
      idempotencyKey: randomUUID(),
      action: {
        createIssue: { project: 'SHOP', title: 'The door does not close', body: 'Since **Monday**.' },
      },
    },
  });
  return executeAction;
}

describe('a Jira site by API token', () => {
  it('is acted on, tells what happens, and is left without a trace', async () => {
    const s = await story({ baseUrl: SITE });
    expect(await create(s)).toMatchObject({ status: 'SUCCEEDED', result: { url: `${SITE}/browse/SHOP-2` } });

    const input = {
      connectionId: s.connectionId,
      target: { jql: 'project = SHOP' },
      signalTypes: ['issue_commented'],
    };
    const { registerWebhook } = await s.caller.get(RegisterWebhookDocument, { input });
    expect(registerWebhook).toMatchObject({ failure: null, registration: { externalId: '1' } });
    expect(s.fake.hooks).toMatchObject([
      {
        url: s.hook.url,
        secret: s.hook.secret,
        filters: { 'issue-related-events-section': 'project = SHOP' },
      },
    ]);

    const body = Buffer.from(
      JSON.stringify({
        timestamp: Date.now(),
        webhookEvent: 'comment_created',
        comment: {
          id: '7',
          body: 'It does when pushed.',
          self: `${SITE}/rest/api/2/issue/10001/comment/7`,
          author: ada,
        },
        issue: { id: '10001', key: 'SHOP-1', self: `${SITE}/rest/api/2/issue/10001`, fields: {} },
      }),
    );
    const digest = createHmac('sha256', s.hook.secret).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-hub-signature': `sha256=${digest}` };
    expect((await post(s.hook.url, { body, headers })).status).toBe(202);
    expect((await post(s.hook.url, { body, headers })).status).toBe(200);
    const forged = { ...headers, 'x-hub-signature': `sha256=${'0'.repeat(64)}` };
    expect((await post(s.hook.url, { body, headers: forged })).status).toBe(401);
    const { signals } = await s.caller.get(SignalsDocument);
    expect(signals.nodes.map(({ type, evidence }) => [type, evidence[0]?.url])).toEqual([
      ['issue_commented', `${SITE}/browse/SHOP-1`],
    ]);

    await s.caller.get(DisconnectDocument, { connectionId: s.connectionId });
    expect(s.fake.hooks).toEqual([]);
  });
});

describe('a Jira site behind the gateway', () => {
  // Consent has tests of its own: here the token is simply there.
  const bearing: Connector = {
    ...jira,
    auth: { ...jira.auth, sign: ({ apiToken }) => ({ authorization: `Bearer ${apiToken?.reveal() ?? ''}` }) },
  };

  it('is found out by verifying and kept, so that nothing looks it up again', async () => {
    const s = await story({}, bearing, 'accessToken');
    const before = s.fake.provider.requests.length;
    expect(await create(s)).toMatchObject({ status: 'SUCCEEDED', result: { url: `${SITE}/browse/SHOP-2` } });
    expect(s.fake.provider.requests.slice(before).map(({ path }) => path)).toEqual([
      `/ex/jira/${CLOUD_ID}/rest/api/3/issue`,
    ]);
    const { connection } = await s.caller.get(ConnectionDocument, { id: s.connectionId });
    expect(connection?.credential?.scopes).toEqual(['read:jira-user', 'read:jira-work', 'write:jira-work']);
  });

  it('has no webhooks registered without an app, and says so', async () => {
    const s = await story({}, bearing, 'accessToken');
    const input = { connectionId: s.connectionId, target: { jql: 'project = SHOP' } };
    const { registerWebhook } = await s.caller.get(RegisterWebhookDocument, { input });
    expect(registerWebhook).toMatchObject({ registration: null, failure: { code: 'needs_webhook_app' } });
  });
});
