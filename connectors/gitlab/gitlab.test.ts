import * as fc from 'fast-check';
import { createHmac, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  MalformedDelivery,
  type ProviderContext,
  ProviderFailure,
  type RawDelivery,
} from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { failureOfResponse } from '../../src/outbound/failure.js';
import { connectors } from '../index.js';
import { auth } from './auth.js';
import { gitlab } from './index.js';
import { manifest } from './manifest.js';
import { rules } from './normalize.js';
import { webhook } from './webhook.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const KEY = '9a2f6f6e-6a0e-4d0e-8a9f-000000000001';
const secretOf = (bytes: Uint8Array): string => `whsec_${Buffer.from(bytes).toString('base64')}`;
const SECRET = secretOf(randomBytes(32));

function delivery(
  headers: RawDelivery['headers'],
  body: string | Buffer = '{}',
  receivedAt = NOW,
): RawDelivery {
  return { headers, body: Buffer.from(body), receivedAt };
}

const verify = (given: RawDelivery, ...secrets: readonly string[]): boolean =>
  webhook.verify(
    given,
    secrets.map((secret) => new Secret(secret)),
  );

/** As GitLab signs, by another's code. */
function signed(body: string | Buffer, secret = SECRET, at = NOW, id = KEY): RawDelivery {
  const seconds = Math.floor(at.getTime() / 1000);
  return delivery(
    {
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': new Webhook(secret).sign(id, new Date(seconds * 1000), Buffer.from(body)),
    },
    body,
  );
}

describe('manifest', () => {
  it('is in the list of connectors', () => expect(connectors).toContain(gitlab));

  it('has a trigger for every type that a rule makes, and no other', () => {
    const made = new Set([...rules.map(({ type }) => type), 'provider_event']);
    expect(new Set(manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
    for (const { providerEvents } of manifest.triggers) expect(providerEvents).not.toEqual([]);
  });

  it('has its API version in the path, wherever GitLab is', () => {
    const pinned = manifest.apiVersions.find((version) => version.default)?.version;
    expect(manifest.baseUrl).toBe(`https://gitlab.com/api/${pinned}`);
    expect(manifest.selfManaged).toEqual({ apiPath: `/api/${pinned}` });
  });
});

describe('a delivery with a secret token', () => {
  it('is taken for exactly this token, whatever its form', () => {
    for (const secret of [SECRET, 'plain', 'ünïcödé token']) {
      expect(verify(delivery({ 'x-gitlab-token': secret }), secret)).toBe(true);
      expect(verify(delivery({ 'x-gitlab-token': secret }), 'previous', secret)).toBe(true);
      expect(verify(delivery({ 'x-gitlab-token': `${secret} ` }), secret)).toBe(false);
      expect(verify(delivery({ 'x-gitlab-token': secret.slice(0, -1) }), secret)).toBe(false);
    }
    expect(verify(delivery({}), SECRET)).toBe(false);
    expect(verify(delivery({ 'x-gitlab-token': '' }), '')).toBe(false);
    expect(verify(delivery({ 'x-gitlab-token': SECRET }))).toBe(false);
  });

  it('is not taken when it has a signature that is wrong', () => {
    const token = { 'x-gitlab-token': SECRET };
    expect(verify(delivery({ ...token, 'webhook-signature': '' }), SECRET)).toBe(false);
    const other = signed('{}', secretOf(randomBytes(32)));
    expect(verify({ ...other, headers: { ...other.headers, ...token } }, SECRET)).toBe(false);
  });
});

describe('a signed delivery', () => {
  it('is taken as Standard Webhooks publishes it', () => {
    const vector = delivery(
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      '{"test": 2432232314}',
      new Date(1_614_265_330_000),
    );
    expect(verify(vector, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBe(true);
  });

  it('gets one verdict from us and from the reference library, whatever is changed', () => {
    const tampered = fc.record({
      key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
      // The library also parses what it verifies.
      body: fc.json(),
      id: fc.stringMatching(/^[\w-]{1,40}$/),
      change: fc.constantFrom('nothing', 'body', 'id', 'time', 'signature', 'secret'),
    });
    fc.assert(
      fc.property(tampered, ({ key, body, id, change }) => {
        const secret = secretOf(key);
        const at = new Date(Math.floor(Date.now() / 1000) * 1000);
        const sent = altered(signed(body, secret, at, id), change);
        const used = change === 'secret' ? secretOf(Buffer.concat([key, Buffer.from('x')])) : secret;
        const headers = sent.headers as Record<string, string>;
        const theirs = accepts(() => new Webhook(used).verify(sent.body, headers));
        expect(verify({ ...sent, receivedAt: at }, used)).toBe(theirs);
        expect(theirs).toBe(change === 'nothing');
      }),
    );
  });

  it('and what is signed by the documented recipe is taken by both', () => {
    const seconds = String(Math.floor(Date.now() / 1000));
    const body = '{"object_kind":"push"}';
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    const mac = createHmac('sha256', key).update(`${KEY}.${seconds}.${body}`).digest('base64');
    const headers = { 'webhook-id': KEY, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${mac}` };
    expect(accepts(() => new Webhook(SECRET).verify(body, headers))).toBe(true);
    expect(verify(delivery(headers, body, new Date()), SECRET)).toBe(true);
  });

  it('counts for five minutes, either way', () => {
    for (const [minutes, isTaken] of [
      [-5, true],
      [5, true],
      [-5.1, false],
      [5.1, false],
    ] as const) {
      const receivedAt = new Date(NOW.getTime() + minutes * 60_000);
      expect(verify({ ...signed('{}'), receivedAt }, SECRET), String(minutes)).toBe(isTaken);
    }
  });

  it('may have several signatures, while a token is being replaced', () => {
    const [old, fresh] = [signed('{}', secretOf(randomBytes(32))), signed('{}')];
    const both = `${old.headers['webhook-signature']} ${fresh.headers['webhook-signature']}`;
    expect(verify({ ...fresh, headers: { ...fresh.headers, 'webhook-signature': both } }, SECRET)).toBe(true);
    const asymmetric = both.replaceAll('v1,', 'v1a,');
    const headers = { ...fresh.headers, 'webhook-signature': asymmetric };
    expect(verify({ ...fresh, headers }, SECRET)).toBe(false);
  });

  it('needs a secret that is a key', () => {
    for (const secret of ['whsec_', 'whsec_not base64', '', 'whsec_YQ']) {
      expect(verify(signed('{}'), secret)).toBe(false);
    }
  });
});

describe('a delivery', () => {
  const body = { object_kind: 'push' };

  it('is named by its idempotency key, and where it is signed by what is signed', () => {
    expect(webhook.identify(delivery({ 'idempotency-key': KEY }), body).id).toBe(KEY);
    // Not covered by the signature: whoever recorded the delivery could write anything there.
    const replayed = { ...signed('{}').headers, 'idempotency-key': 'another' };
    expect(webhook.identify(delivery(replayed), body).id).toBe(KEY);
  });

  it('of an old GitLab is named by its bytes', () => {
    const idOf = (event: string, text: string) =>
      webhook.identify(delivery({ 'x-gitlab-event-uuid': event }, text), body).id;
    expect(idOf('a', '{}')).toBe(idOf('a', '{}'));
    expect(idOf('a', '{}')).not.toBe(idOf('b', '{}'));
    expect(idOf('a', '{}')).not.toBe(idOf('a', '{ }'));
  });

  it.each([
    ['push', { object_kind: 'push', event_name: 'push' }],
    ['merge_request.open', { object_kind: 'merge_request', object_attributes: { action: 'open' } }],
    ['pipeline.success', { object_kind: 'pipeline', object_attributes: { status: 'success' } }],
    ['build.failed', { object_kind: 'build', build_status: 'failed' }],
    ['deployment.running', { object_kind: 'deployment', status: 'running' }],
    ['release.create', { object_kind: 'release', action: 'create' }],
    ['note', { object_kind: 'note', object_attributes: { noteable_type: 'Issue' } }],
    ['user_add_to_group', { event_name: 'user_add_to_group' }],
  ])('is called %s by its body', (type, told) => {
    expect(webhook.identify(delivery({ 'idempotency-key': KEY }), told).type).toBe(type);
  });

  it('that says nothing of what it is can’t be read', () => {
    for (const told of [[], null, 7, {}, { object_kind: '' }]) {
      expect(() => webhook.identify(delivery({ 'idempotency-key': KEY }), told)).toThrow(MalformedDelivery);
    }
    const long = { 'idempotency-key': 'k'.repeat(300) };
    expect(() => webhook.identify(delivery(long), body)).toThrow(MalformedDelivery);
  });
});

describe('failures', () => {
  it.each([
    [403, '{"error":"insufficient_scope","error_description":"…"}', 'AUTH', 'insufficient_scope'],
    [403, '{"message":"403 Forbidden"}', 'AUTH', 'forbidden'],
    [404, '{"message":"404 Project Not Found"}', 'NOT_FOUND', 'not_found'],
    [405, '{"message":"405 Method Not Allowed"}', 'INVALID', 'not_mergeable'],
    [409, '{"message":"SHA does not match HEAD of source branch"}', 'INVALID', 'head_changed'],
    [409, '{"message":"409 Conflict"}', 'INVALID', 'conflict'],
    [400, '{"message":{"title":["can\'t be blank"]}}', 'INVALID', 'validation_failed'],
    [422, '{"message":"Branch cannot be merged"}', 'INVALID', 'validation_failed'],
    [429, 'Retry later\n', 'RATE_LIMIT', 'rate_limit'],
  ])('%d %s is %s', (status, text, category, code) => {
    const response = { status, headers: {}, text };
    expect(failureOfResponse(response, manifest.failures, NOW).details).toMatchObject({ category, code });
  });
});

describe('identify', () => {
  const user = { id: 7, username: 'bot', web_url: 'https://git.example.com/bot' };
  const answering = (self: object | ProviderFailure): ProviderContext => ({
    settings: {},
    request: async ({ path }) => {
      if (path === '/user') return { status: 200, headers: {}, body: user };
      if (self instanceof ProviderFailure) throw self;
      return { status: 200, headers: {}, body: self };
    },
  });
  const failing = (category: 'INVALID' | 'NOT_FOUND' | 'AUTH' | 'NETWORK', providerStatus: number) =>
    answering(new ProviderFailure({ category, code: 'x', message: 'x', providerStatus }));

  it('tells whose token it is, and what it may do', async () => {
    expect(await auth.identify(answering({ scopes: ['api', 'read_user'] }))).toEqual({
      account: { id: '7', name: 'bot', url: user.web_url },
      grantedScopes: ['api', 'read_user'],
    });
  });

  it('does without the scopes where a token can’t tell them', async () => {
    const untold = [
      failing('INVALID', 400),
      failing('NOT_FOUND', 404),
      failing('AUTH', 403),
      answering({ scopes: 'api' }),
      answering([]),
    ];
    for (const context of untold) {
      expect((await auth.identify(context)).grantedScopes).toBeUndefined();
    }
  });

  it('does not take a broken line or a refused token for that', async () => {
    await expect(auth.identify(failing('NETWORK', 0))).rejects.toBeInstanceOf(ProviderFailure);
    await expect(auth.identify(failing('AUTH', 401))).rejects.toBeInstanceOf(ProviderFailure);
  });
});

function accepts(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** The delivery with one thing about it changed. */
function altered(sent: RawDelivery, what: string): RawDelivery {
  const { headers } = sent;
  const signature = headers['webhook-signature'] ?? '';
  switch (what) {
    case 'body':
      return { ...sent, body: Buffer.concat([sent.body, Buffer.from(' ')]) };
    case 'id':
      return { ...sent, headers: { ...headers, 'webhook-id': `${headers['webhook-id']}x` } };
    case 'time':
      return {
        ...sent,
        headers: { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) },
      };
    case 'signature':
      return { ...sent, headers: { ...headers, 'webhook-signature': `${signature.slice(0, -3)}AA=` } };
    default:
      return sent;
  }
}
