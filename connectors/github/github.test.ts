import { sign as octokitSign, verify as octokitVerify } from '@octokit/webhooks-methods';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MalformedDelivery, type ProviderContext, type RawDelivery } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { failureOfResponse } from '../../src/outbound/failure.js';
import { connectors } from '../index.js';
import { auth } from './auth.js';
import { github } from './index.js';
import { manifest } from './manifest.js';
import { rules } from './normalize.js';
import { webhook } from './webhook.js';

/** GitHub's published vector: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
const SECRET = "It's a Secret to Everybody";
const BODY = 'Hello, World!';
const SIGNATURE = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

function delivery(body: string | Buffer, headers: RawDelivery['headers'] = {}): RawDelivery {
  return { headers, body: Buffer.from(body), receivedAt: new Date('2026-11-21T12:00:00Z') };
}

const verify = (body: string | Buffer, signature: string | undefined, ...secrets: readonly string[]) =>
  webhook.verify(
    delivery(body, { 'x-hub-signature-256': signature }),
    secrets.map((secret) => new Secret(secret)),
  );

const decode = (body: string | Buffer, type?: string) =>
  webhook.decode?.(delivery(body, { 'content-type': type }));

const identify = (given: RawDelivery['headers'], body: unknown) =>
  webhook.identify(delivery('', given), body);

const answering = (body: unknown, headers = {}): ProviderContext => ({
  settings: {},
  request: async () => ({ status: 200, headers, body }),
});

describe('manifest', () => {
  it('is in the list of connectors', () => expect(connectors).toContain(github));

  it('has a trigger for every type that a rule makes, and no other', () => {
    const made = new Set([...rules.map(({ type }) => type), 'provider_event']);
    expect(new Set(manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
    for (const { providerEvents } of manifest.triggers) expect(providerEvents).not.toEqual([]);
  });

  it('pins the default API version in the headers', () => {
    const pinned = manifest.apiVersions.find((version) => version.default)?.version;
    expect(manifest.headers['x-github-api-version']).toBe(pinned);
  });
});

describe('failures', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const epoch = String(now.getTime() / 1000 + 1800);
  const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const left = { 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': epoch };
  const none = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': epoch };
  const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes.';
  const modified = 'Head branch was modified. Review and try the merge again.';

  it.each([
    [401, {}, 'Bad credentials', 'AUTH', 'bad_credentials', undefined],
    [403, none, 'API rate limit exceeded', 'RATE_LIMIT', 'rate_limit', inSeconds(1800)],
    [429, none, 'API rate limit exceeded', 'RATE_LIMIT', 'rate_limit', inSeconds(1800)],
    [403, { 'retry-after': '75' }, secondary, 'RATE_LIMIT', 'secondary_rate_limit', inSeconds(75)],
    [429, {}, secondary, 'RATE_LIMIT', 'secondary_rate_limit', inSeconds(60)],
    [429, {}, 'Too many requests', 'RATE_LIMIT', 'rate_limit', inSeconds(60)],
    // The reset is on every answer, and no reason to wait for those that waiting does not mend.
    [403, left, 'Resource not accessible by personal access token', 'AUTH', 'forbidden', undefined],
    [404, left, 'Not Found', 'NOT_FOUND', 'not_found', undefined],
    [405, left, 'Pull Request is not mergeable', 'INVALID', 'not_mergeable', undefined],
    [409, left, modified, 'INVALID', 'head_changed', undefined],
    [409, left, 'Git Repository is empty.', 'INVALID', 'conflict', undefined],
    [410, left, 'Issues are disabled for this repo', 'NOT_FOUND', 'gone', undefined],
    [422, left, 'Validation Failed', 'INVALID', 'validation_failed', undefined],
  ] as const)('%i %j "%s" is %s %s', (status, headers, message, category, code, retryAt) => {
    const text = JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest' });
    const { details } = failureOfResponse({ status, headers, text }, manifest.failures, now);
    expect(details).toMatchObject({ category, code, message });
    expect(details.retryAt).toEqual(retryAt);
  });
});

describe('auth', () => {
  const user = { id: 7001, login: 'ada-byron', html_url: 'https://github.com/ada-byron' };
  it('signs with a bearer token', () => {
    expect(auth.sign({ token: new Secret('ghp_x') })).toEqual({ authorization: 'Bearer ghp_x' });
  });

  it.each([
    [{ 'x-oauth-scopes': 'repo, read:org' }, ['repo', 'read:org']],
    [{ 'x-oauth-scopes': '' }, []],
    [{}, undefined],
  ])('reads %j as scopes %j', async (headers, grantedScopes) => {
    const account = { id: '7001', name: 'ada-byron', url: 'https://github.com/ada-byron' };
    const told = { account, appAccount: '7001', grantedScopes };
    expect(await auth.identify(answering(user, headers))).toEqual(told);
  });

  it('refuses an answer without id or login', async () => {
    const details = { category: 'PROVIDER', code: 'unexpected_answer' };
    for (const body of [{}, { id: 7001 }, { login: 'ada-byron' }, '<html>', undefined]) {
      await expect(auth.identify(answering(body))).rejects.toMatchObject({ details });
    }
  });
});

describe('verify', () => {
  it('accepts the published vector', () => expect(verify(BODY, SIGNATURE, SECRET)).toBe(true));

  it('accepts either secret while one is being rotated', () => {
    expect(verify(BODY, SIGNATURE, 'new', SECRET)).toBe(true);
    expect(verify(BODY, SIGNATURE, SECRET, 'old')).toBe(true);
  });

  it.each([
    ['a flipped byte in the body', 'Hello, World?', SIGNATURE],
    ['a flipped digit in the signature', BODY, SIGNATURE.replace(/7$/, '8')],
    ['a signature that is too short', BODY, SIGNATURE.slice(0, -2)],
    ['a signature that is too long', BODY, `${SIGNATURE}00`],
    ['no prefix', BODY, SIGNATURE.slice('sha256='.length)],
    ['no header', BODY, undefined],
    ['an empty header', BODY, ''],
  ])('refuses %s', (_, body, signature) => expect(verify(body, signature, SECRET)).toBe(false));

  it('refuses everything without a secret', () => expect(verify(BODY, SIGNATURE)).toBe(false));

  it('never takes the old SHA-1 signature, in either header', () => {
    const sha1 = `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`;
    const headers = { 'x-hub-signature': sha1, 'x-hub-signature-256': sha1 };
    expect(webhook.verify(delivery(BODY, headers), [new Secret(SECRET)])).toBe(false);
    expect(webhook.verify(delivery(BODY, { 'x-hub-signature': sha1 }), [new Secret(SECRET)])).toBe(false);
  });

  it('agrees with @octokit/webhooks-methods, both ways', async () => {
    const ours = `sha256=${createHmac('sha256', SECRET).update('{"zen":"ü"}').digest('hex')}`;
    expect(await octokitVerify(SECRET, '{"zen":"ü"}', ours)).toBe(true);
    expect(verify('{"zen":"ü"}', await octokitSign(SECRET, '{"zen":"ü"}'), SECRET)).toBe(true);
    expect(verify('{"zen":"ü"} ', await octokitSign(SECRET, '{"zen":"ü"}'), SECRET)).toBe(false);
  });
});

describe('decode', () => {
  const value = { action: 'opened', text: 'ü + & = 👍' };
  const json = JSON.stringify(value);

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])('reads %s', (type) => {
    expect(decode(json, type)).toEqual(value);
  });

  it('reads a form as browsers encode it, and as strict encoders do', () => {
    const type = 'application/x-www-form-urlencoded';
    expect(decode(new URLSearchParams({ payload: json }).toString(), type)).toEqual(value);
    expect(decode(`a=b&payload=${encodeURIComponent(json)}`, type)).toEqual(value);
  });

  it.each([
    ['text/plain', json, 'choose "application/json"'],
    [undefined, json, 'choose "application/json"'],
    ['application/json', '{"cut":', 'choose the content type "application/json"'],
    ['application/json', '[]', 'not an object'],
    ['application/json', 'null', 'not an object'],
    ['application/json', Buffer.from('{"a":"\xff"}', 'latin1'), 'not UTF-8'],
    ['application/x-www-form-urlencoded', 'body=%7B%7D', 'no field "payload"'],
    ['application/x-www-form-urlencoded', 'payload=%FF', 'not percent-encoded UTF-8'],
    ['application/x-www-form-urlencoded', 'payload=%7', 'not percent-encoded UTF-8'],
    ['application/x-www-form-urlencoded', 'payload=7', 'not an object'],
  ])('refuses %s %s', (type, body, says) => {
    expect(() => decode(body, type)).toThrow(MalformedDelivery);
    expect(() => decode(body, type)).toThrow(says);
  });
});

describe('identify', () => {
  const headers = { 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958', 'x-github-event': 'issues' };
  it('joins event and action', () => {
    const id = headers['x-github-delivery'];
    expect(identify(headers, { action: 'opened' })).toEqual({ id, type: 'issues.opened' });
    for (const body of [{}, { action: '' }, { action: null }]) {
      expect(identify({ ...headers, 'x-github-event': 'push' }, body)).toEqual({ id, type: 'push' });
    }
  });

  it.each([
    ['X-GitHub-Delivery', { ...headers, 'x-github-delivery': undefined }],
    ['X-GitHub-Delivery', { ...headers, 'x-github-delivery': 'x'.repeat(256) }],
    ['X-GitHub-Event', { ...headers, 'x-github-event': '' }],
  ])('names the header %s that it lacks', (name, given) => {
    expect(() => identify(given, {})).toThrow(MalformedDelivery);
    expect(() => identify(given, {})).toThrow(name);
  });
});
