import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  RegisterWebhookAppDocument,
  RotateDocument,
  VerifyDocument,
} from '../../schema/generated/operations.js';
import { loadFixtures } from '../../test/conformance/fixtures.js';
import { subject } from '../../test/conformance/subjects/slack.js';
import { type TestApp, type TestCaller, useTestApp } from '../../test/support/app.js';
import { type TestClock, createTestClock } from '../../test/support/clock.js';
import { CHANNEL, TEAM, startFakeSlack } from '../../test/support/fake-slack.js';
import { GOOD_CODE, serveSlackOAuth } from '../../test/support/fake-slack-oauth.js';
import { type WebhookAnswer, post } from '../../test/support/github.js';
import { begin, look } from '../../test/support/oauth-story.js';
import { Secret } from '../../src/core/secret.js';

// The connector in the whole application, with Slack's ways of doing things that others do otherwise.

const SIGNING_SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const OAUTH_APP = { clientId: '1234.5678', clientSecret: 'secret-of-the-app-at-slack' };
const HOUR_MS = 3_600_000;
const message = loadFixtures('slack').find(({ name }) => name === 'message')!;

async function useSlack() {
  const clock = createTestClock();
  const slack = await startFakeSlack(clock);
  onTestFinished(() => slack.provider.close());
  serveSlackOAuth(slack, OAUTH_APP);
  const env = {
    TRIBUTARY_PROVIDER_SLACK_BASE_URL: slack.provider.url,
    TRIBUTARY_PROVIDER_SLACK_OAUTH_URL: slack.provider.url,
    TRIBUTARY_PROVIDER_SLACK_CLIENT_ID: OAUTH_APP.clientId,
    TRIBUTARY_PROVIDER_SLACK_CLIENT_SECRET: OAUTH_APP.clientSecret,
  };
  const app = await useTestApp({ clock, env });
  return { clock, slack, app };
}

async function connectByToken(caller: TestCaller, token: string) {
  const input = {
    providerId: 'slack',
    name: randomUUID(),
    authMethod: 'BEARER',
    credential: { token },
  } as const;
  const { connection, webhook } = (await caller.get(ConnectDocument, { input })).connect;
  await caller.get(VerifyDocument, { connectionId: connection.id });
  return { connectionId: connection.id, url: webhook!.url };
}

function send(
  url: string,
  body: string | Buffer,
  headers: Record<string, string>,
  clock: TestClock,
): Promise<WebhookAnswer> {
  const unsigned = { headers, body: Buffer.from(body) };
  const signed = subject.webhook!.sign(unsigned, new Secret(SIGNING_SECRET), clock.now());
  return post(url, { body: signed.body, headers: signed.headers as Record<string, string> });
}

const journalOf = ({ database }: TestApp, connectionId: string) =>
  database.query<{ event_type: string; event_id: string }>(
    'select event_type, event_id from deliveries where connection_id = $1 order by received_at, id',
    [connectionId],
  );

describe('the address of a connection', () => {
  it('answers Slack’s challenge once it has the signing secret, and to nobody else', async () => {
    const { app, slack, clock } = await useSlack();
    const caller = await app.caller();
    const { connectionId, url } = await connectByToken(caller, slack.token);
    const challenge = JSON.stringify({ token: 'x', challenge: '3eZbrw1aB1', type: 'url_verification' });
    expect((await send(url, challenge, JSON_TYPE, clock)).status).toBe(401);
    const input = { connectionId, what: 'WEBHOOK_SECRET', webhookSecret: SIGNING_SECRET } as const;
    await caller.get(RotateDocument, { input });
    const ask = () => {
      const unsigned = { headers: JSON_TYPE, body: Buffer.from(challenge) };
      const signed = subject.webhook!.sign(unsigned, new Secret(SIGNING_SECRET), clock.now());
      return fetch(url, {
        method: 'POST',
        body: challenge,
        headers: signed.headers as Record<string, string>,
      });
    };
    await expect.poll(async () => (await ask()).status).toBe(200);
    const answer = await ask();
    expect([await answer.text(), answer.headers.get('content-type')]).toEqual([
      '3eZbrw1aB1',
      'text/plain; charset=utf-8',
    ]);
    expect((await fetch(url, { method: 'POST', body: challenge, headers: JSON_TYPE })).status).toBe(401);
    expect(await journalOf(app, connectionId)).toEqual([]);
  });
});

describe('the one address of an app', () => {
  async function useApp() {
    const { app, slack, clock } = await useSlack();
    const [acme, globex] = [await app.caller('acme'), await app.caller('globex')];
    const own = await connectByToken(acme, slack.token);
    const foreign = await connectByToken(globex, slack.token);
    const input = { providerId: 'slack', secret: SIGNING_SECRET };
    const { url } = (await acme.get(RegisterWebhookAppDocument, { input })).registerWebhookApp;
    return { app, clock, url, own: own.connectionId, foreign: foreign.connectionId };
  }

  it('takes an event for the workspace it is about, and a retry once', async () => {
    const { app, clock, url, own, foreign } = await useApp();
    const first = await send(url, message.body, JSON_TYPE, clock);
    clock.advance(60_000);
    const retry = { ...JSON_TYPE, 'x-slack-retry-num': '2', 'x-slack-retry-reason': 'http_timeout' };
    const second = await send(url, message.body, retry, clock);
    expect([first, second].map(({ status, body }) => [status, body])).toEqual([
      [200, {}],
      [200, {}],
    ]);
    expect(await journalOf(app, own)).toEqual([{ event_type: 'message', event_id: 'Ev0000000001' }]);
    expect(await journalOf(app, foreign)).toEqual([]);
  });

  it('drops what is about a workspace that nobody has connected', async () => {
    const { app, clock, url, own } = await useApp();
    const elsewhere = message.body.toString().replaceAll(TEAM, 'T0OTHER001');
    expect((await send(url, elsewhere, JSON_TYPE, clock)).status).toBe(200);
    expect(await journalOf(app, own)).toEqual([]);
  });

  it('takes a button and a command, answers nothing that Slack would show, and keeps no way to act', async () => {
    const { app, clock, url, own } = await useApp();
    const payload = {
      type: 'block_actions',
      team: { id: TEAM },
      trigger_id: '13345224609.738474920',
      response_url: 'https://hooks.slack.com/actions/T0/1/secret',
    };
    const button = `payload=${encodeURIComponent(JSON.stringify(payload))}`;
    const command = `command=%2Fdoor&text=open&team_id=${TEAM}&token=old&response_url=https%3A%2F%2Fhooks.slack.com%2Fx`;
    for (const form of [button, command]) {
      const { status, body } = await send(url, form, FORM, clock);
      expect([status, body]).toEqual([200, {}]);
    }
    const types = (await journalOf(app, own)).map(({ event_type: type }) => type);
    expect(types.toSorted()).toEqual(['block_actions', 'slash_command']);
    const stored = await app.database.query<{ text: string }>('select s::text as text from signals s');
    expect(stored).toHaveLength(2);
    expect(JSON.stringify(stored)).not.toContain('hooks.slack.com');
    // Kept as what was read, without the addresses and tokens.
    const kinds = await app.database.query('select distinct content_type from deliveries');
    expect(kinds).toEqual([{ content_type: 'application/vnd.tributary.decoded+json' }]);
  });
});

describe('a consent', () => {
  async function consent(app: TestApp, caller: TestCaller) {
    const { connectionId, link } = await begin(caller, { providerId: 'slack' });
    const cookie = (await fetch(link)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const opened = await fetch(link, { method: 'POST', redirect: 'manual', headers: { cookie } });
    const authorization = new URL(opened.headers.get('location') ?? '');
    const state = authorization.searchParams.get('state') ?? '';
    const callback = `${app.url}/v1/integrations/oauth/callback?code=${GOOD_CODE}&state=${state}`;
    expect((await fetch(callback, { headers: { cookie } })).status).toBe(200);
    return { connectionId, authorization };
  }

  async function say(caller: TestCaller, connectionId: string) {
    const action = { postMessage: { channel: CHANNEL, text: 'Hello.' } };
    const input = { connectionId, idempotencyKey: randomUUID(), action };
    return (await caller.get(ExecuteActionDocument, { input })).executeAction;
  }

  it('asks for the bot’s scopes with commas, and connects the workspace', async () => {
    const { app } = await useSlack();
    const caller = await app.caller();
    const { connectionId, authorization } = await consent(app, caller);
    expect(authorization.pathname).toBe('/oauth/v2/authorize');
    expect(authorization.searchParams.get('scope')).toMatch(/^chat:write,reactions:write,/);
    expect(authorization.searchParams.has('code_challenge')).toBe(false);
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'ACTIVE',
      account: { id: TEAM, name: 'Acme' },
    });
  });

  it('is renewed as it ends, and when Slack refuses its token by an answer of 200', async () => {
    const { app, slack, clock } = await useSlack();
    const { connectionId } = await consent(app, await app.caller());
    clock.advance(13 * HOUR_MS);
    const caller = await app.caller();
    expect(await say(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    clock.advance(HOUR_MS);
    slack.refuse(['xoxe', 'xoxb', 2].join('-'));
    expect(await say(await app.caller(), connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    const used = slack.provider.requests.map(({ headers }) => headers['authorization']?.split('-').at(-1));
    expect(used.filter((token) => token !== undefined)).toEqual(['1', '2', '2', '3']);
    expect(slack.messages).toHaveLength(2);
  });

  it('that is taken back needs a person again', async () => {
    const { app, slack, clock } = await useSlack();
    const caller = await app.caller();
    const { connectionId } = await consent(app, caller);
    slack.provider.on('POST /api/oauth.v2.access', () => ({
      status: 200,
      body: { ok: false, error: 'invalid_refresh_token' },
    }));
    slack.refuse(['xoxe', 'xoxb', 1].join('-'));
    clock.advance(120_000);
    expect(await say(caller, connectionId)).toMatchObject({ status: 'FAILED' });
    expect(await look(caller, connectionId)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
  });

  it('is given back when the connection ends', async () => {
    const { app, slack } = await useSlack();
    const caller = await app.caller();
    const { connectionId } = await consent(app, caller);
    await caller.get(DisconnectDocument, { connectionId });
    const revoked = slack.provider.requests.find(({ path }) => path === '/auth.revoke');
    expect(revoked?.headers['authorization']).toBe(`Bearer ${['xoxe', 'xoxb', 1].join('-')}`);
    expect([revoked?.query, revoked?.text]).toEqual([{}, '']);
  });
});
