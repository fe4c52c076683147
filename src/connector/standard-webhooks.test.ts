import { describe, expect, it } from 'vitest';
import { Secret } from '../core/secret.js';
import { isSecret } from './signature.js';
import { standardWebhookKey, verifyStandardWebhook } from './standard-webhooks.js';

/** Published with the standard. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: Buffer.from('{"test": 2432232314}'),
  receivedAt: new Date(1_614_265_330_000),
};

const verify = (changes: Readonly<Record<string, string | undefined>> = {}, secret = VECTOR.secret) =>
  verifyStandardWebhook({ ...VECTOR, headers: { ...VECTOR.headers, ...changes } }, [new Secret(secret)]);

describe('a delivery signed by Standard Webhooks', () => {
  it('is taken as published', () => expect(verify()).toBe(true));

  it('needs all three headers, whole', () => {
    for (const name of Object.keys(VECTOR.headers)) {
      expect(verify({ [name]: undefined }), name).toBe(false);
      expect(verify({ [name]: '' }), name).toBe(false);
    }
    for (const time of ['1614265330.0', '1e9', ' 1614265330', '-1', 'now', '9'.repeat(20)]) {
      expect(verify({ 'webhook-timestamp': time }), time).toBe(false);
    }
    const signature = VECTOR.headers['webhook-signature'];
    for (const other of [signature.slice(3), `v2,${signature.slice(3)}`, `${signature}=`, `${signature},`]) {
      expect(verify({ 'webhook-signature': other }), other).toBe(false);
    }
    expect(verify({ 'webhook-signature': `v1a,x v1,AA== ${signature}` })).toBe(true);
  });

  it('is checked by keys alone', () => {
    expect(verify({}, VECTOR.secret.slice('whsec_'.length))).toBe(true);
    for (const secret of ['', 'whsec_', 'whsec_@@@@', 'no key at all'])
      expect(verify({}, secret)).toBe(false);
    expect(standardWebhookKey('whsec_YWJj')?.toString()).toBe('abc');
    expect(standardWebhookKey('whsec_YWJ')).toBeUndefined();
  });
});

describe('a secret that is sent itself', () => {
  it('is one of those that count, exactly', () => {
    const secrets = ['old one', 'new öne'].map((text) => new Secret(text));
    for (const text of ['old one', 'new öne']) expect(isSecret(text, secrets)).toBe(true);
    for (const text of ['old', 'old one ', 'OLD ONE', '', undefined]) {
      expect(isSecret(text, secrets)).toBe(false);
    }
    expect(isSecret('x', [])).toBe(false);
    expect(isSecret('', [new Secret('')])).toBe(false);
  });
});
