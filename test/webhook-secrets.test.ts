import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectDocument, RotateDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { post } from './support/github.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

async function connected(providerId: string, credential: object) {
  const caller: TestCaller = await app.caller(`tenant-${randomUUID()}`);
  const authMethod = 'apiKey' in credential ? ('API_KEY' as const) : ('BEARER' as const);
  const input = { providerId, name: 'main', authMethod, credential: { ...credential } };
  const { connect } = await caller.get(ConnectDocument, { input });
  const { url = '', secret = null } = connect.webhook ?? {};
  return { caller, connectionId: connect.connection.id, url, secret };
}

const fixture = (path: string): Buffer =>
  Buffer.from(readFileSync(new URL(`../connectors/${path}`, import.meta.url), 'utf8'));

const json = { 'content-type': 'application/json' };

describe('GitLab', () => {
  const body = fixture('gitlab/fixtures/push.new-branch.json');
  const gitlab = () => connected('gitlab', { token: 'glpat_not_checked' });

  it('sends the secret that we show, as a token or as the key of a signature', async () => {
    const { url, secret } = await gitlab();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const token = { ...json, 'x-gitlab-token': secret ?? '' };
    const first = await post(url, { body, headers: { ...token, 'idempotency-key': 'one' } });
    expect([first.status, first.body.signals?.length]).toEqual([202, 2]);
    const again = await post(url, { body, headers: { ...token, 'idempotency-key': 'one' } });
    expect([again.status, again.body.signals]).toEqual([200, first.body.signals]);

    const signed = signedBy(secret ?? '', body, 'two');
    // The same push by another delivery is the same two signals.
    expect((await post(url, { body, headers: signed })).body.signals).toEqual(first.body.signals);
    const altered = Buffer.from(body.toString('utf8').replace('ada', 'eve'));
    expect((await post(url, { body: altered, headers: signed })).status).toBe(401);
    // The right token does not help a signature that is wrong.
    const both = { ...signed, ...token, 'webhook-id': 'three' };
    expect((await post(url, { body, headers: both })).status).toBe(401);
    expect((await post(url, { body, headers: json })).status).toBe(401);
  });

  it('may have made its signing token itself', async () => {
    const { caller, connectionId, url } = await gitlab();
    const theirs = `whsec_${randomBytes(32).toString('base64')}`;
    await caller.get(RotateDocument, {
      input: { connectionId, what: 'WEBHOOK_SECRET', webhookSecret: theirs },
    });
    expect((await post(url, { body, headers: signedBy(theirs, body, 'one') })).status).toBe(202);
  });
});

describe('Linear', () => {
  const told = JSON.parse(fixture('linear/fixtures/Issue.create.json').toString('utf8')) as object;
  const sent = (secret: string, ageMs = 0) => {
    const body = Buffer.from(JSON.stringify({ ...told, webhookTimestamp: Date.now() - ageMs }));
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    return { body, headers: { ...json, 'linear-signature': signature, 'linear-delivery': randomUUID() } };
  };

  it('makes its secret itself, and is believed once it was handed over', async () => {
    const { caller, connectionId, url, secret } = await connected('linear', { apiKey: 'not_checked' });
    expect(secret).toBeNull();
    const theirs = ['lin', 'wh', randomBytes(16).toString('hex')].join('_');
    expect((await post(url, sent(theirs))).status).toBe(401);
    await caller.get(RotateDocument, {
      input: { connectionId, what: 'WEBHOOK_SECRET', webhookSecret: theirs },
    });
    const first = await post(url, sent(theirs));
    expect(first.status).toBe(202);
    // Tried again a minute later, under another name and with another time: still one signal.
    expect((await post(url, sent(theirs, 30_000))).body.signals).toEqual(first.body.signals);
    expect((await post(url, sent(theirs, 61_000))).status).toBe(401);
  });
});

function signedBy(secret: string, body: Buffer, id: string): Record<string, string> {
  const at = new Date(Math.floor(Date.now() / 1000) * 1000);
  return {
    ...json,
    'idempotency-key': id,
    'webhook-id': id,
    'webhook-timestamp': String(at.getTime() / 1000),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
