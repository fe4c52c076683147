import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { example } from '../connectors/example/index.js';
import {
  ConnectDocument,
  RotateDocument,
  ShowWebhookSecretDocument,
} from '../schema/generated/operations.js';
import { type Connector, type Webhook, textAt } from '../src/connector/index.js';
import { OPERATOR } from '../src/core/caller.js';
import { Secret } from '../src/core/secret.js';
import { loadFixtures } from './conformance/fixtures.js';
import { subject } from './conformance/subjects/example.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';

const created = loadFixtures('example').find(({ name }) => name === 'issue.created')!;

/** The example, with other ways at its address. */
function provider(webhook: Partial<Webhook>): Connector {
  return { ...example, webhook: { ...example.webhook!, ...webhook } };
}

async function useProvider(webhook: Partial<Webhook> = {}) {
  const app = await useTestApp({ connectors: [provider(webhook)] });
  const caller = await app.caller('acme');
  const input = {
    providerId: 'example',
    name: randomUUID(),
    authMethod: 'BEARER',
    credential: { token: 't' },
  } as const;
  const { connect } = await caller.get(ConnectDocument, { input });
  const { url, secret } = connect.webhook!;
  return { app, caller, url, secret: secret ?? null, connectionId: connect.connection.id };
}

function send(url: string, text: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

function sendSigned(url: string, secret: string, body: object): Promise<Response> {
  const unsigned = { headers: { 'example-delivery': randomUUID() }, body: Buffer.from(JSON.stringify(body)) };
  const signed = subject.webhook!.sign(unsigned, new Secret(secret), new Date());
  return send(url, String(signed.body), signed.headers as Record<string, string>);
}

const event = JSON.parse(String(created.body)) as object;

async function countDeliveries({ database }: TestApp): Promise<number> {
  return (await database.query('select id from deliveries')).length;
}

describe('a signed handshake', () => {
  it('is answered with its challenge, and journaled nowhere', async () => {
    const { app, url, secret } = await useProvider();
    const answer = await sendSigned(url, secret!, { type: 'handshake', challenge: '<script>x</script>' });
    expect([answer.status, await answer.text()]).toEqual([200, '<script>x</script>']);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await countDeliveries(app)).toBe(0);
  });

  it('is refused unsigned, and where it asks to repeat what no challenge is', async () => {
    const { url, secret } = await useProvider();
    expect((await send(url, JSON.stringify({ type: 'handshake', challenge: 'x' }))).status).toBe(401);
    for (const challenge of ['a\r\nb', 'x'.repeat(1_025)]) {
      expect((await sendSigned(url, secret!, { type: 'handshake', challenge })).status).toBe(400);
    }
  });
});

describe('an unsigned handshake', () => {
  const unsigned: Webhook['handshake'] = {
    unsigned({ method, headers, query }) {
      const challenge = headers['x-okta-verification-challenge'];
      if (method === 'GET') return challenge ? { json: { verification: challenge } } : undefined;
      return query?.['validationToken'] ? { text: query['validationToken'] } : undefined;
    },
  };

  it('is answered by GET from a header, and by POST from the query', async () => {
    const { app, url } = await useProvider({ handshake: unsigned });
    const got = await fetch(url, { headers: { 'x-okta-verification-challenge': 'abc' } });
    expect([got.status, await got.json()]).toEqual([200, { verification: 'abc' }]);
    const posted = await send(`${url}?validationToken=a%20%3Cb%3E&validationToken=second`, '');
    expect([posted.status, await posted.text()]).toEqual([200, 'a <b>']);
    expect(await countDeliveries(app)).toBe(0);
  });

  it('exists only at addresses that are known, of providers that have it', async () => {
    const { url } = await useProvider({ handshake: unsigned });
    const headers = { 'x-okta-verification-challenge': 'abc' };
    expect((await fetch(`${url}x`, { headers })).status).toBe(404);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(url, { method: 'HEAD', headers })).status).toBe(404);
    const without = await useProvider();
    expect((await fetch(without.url, { headers })).status).toBe(404);
  });

  it('leaves everything else to the signature', async () => {
    const { app, url, secret } = await useProvider({ handshake: unsigned });
    expect((await send(url, JSON.stringify(event))).status).toBe(401);
    expect((await sendSigned(url, secret!, event)).status).toBe(202);
    expect(await countDeliveries(app)).toBe(1);
  });
});

describe('a secret that the provider hands out', () => {
  const handshake: Webhook['handshake'] = { secretOf: (body) => textAt(body, 'verification_token') };
  const TOKEN = 'secret_0123456789abcdef';
  const hand = (url: string, token: string) => send(url, JSON.stringify({ verification_token: token }));
  const show = (caller: TestCaller, connectionId: string) =>
    caller.ask(ShowWebhookSecretDocument, { connectionId });

  it('is taken once, shown once, and verifies what comes after', async () => {
    const { app, caller, url, secret, connectionId } = await useProvider({ handshake });
    expect(secret).toBeNull();
    expect((await show(caller, connectionId)).errors[0]?.extensions.code).toBe('CONFLICT');
    expect((await sendSigned(url, TOKEN, event)).status).toBe(401);
    expect((await hand(url, TOKEN)).status).toBe(200);
    await expect.poll(async () => (await sendSigned(url, TOKEN, event)).status).toBe(202);
    expect((await hand(url, 'secret_of_somebody_else')).status).toBe(401);
    expect((await show(caller, connectionId)).data).toEqual({ showWebhookSecret: { secret: TOKEN } });
    expect((await show(caller, connectionId)).errors[0]?.extensions.code).toBe('CONFLICT');
    expect((await hand(url, 'secret_of_somebody_else')).status).toBe(401);
    const rows = await app.database.query('select t::text from webhook_endpoints t');
    expect(JSON.stringify(rows)).not.toContain(TOKEN);
  });

  it('of two that come at once, one is taken', async () => {
    const { url } = await useProvider({ handshake });
    const answers = await Promise.all([1, 2, 3, 4].map((n) => hand(url, `${TOKEN}_${n}`)));
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    expect(answers.map(({ status }) => status).filter((status) => status === 401)).toHaveLength(3);
  });

  it('is no secret when it is short, large, or no JSON', async () => {
    const { url } = await useProvider({ handshake });
    for (const text of [
      '{"verification_token":"short"}',
      '{"verification_token":7}',
      JSON.stringify({ verification_token: TOKEN, more: 'x'.repeat(5_000) }),
      'verification_token',
      '',
    ]) {
      expect((await send(url, text)).status, text.slice(0, 40)).toBe(401);
    }
    expect((await hand(url, TOKEN)).status).toBe(200);
  });

  it('is awaited again after a rotation, and the one before counts meanwhile', async () => {
    const { caller, url, connectionId } = await useProvider({ handshake });
    await hand(url, TOKEN);
    const { rotate } = await caller.get(RotateDocument, { input: { connectionId, what: 'WEBHOOK_SECRET' } });
    expect(rotate.webhook?.secret).toBeNull();
    const next = `${TOKEN}_next`;
    await expect.poll(async () => (await hand(url, next)).status).toBe(200);
    await expect.poll(async () => (await sendSigned(url, next, event)).status).toBe(202);
    expect((await sendSigned(url, TOKEN, event)).status).toBe(202);
  });

  it('works at the address of an app as well', async () => {
    const { app } = await useProvider({ handshake });
    const { webhookApps } = app.app.services;
    const operator = {
      tenantId: OPERATOR,
      subject: 'operator',
      scopes: new Set<string>(),
      correlationId: 'c',
    };
    const { url } = await webhookApps.register(operator, { providerId: 'example' });
    expect((await hand(url, TOKEN)).status).toBe(200);
    await expect.poll(async () => (await sendSigned(url, TOKEN, event)).status).toBe(202);
    expect((await webhookApps.showSecret(operator, 'example')).reveal()).toBe(TOKEN);
    await expect(webhookApps.showSecret(operator, 'example')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('a provider that wants its own answer', () => {
  it('gets it for what is new and what came before', async () => {
    const { app, url, secret } = await useProvider({ answer: { status: 200 } });
    const unsigned = { headers: { 'example-delivery': 'one' }, body: Buffer.from(JSON.stringify(event)) };
    const { body, headers } = subject.webhook!.sign(unsigned, new Secret(secret!), new Date());
    for (const _ of ['new', 'again']) {
      const answer = await send(url, String(body), headers as Record<string, string>);
      expect([answer.status, await answer.text()]).toEqual([200, '']);
    }
    expect(await countDeliveries(app)).toBe(1);
  });
});
