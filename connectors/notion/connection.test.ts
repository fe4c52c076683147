import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  DisconnectDocument,
  RegisterWebhookAppDocument,
  ShowWebhookSecretDocument,
  VerifyDocument,
} from '../../schema/generated/operations.js';
import { loadFixtures } from '../../test/conformance/fixtures.js';
import { subject } from '../../test/conformance/subjects/notion.js';
import { type TestApp, type TestCaller, useTestApp } from '../../test/support/app.js';
import { ADA, BOT, WORKSPACE, startFakeNotion } from '../../test/support/fake-notion.js';
import { post } from '../../test/support/github.js';
import { begin, look } from '../../test/support/oauth-story.js';
import { Secret } from '../../src/core/secret.js';

// The connector in the whole application, with Notion's ways of doing things that others do otherwise.

const TOKEN = 'secret_0123456789abcdefghij';
const JSON_TYPE = { 'content-type': 'application/json' };
const OAUTH_APP = { clientId: randomUUID(), clientSecret: 'secret-of-the-app-at-notion' };
const CODE = 'code-of-the-fake';
const fixtures = loadFixtures('notion');
const created = fixtures.find(({ name }) => name === 'page.created')!;

async function useNotion() {
  const notion = await startFakeNotion({ now: () => new Date() });
  onTestFinished(() => notion.provider.close());
  const env = {
    TRIBUTARY_PROVIDER_NOTION_BASE_URL: notion.provider.url,
    TRIBUTARY_PROVIDER_NOTION_OAUTH_URL: notion.provider.url,
    TRIBUTARY_PROVIDER_NOTION_CLIENT_ID: OAUTH_APP.clientId,
    TRIBUTARY_PROVIDER_NOTION_CLIENT_SECRET: OAUTH_APP.clientSecret,
  };
  return { notion, app: await useTestApp({ env }) };
}

async function connectByToken(caller: TestCaller, token: string) {
  const input = {
    providerId: 'notion',
    name: randomUUID(),
    authMethod: 'BEARER',
    credential: { token },
  } as const;
  const { connection, webhook } = (await caller.get(ConnectDocument, { input })).connect;
  await caller.get(VerifyDocument, { connectionId: connection.id });
  return { connectionId: connection.id, url: webhook!.url };
}

function send(url: string, body: Buffer | string, token = TOKEN) {
  const unsigned = { headers: JSON_TYPE, body: Buffer.from(body) };
  const signed = subject.webhook!.sign(unsigned, new Secret(token), new Date());
  return post(url, { body: signed.body, headers: signed.headers as Record<string, string> });
}

const handOver = (url: string, token: string) =>
  post(url, { body: Buffer.from(JSON.stringify({ verification_token: token })), headers: JSON_TYPE });

async function deliveriesOf({ database }: TestApp, connectionId: string): Promise<number> {
  return (await database.query('select id from deliveries where connection_id = $1', [connectionId])).length;
}

describe('the address of a connection', () => {
  it('takes the token that Notion hands out, shows it once, and verifies by it from then on', async () => {
    const { app, notion } = await useNotion();
    const caller = await app.caller();
    const { connectionId, url } = await connectByToken(caller, notion.token);
    expect((await send(url, created.body)).status).toBe(401);
    expect((await handOver(url, TOKEN)).status).toBe(200);
    const show = () => caller.ask(ShowWebhookSecretDocument, { connectionId });
    expect((await show()).data).toEqual({ showWebhookSecret: { secret: TOKEN } });
    expect((await show()).errors[0]?.extensions.code).toBe('CONFLICT');
    await expect.poll(async () => (await send(url, created.body)).status).toBe(202);
    expect((await send(url, created.body)).status).toBe(200);
    expect((await handOver(url, 'secret_of_somebody_else_000')).status).toBe(401);
    expect((await send(url, created.body, 'secret_of_somebody_else_000')).status).toBe(401);
    expect(await deliveriesOf(app, connectionId)).toBe(1);
  });
});

describe('the one address of an integration', () => {
  it('reaches those who may see what an event is about, and nobody else of their workspace', async () => {
    const { app, notion } = await useNotion();
    const caller = await app.caller();
    const ofWorkspace = await connectByToken(caller, notion.token);
    notion.consent();
    const ofAda = await connectByToken(caller, notion.token);
    const elsewhere = randomUUID();
    notion.consent(elsewhere);
    const ofAdaElsewhere = await connectByToken(caller, notion.token);
    const input = { providerId: 'notion' };
    const { url } = (await caller.get(RegisterWebhookAppDocument, { input })).registerWebhookApp;
    expect((await handOver(url, TOKEN)).status).toBe(200);
    const about = (id: string, viewers?: readonly string[], more: object = {}) =>
      JSON.stringify({
        ...(JSON.parse(String(created.body)) as object),
        id,
        ...more,
        ...(viewers && { accessible_by: viewers.map((viewer) => ({ id: viewer, type: 'person' })) }),
      });
    await expect.poll(async () => (await send(url, about('e1'))).status).toBeLessThan(300);
    await send(url, about('e2', [ADA, BOT]));
    await send(url, about('e3', [randomUUID()]));
    await send(url, about('e4', [ADA], { workspace_id: elsewhere }));
    const rows = await app.database.query<{ connection_id: string; event_id: string }>(
      'select connection_id, event_id from deliveries order by event_id',
    );
    expect(rows).toEqual([
      { connection_id: ofWorkspace.connectionId, event_id: 'e1' },
      { connection_id: ofAda.connectionId, event_id: 'e2' },
      { connection_id: ofAdaElsewhere.connectionId, event_id: 'e4' },
    ]);
  });
});

describe('a consent', () => {
  it('is asked for and given back in Notion’s way: Basic, JSON, no scopes, no expiry', async () => {
    const { app, notion } = await useNotion();
    notion.consent();
    const proof = `Basic ${Buffer.from(`${OAUTH_APP.clientId}:${OAUTH_APP.clientSecret}`).toString('base64')}`;
    notion.provider.on('POST /v1/oauth/token', ({ headers, body }) => {
      const { code, grant_type: type } = body as Readonly<Record<string, string>>;
      if (headers['authorization'] !== proof) return { status: 401, body: { error: 'invalid_client' } };
      if (code !== CODE || type !== 'authorization_code')
        return { status: 400, body: { error: 'invalid_grant' } };
      const tokens = { access_token: notion.token, token_type: 'bearer', refresh_token: null };
      const about = { bot_id: BOT, workspace_id: WORKSPACE, workspace_name: 'Acme', workspace_icon: null };
      return { status: 200, body: { ...tokens, ...about, owner: {}, duplicated_template_id: null } };
    });
    notion.provider.on('POST /oauth/revoke', ({ headers, body }) => {
      const isOurs = headers['authorization'] === proof && headers['notion-version'] !== undefined;
      if (isOurs && (body as { token?: string }).token === notion.token) notion.provider.addEffect('revoked');
      return { status: isOurs ? 200 : 401, body: {} };
    });
    const caller = await app.caller();
    const { connectionId, link } = await begin(caller, { providerId: 'notion' });
    const cookie = (await fetch(link)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const opened = await fetch(link, { method: 'POST', redirect: 'manual', headers: { cookie } });
    const { pathname, searchParams } = new URL(opened.headers.get('location') ?? '');
    expect(pathname).toBe('/v1/oauth/authorize');
    expect(searchParams.get('owner')).toBe('user');
    expect(searchParams.has('code_challenge')).toBe(false);
    const state = searchParams.get('state') ?? '';
    const callback = `${app.url}/v1/integrations/oauth/callback?code=${CODE}&state=${state}`;
    expect((await fetch(callback, { headers: { cookie } })).status).toBe(200);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', account: { name: 'Acme' } });
    await caller.get(DisconnectDocument, { connectionId });
    expect(notion.provider.effects.get('revoked')).toBe(1);
  });
});
