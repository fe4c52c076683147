import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/notion.js';
import { inWorld } from '../../test/conformance/world.js';
import { ADA, BOT, WORKSPACE, startFakeNotion } from '../../test/support/fake-notion.js';
import { MalformedDelivery, ProviderFailure, type RawDelivery } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { failureOfResponse } from '../../src/outbound/failure.js';
import { connectors } from '../index.js';
import { auth } from './auth.js';
import { notion } from './index.js';
import { manifest } from './manifest.js';
import { rules } from './normalize.js';
import { webhook } from './webhook.js';

// Only what conformance can't know.

const NOW = new Date('2026-11-21T12:00:00.750Z');
const delivery: RawDelivery = { headers: {}, body: Buffer.from('{}'), receivedAt: NOW };

describe('manifest', () => {
  it('is in the list of connectors', () => expect(connectors).toContain(notion));

  it('has a trigger for every type that a rule makes, and no other', () => {
    const made = new Set([...rules.map(({ type }) => type), 'provider_event']);
    expect(new Set(manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
  });
});

describe('a signature', () => {
  // Computed from the published recipe.
  const body = Buffer.from('{"id":"evt1","type":"page.created"}');
  const token = new Secret('secret_test_token');
  const signature = 'sha256=1709f61aa35864048b09d910f94b715c55880c5adf798a43ae549ff75193cb07';
  const verify = (given: string | undefined, signed = body) =>
    webhook.verify({ ...delivery, headers: { 'x-notion-signature': given }, body: signed }, [token]);

  it('is over the bytes, by the token that Notion handed out', () => {
    expect(verify(signature)).toBe(true);
    expect(verify(signature, Buffer.from('{"id":"evt2","type":"page.created"}'))).toBe(false);
    expect(verify(signature.replace('sha256=', ''))).toBe(false);
    expect(verify(signature.replace('sha256=', 'sha1='))).toBe(false);
    expect(verify(createHmac('sha256', 'another').update(body).digest('hex'))).toBe(false);
  });
});

describe('the first request', () => {
  it('hands a token out, and no event does', () => {
    const secretOf = webhook.handshake!.secretOf!;
    expect(secretOf({ verification_token: 'secret_abc' })).toBe('secret_abc');
    for (const body of [
      {},
      null,
      [],
      'secret_abc',
      { verification_token: '' },
      { verification_token: { a: 1 } },
      { verification_token: 'secret_abc', type: 'page.created' },
    ]) {
      expect(secretOf(body)).toBeUndefined();
    }
  });
});

describe('an event', () => {
  it('is known by its id, which all tries share', () => {
    const body = { id: 'e1', type: 'page.created', attempt_number: 1, api_version: '2026-03-11' };
    expect(webhook.identify(delivery, body)).toEqual({
      id: 'e1',
      type: 'page.created',
      apiVersion: '2026-03-11',
    });
    expect(webhook.identify(delivery, { ...body, attempt_number: 2 }).id).toBe('e1');
  });

  it.each([[{}], [null], [[]], [{ id: 'e1' }], [{ type: 'x' }], [{ id: 'e'.repeat(300), type: 'x' }]])(
    'without a name can’t be read: %j',
    (body) => {
      expect(() => webhook.identify(delivery, body)).toThrow(MalformedDelivery);
    },
  );

  it.each<[string, unknown, unknown]>([
    ['everybody of an integration of one workspace', { workspace_id: WORKSPACE }, WORKSPACE],
    [
      'those alone who may see what it is about',
      { workspace_id: WORKSPACE, accessible_by: [{ id: ADA, type: 'person' }, { id: BOT, type: 'bot' }, {}] },
      [`${WORKSPACE}/${ADA}`, `${WORKSPACE}/${BOT}`],
    ],
    [
      'nobody where the workspace of those who may see it is unknown',
      { accessible_by: [{ id: ADA }] },
      undefined,
    ],
    ['nobody', {}, undefined],
  ])('is for %s', (_who, body, expected) => {
    expect(webhook.accountOf!(delivery, body)).toEqual(expected);
  });
});

describe('identify', () => {
  it('tells the workspace of an integration of its own', async () => {
    await inWorld(subject, async ({ context }) => {
      expect(await auth.identify(context)).toEqual({
        account: { id: BOT, name: 'Acme' },
        appAccount: WORKSPACE,
        grantedScopes: undefined,
      });
    });
  });

  it('tells the person who has consented: what they may see is not what the workspace may', async () => {
    const fake = await startFakeNotion({ now: () => NOW });
    fake.consent();
    const world = { ...subject, provider: { ...subject.provider, start: async () => started } };
    const started = {
      provider: fake.provider,
      credential: { token: new Secret(fake.token) },
      crowd: () => undefined,
    };
    await inWorld(world, async ({ context }) => {
      expect(await auth.identify(context)).toMatchObject({
        account: { id: BOT },
        appAccount: `${WORKSPACE}/${ADA}`,
      });
    });
  });

  it('names no account where the workspace of a person is not told', async () => {
    const bot = { owner: { type: 'user', user: { id: ADA } } };
    const request = async () => ({ status: 200, headers: {}, body: { id: BOT, type: 'bot', bot } });
    expect(await auth.identify({ settings: {}, request })).not.toHaveProperty('appAccount');
  });

  it('takes no answer for one that lacks the bot', async () => {
    for (const body of [{}, { id: ADA, type: 'person', name: 'Ada' }]) {
      const request = async () => ({ status: 200, headers: {}, body });
      await expect(auth.identify({ settings: {}, request })).rejects.toBeInstanceOf(ProviderFailure);
    }
  });
});

describe('the version', () => {
  it.each([
    [{}, '2025-09-03'],
    [{ apiVersion: '2026-03-11' }, '2026-03-11'],
  ])('by the settings %j is %s', async (settings, version) => {
    await inWorld({ ...subject, provider: { ...subject.provider, settings } }, async ({ context, fake }) => {
      await auth.identify(context);
      expect(fake.provider.requests[0]?.headers['notion-version']).toBe(version);
    });
  });
});

describe('failures', () => {
  it.each([
    [400, 'validation_error', 'INVALID', 'validation_error'],
    [400, 'missing_version', 'INVALID', 'invalid_request'],
    [401, 'unauthorized', 'AUTH', 'unauthorized'],
    [403, 'restricted_resource', 'AUTH', 'restricted_resource'],
    [404, 'object_not_found', 'NOT_FOUND', 'object_not_found'],
    [409, 'conflict_error', 'INVALID', 'conflict_error'],
    [429, 'rate_limited', 'RATE_LIMIT', 'rate_limited'],
    [529, 'service_overload', 'RATE_LIMIT', 'service_overload'],
    [503, 'service_unavailable', 'PROVIDER', 'http_503'],
  ])('%d %s is %s', (status, code, category, expected) => {
    const text = JSON.stringify({ object: 'error', status, code, message: 'What it says.' });
    const { details } = failureOfResponse({ status, headers: {}, text }, manifest.failures, NOW);
    expect(details).toMatchObject({
      category,
      code: expected,
      message: 'What it says.',
      isAmbiguous: status === 503,
    });
  });
});
