import { LinearWebhookClient } from '@linear/sdk/webhooks';
import * as fc from 'fast-check';
import { buildSchema, parse, validate } from 'graphql';
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MalformedDelivery, type ProviderContext, type RawDelivery } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { failureOfResponse, isFailure } from '../../src/outbound/failure.js';
import { linearSchema } from '../../test/support/fake-linear-schema.js';
import { connectors } from '../index.js';
import { auth } from './auth.js';
import * as documents from './documents.js';
import { mutate, query } from './graphql.js';
import { linear } from './index.js';
import { manifest } from './manifest.js';
import { rules } from './normalize.js';
import { webhook } from './webhook.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const SECRET = ['lin', 'wh', randomBytes(16).toString('hex')].join('_');
const ID = '234d1a4e-b617-4388-90fe-adc3633d6b00';

const signatureOf = (body: string | Buffer, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');

function delivery(body: string, headers: RawDelivery['headers'] = {}, receivedAt = NOW): RawDelivery {
  const signature = { 'linear-signature': signatureOf(body), 'linear-delivery': ID };
  return { headers: { ...signature, ...headers }, body: Buffer.from(body), receivedAt };
}

const verify = (given: RawDelivery, ...secrets: readonly string[]): boolean =>
  webhook.verify(
    given,
    (secrets.length > 0 ? secrets : [SECRET]).map((secret) => new Secret(secret)),
  );

const at = (time: number): string =>
  JSON.stringify({ action: 'create', type: 'Issue', webhookTimestamp: time });

describe('manifest', () => {
  it('is in the list of connectors', () => expect(connectors).toContain(linear));

  it('has a trigger for every type that a rule makes, and no other', () => {
    const made = new Set([...rules.map(({ type }) => type), 'provider_event']);
    expect(new Set(manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
    for (const { providerEvents } of manifest.triggers) expect(providerEvents).not.toEqual([]);
  });
});

describe('every document', () => {
  const file = join(
    process.env['TRIBUTARY_API_DESCRIPTIONS'] ?? '../shared/reference/api-descriptions',
    'linear/schema.graphql',
  );
  const all = Object.entries(documents);

  it('is there', () => expect(all.length).toBeGreaterThan(8));

  it.skipIf(!existsSync(file))(`is one that Linear’s schema knows, as it is in ${file}`, () => {
    const theirs = buildSchema(readFileSync(file, 'utf8'));
    for (const [name, text] of all) expect(validate(theirs, parse(text)), name).toEqual([]);
  });

  it('is one that the fake knows', () => {
    for (const [name, text] of all) expect(validate(linearSchema, parse(text)), name).toEqual([]);
  });
});

describe('a signed delivery', () => {
  it('is taken as the published vector', () => {
    const body = '{"action":"create","type":"Issue","webhookTimestamp":1767225600000}';
    const signature = 'd579630e62e2e0ba70554f6d17488ffb4a110b88be782aba9adae5e30d671357';
    const sent = { headers: { 'linear-signature': signature }, body: Buffer.from(body) };
    expect(verify({ ...sent, receivedAt: new Date(1_767_225_600_000) }, 'lin_wh_test')).toBe(true);
  });

  it('gets one verdict from us and from Linear’s SDK, whatever is changed', () => {
    const client = new LinearWebhookClient(SECRET);
    const cases = fc.record({
      value: fc.jsonValue(),
      age: fc.integer({ min: -120_000, max: 120_000 }),
      isAltered: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ value, age, isAltered }) => {
        const now = Date.now();
        // The SDK has a clock of its own: what lies right at the border it may judge either way.
        fc.pre(Math.abs(Math.abs(age) - 60_000) > 2_000);
        const body = JSON.stringify({ value, webhookTimestamp: now + age });
        const sent = delivery(body, {}, new Date(now));
        const used = isAltered ? { ...sent, body: Buffer.from(`${body} `) } : sent;
        const theirs = accepts(() =>
          client.verify(used.body, String(used.headers['linear-signature']), now + age),
        );
        expect(verify(used)).toBe(theirs);
        expect(theirs).toBe(!isAltered && Math.abs(age) < 60_000);
      }),
    );
  });

  it('counts for a minute, either way, by the time that is signed', () => {
    const time = NOW.getTime();
    for (const [age, isTaken] of [
      [60_000, true],
      [-60_000, true],
      [60_001, false],
      [-60_001, false],
    ] as const) {
      // A header is not signed, and says nothing against the body.
      const sent = delivery(at(time - age), { 'linear-timestamp': String(time) });
      expect(verify(sent), String(age)).toBe(isTaken);
    }
  });

  it('of before there was a time in it is judged by the header, where there is one', () => {
    const body = '{"action":"create","type":"Issue"}';
    expect(verify(delivery(body))).toBe(true);
    expect(verify(delivery(body, { 'linear-timestamp': String(NOW.getTime()) }))).toBe(true);
    expect(verify(delivery(body, { 'linear-timestamp': String(NOW.getTime() - 61_000) }))).toBe(false);
    expect(verify(delivery(body, { 'linear-timestamp': 'soon' }))).toBe(false);
  });

  it('needs the signature to be right before anything is read', () => {
    const sent = delivery(at(NOW.getTime()));
    expect(verify(sent)).toBe(true);
    expect(verify(sent, 'another')).toBe(false);
    expect(verify(sent, 'another', SECRET)).toBe(true);
    for (const given of [undefined, '', 'sha256=', signatureOf('{}'), `sha256=${signatureOf(sent.body)}`]) {
      expect(verify({ ...sent, headers: { 'linear-signature': given } })).toBe(false);
    }
  });
});

describe('a delivery', () => {
  const identify = (body: unknown, headers: RawDelivery['headers'] = { 'linear-delivery': ID }) =>
    webhook.identify({ headers, body: Buffer.from('{}'), receivedAt: NOW }, body);

  it('is named by its header, and called by its body', () => {
    expect(identify({ type: 'Issue', action: 'create' })).toEqual({ id: ID, type: 'Issue.create' });
    expect(identify({ type: 'Issue' }).type).toBe('Issue');
  });

  it('without a name or a type can’t be read', () => {
    for (const body of [[], null, 7, {}, { action: 'create' }]) {
      expect(() => identify(body)).toThrow(MalformedDelivery);
    }
    expect(() => identify({ type: 'Issue' }, {})).toThrow(MalformedDelivery);
    expect(() => identify({ type: 'Issue' }, { 'linear-delivery': 'x'.repeat(300) })).toThrow(
      MalformedDelivery,
    );
  });

  it('tells whose it is', () => {
    const sent = delivery('{}');
    expect(webhook.accountOf?.(sent, { organizationId: 'org-1' })).toBe('org-1');
    expect(webhook.accountOf?.(sent, {})).toBeUndefined();
  });
});

describe('failures', () => {
  const coded = (code: string, text = 'x') =>
    JSON.stringify({ errors: [{ message: text, extensions: { code } }] });

  it.each([
    [400, coded('RATELIMITED'), 'RATE_LIMIT', 'ratelimited'],
    [200, coded('RATELIMITED'), 'RATE_LIMIT', 'ratelimited'],
    [400, coded('AUTHENTICATION_ERROR'), 'AUTH', 'authentication_error'],
    [401, coded('AUTHENTICATION_ERROR'), 'AUTH', 'authentication_error'],
    [401, '', 'AUTH', 'unauthorized'],
    [400, coded('INPUT_ERROR', 'Entity not found: Team'), 'NOT_FOUND', 'not_found'],
    [400, coded('INPUT_ERROR'), 'INVALID', 'invalid_input'],
  ])('%d %s is %s', (status, text, category, code) => {
    const response = { status, headers: {}, text };
    expect(isFailure(response, manifest.failures)).toBe(true);
    expect(failureOfResponse(response, manifest.failures, NOW).details).toMatchObject({ category, code });
  });

  it('are not seen in what somebody wrote', () => {
    const issue = { title: 'RATELIMITED', description: '"code":"RATELIMITED" and AUTHENTICATION_ERROR' };
    const text = JSON.stringify({ data: { issue } });
    expect(isFailure({ status: 200, headers: {}, text }, manifest.failures)).toBe(false);
  });

  const answering = (body: unknown): ProviderContext => ({
    settings: {},
    request: async () => ({ status: 200, headers: {}, body }),
  });
  const failing = (type: string, message = 'No.') => ({
    errors: [{ message, extensions: { type, code: 'SOME_CODE', userPresentableMessage: 'Really, no.' } }],
    data: { issueCreate: null },
  });

  it.each([
    ['authentication error', 'AUTH', false],
    ['forbidden', 'AUTH', false],
    ['invalid input', 'INVALID', false],
    ['internal error', 'PROVIDER', true],
    ['constructor', 'UNKNOWN', true],
  ])('%s inside a 200 is %s, and a mutation by it in doubt: %s', async (type, category, isAmbiguous) => {
    const attempt = mutate(answering(failing(type)), 'mutation { x }', {});
    const details = { category, code: 'some_code', message: 'No.: Really, no.', isAmbiguous };
    await expect(attempt).rejects.toMatchObject({ details });
    const asked = query(answering(failing(type)), '{ x }', {});
    await expect(asked).rejects.toMatchObject({ details: { category, isAmbiguous: false } });
  });

  it('come before data, and nothing at all is one as well', async () => {
    const gone = query(answering(failing('invalid input', 'Entity not found: Issue')), '{ x }', {});
    await expect(gone).rejects.toMatchObject({ details: { category: 'NOT_FOUND', code: 'not_found' } });
    for (const body of [{}, { data: null }, { errors: [] }, [], '<html>', undefined]) {
      const attempt = mutate(answering(body), 'mutation { x }', {});
      await expect(attempt).rejects.toMatchObject({
        details: { code: 'unexpected_answer', isAmbiguous: true },
      });
    }
  });
});

describe('identify', () => {
  const organization = { id: 'org-1', name: 'Verdant', urlKey: 'verdant' };
  const as = (viewer: object): ProviderContext => ({
    settings: {},
    request: async () => ({ status: 200, headers: {}, body: { data: { viewer, organization } } }),
  });

  it('names the workspace', async () => {
    const account = { id: 'org-1', name: 'Verdant', url: 'https://linear.app/verdant' };
    expect(await auth.identify(as({ id: 'u' }))).toEqual({ account, grantedScopes: undefined });
  });

  it.each([
    [{ app: true, admin: false }, 'org-1'],
    [{ app: false, admin: true }, 'org-1'],
    [{ app: false, admin: false }, undefined],
    [{ admin: 'true' }, undefined],
  ])('joins %j to what an app is told of %s', async (viewer, appAccount) => {
    expect((await auth.identify(as({ id: 'u', ...viewer }))).appAccount).toBe(appAccount);
  });
});

describe('a request', () => {
  it('carries a key as it is, and a token behind Bearer', () => {
    expect(auth.sign({ apiKey: new Secret('key') })).toEqual({ authorization: 'key' });
    expect(auth.sign({ accessToken: new Secret('token') })).toEqual({ authorization: 'Bearer token' });
  });

  it('may be repeated if it only asks', async () => {
    const asked: boolean[] = [];
    const context: ProviderContext = {
      settings: {},
      async request({ isRepeatable = false }) {
        asked.push(isRepeatable);
        return { status: 200, headers: {}, body: { data: {} } };
      },
    };
    await query(context, '{ x }', {});
    await mutate(context, 'mutation { x }', {});
    expect(asked).toEqual([true, false]);
  });
});

function accepts(work: () => unknown): boolean {
  try {
    return work() !== false;
  } catch {
    return false;
  }
}
