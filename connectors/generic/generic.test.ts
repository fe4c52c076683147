import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { compile } from '../../test/conformance/manifest.js';
import { settings as shop, subject } from '../../test/conformance/subjects/generic.js';
import { failureOf, inWorld } from '../../test/conformance/world.js';
import { type JsonObject, MappingError, type RawDelivery } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { checkSettings } from './check.js';
import { mapping } from './mapping.js';
import { settingsSchema } from './settings.js';
import { fillTemplate } from './template.js';
import { webhook } from './webhook.js';

// Only what conformance can't know.

const NOW = new Date('2026-11-21T12:00:00Z');
const SECRET = `whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`;
const secret = new Secret(SECRET);
const body = Buffer.from('{"a":1}');
const seconds = String(NOW.getTime() / 1000);

const delivery = (headers: Record<string, string>, bytes = body): RawDelivery => ({
  headers,
  body: bytes,
  receivedAt: NOW,
});
const accepts = (declared: object | undefined, headers: Record<string, string>, event: object = {}) =>
  webhook.verify(delivery(headers), [secret], { ...(declared && { webhook: declared }), event });
const hmacOf = (text: string, { algorithm = 'sha256', key }: { algorithm?: string; key?: Buffer } = {}) =>
  createHmac(algorithm, key ?? SECRET).update(text);

describe('how senders prove themselves', () => {
  it.each([
    ['GitHub', { prefix: 'sha256=' }, () => `sha256=${hmacOf('{"a":1}').digest('hex')}`],
    [
      'Jenkins and the like',
      { algorithm: 'sha1' },
      () => hmacOf('{"a":1}', { algorithm: 'sha1' }).digest('hex'),
    ],
    ['Shopify', { encoding: 'base64' }, () => hmacOf('{"a":1}').digest('base64')],
    [
      'Teams',
      { encoding: 'base64', prefix: 'HMAC ', secretEncoding: 'base64' },
      () => `HMAC ${hmacOf('{"a":1}', { key: Buffer.from('k'.repeat(32)) }).digest('base64')}`,
    ],
    [
      'Stripe',
      {
        prefix: 'v1=',
        separator: ',',
        signed: '{timestamp}.{body}',
        timestamp: { header: 'x-sig', prefix: 't=' },
      },
      () => `t=${seconds},v1=${'0'.repeat(64)},v1=${hmacOf(`${seconds}.{"a":1}`).digest('hex')}`,
    ],
    [
      'Slack',
      { prefix: 'v0=', signed: 'v0:{timestamp}:{body}', timestamp: { header: 'x-time' } },
      () => `v0=${hmacOf(`v0:${seconds}:{"a":1}`).digest('hex')}`,
    ],
  ])('by HMAC as %s does', (_, declared, sign) => {
    const scheme = { scheme: 'hmac', header: 'x-sig', ...declared };
    expect(compile(settingsSchema)({ webhook: scheme })).toBe(true);
    expect(checkSettings({ webhook: scheme })).toEqual([]);
    expect(accepts(scheme, { 'x-sig': sign(), 'x-time': seconds })).toBe(true);
    const altered = delivery({ 'x-sig': sign(), 'x-time': seconds }, Buffer.from('{"a":2}'));
    expect(webhook.verify(altered, [secret], { webhook: scheme })).toBe(false);
    expect(accepts(scheme, { 'x-time': seconds })).toBe(false);
    expect(accepts(scheme, { 'x-sig': '', 'x-time': seconds })).toBe(false);
  });

  it.each([
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
  ])('within a time that is signed: %i seconds', (off, isAccepted) => {
    const scheme = {
      scheme: 'hmac',
      header: 'x-sig',
      signed: '{timestamp}.{body}',
      timestamp: { header: 'x-time', unit: 'milliseconds' },
    };
    const time = String(NOW.getTime() - off * 1000);
    const headers = { 'x-time': time, 'x-sig': hmacOf(`${time}.{"a":1}`).digest('hex') };
    expect(accepts(scheme, headers)).toBe(isAccepted);
  });

  it('by Standard Webhooks, also when nothing is declared', () => {
    const at = new Date();
    const signature = new StandardWebhook(SECRET).sign('msg_1', at, body.toString());
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signature,
    };
    for (const declared of [undefined, { scheme: 'standard_webhooks' }]) {
      const sent = { headers, body, receivedAt: at };
      expect(webhook.verify(sent, [secret], declared ? { webhook: declared } : {})).toBe(true);
      expect(webhook.verify(sent, [new Secret('other')], declared ? { webhook: declared } : {})).toBe(false);
      expect(accepts(declared, {})).toBe(false);
    }
    expect(webhook.verify({ headers, body, receivedAt: at }, [secret], undefined)).toBe(true);
  });

  it('by name and password', () => {
    const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
    expect(accepts({ scheme: 'basic' }, basic(`tributary:${SECRET}`))).toBe(true);
    expect(accepts({ scheme: 'basic', username: 'shop' }, basic(`shop:${SECRET}`))).toBe(true);
    expect(accepts({ scheme: 'basic', username: 'shop' }, basic(`other:${SECRET}`))).toBe(false);
    for (const pair of [`tributary:${SECRET}x`, 'tributary:', 'tributary', ':', '']) {
      expect(accepts({ scheme: 'basic' }, basic(pair))).toBe(false);
    }
    expect(accepts({ scheme: 'basic' }, {})).toBe(false);
  });

  it('by bearer, and by a header of their own', () => {
    expect(accepts({ scheme: 'bearer' }, { authorization: `Bearer ${SECRET}` })).toBe(true);
    expect(accepts({ scheme: 'bearer' }, { authorization: SECRET })).toBe(false);
    expect(accepts({ scheme: 'bearer' }, {})).toBe(false);
    const header = { scheme: 'bearer', header: 'x-token' };
    expect(accepts(header, { 'x-token': SECRET })).toBe(true);
    expect(accepts(header, { 'x-token': `${SECRET}x` })).toBe(false);
    expect(accepts(header, { authorization: `Bearer ${SECRET}` })).toBe(false);
  });

  it('or by nothing but the URL, where that is said', () => {
    expect(accepts({ scheme: 'none' }, {})).toBe(true);
  });
});

describe('how deliveries are named', () => {
  const identify = (
    event: object,
    headers: Record<string, string> = {},
    text = '{"n":{"id":7},"type":"made"}',
  ) => {
    const sent = delivery(headers, Buffer.from(text));
    const declared = { webhook: { scheme: 'none' }, event } as JsonObject;
    return webhook.identify(sent, webhook.decode?.(sent), declared);
  };

  it('by header, by field, or by their bytes', () => {
    expect(identify({ idHeader: 'x-id', typeHeader: 'x-type' }, { 'x-id': 'a', 'x-type': 'b' })).toEqual({
      id: 'a',
      type: 'b',
    });
    expect(identify({ idField: 'n.id' })).toEqual({ id: '7', type: 'made' });
    expect(identify({})).toEqual(identify({}));
    expect(identify({}).id).not.toBe(identify({}, {}, '{"type":"made"}').id);
    expect(() => identify({ idHeader: 'x-id' })).toThrow(/x-id is missing/);
    expect(() => identify({ idField: 'no.where' })).toThrow(/no.where is missing/);
    expect(identify({}, {}, '[1]').type).toBe('event');
  });
});

describe('what a mapping may make', () => {
  const event = { id: 'd-1', type: 'made', body: {}, receivedAt: NOW };
  const read = (made: unknown) => mapping.toDrafts(made, event);
  /** The signals, or the error whatever it is. */
  const attempt = (made: unknown): unknown => {
    try {
      return read(made);
    } catch (error) {
      return error;
    }
  };
  const problems = (made: unknown) => {
    const refused = attempt(made);
    if (refused instanceof MappingError) return refused.problems.map(({ path }) => path);
    throw new Error('this must be refused', { cause: refused });
  };

  it('a signal with all that a signal has', () => {
    expect(
      read({
        type: 'record_created',
        kind: 'metric',
        id: 7,
        occurredAt: 1_764_000_000,
        resource: { service: 'shop' },
        payload: { total: 250 },
        canonicalKeys: { record_id: 7, none: null },
        evidence: { type: 'order', url: 'https://shop.example.com/7', title: 'Order 7' },
        correlationHints: [{ type: 'resource_id', value: 7 }],
      }),
    ).toEqual([
      {
        type: 'record_created',
        kind: 'metric',
        identity: '7',
        occurredAt: new Date(1_764_000_000_000),
        resource: { service: 'shop' },
        payload: { total: 250 },
        canonicalKeys: { record_id: '7' },
        evidence: [{ type: 'order', url: 'https://shop.example.com/7', title: 'Order 7' }],
        correlationHints: [{ type: 'resource_id', value: '7', confidence: 1 }],
      },
    ]);
  });

  it('several, each once, or none', () => {
    const one = { type: 'record_created', id: 'a' };
    expect(read([one, { ...one, id: 'b' }, one])).toHaveLength(2);
    for (const nothing of [undefined, null, []]) expect(read(nothing)).toEqual([]);
  });

  it.each([
    [7, ['']],
    [['x'], ['[0]']],
    [{}, ['id', 'type']],
    [{ type: 'order_made', id: '' }, ['id', 'type']],
    [
      [
        { type: 'push', id: 'a' },
        { type: 'push', id: 'b', occurredAt: 'soon' },
      ],
      ['[1].occurredAt'],
    ],
    [{ type: 'push', id: 'a', occurredAt: 1_795_286_400_000 }, ['occurredAt']],
    [{ type: 'push', id: 'a', when: 1 }, ['when']],
    [{ type: 'push', id: 'a', payload: [] }, ['payload']],
    [{ type: 'push', id: 'a', payload: { canonical_keys: 1 } }, ['payload.canonical_keys']],
    [{ type: 'push', id: 'a', resource: { repo: 'x' } }, ['resource.repo']],
    [{ type: 'push', id: 'a', canonicalKeys: { a: {} } }, ['canonicalKeys.a']],
    [{ type: 'push', id: 'a', evidence: [{ type: 'x', url: 'javascript:alert(1)' }] }, ['evidence[0]']],
    [
      { type: 'push', id: 'a', correlationHints: [{ type: 'resource_id', value: 'x', confidence: 2 }] },
      ['correlationHints[0]'],
    ],
    [Array.from({ length: 101 }, (_, index) => ({ type: 'push', id: index })), ['']],
  ])('and nothing else: %j', (made, expected) => {
    expect(problems(made)).toEqual(expected);
  });

  it('is read or refused, whatever it is, and always in the same way', () => {
    const anything = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    const likely = fc.record(
      {
        type: fc.constantFrom('push', 'nonsense'),
        id: fc.oneof(fc.string(), fc.integer()),
        occurredAt: fc.oneof(fc.string(), fc.double({ noNaN: true })),
        payload: anything,
        resource: anything,
        evidence: anything,
      },
      { requiredKeys: [] },
    );
    const property = fc.property(fc.oneof(anything, likely, fc.array(likely)), (made) => {
      const before = structuredClone(made);
      const [once, again] = [attempt(made), attempt(made)];
      expect(again).toEqual(once);
      expect(once instanceof MappingError || Array.isArray(once)).toBe(true);
      expect(made).toEqual(before);
    });
    fc.assert(property);
  });
});

describe('templates', () => {
  it('fill, and leave what parameters hold alone', () => {
    const template = { a: '{{text}}', b: 'is {{ text }}!', c: ['{{none}}', '{{list}}'], d: '{{none}}', e: 7 };
    const parameters = { text: '{{list}} "quoted"', list: [1, { x: true }] };
    expect(fillTemplate(template, parameters)).toEqual({
      a: '{{list}} "quoted"',
      b: 'is {{list}} "quoted"!',
      c: [[1, { x: true }]],
      e: 7,
    });
  });

  it('read no inherited name', () => {
    expect(fillTemplate({ a: '{{constructor}}', b: 'x{{toString}}' }, {})).toEqual({ b: 'x' });
  });
});

describe('actions', () => {
  const custom = actions.custom!;
  const execute = (parameters: object, change: object = {}) =>
    inWorld(subject, async ({ fake, context }) => {
      const settings = { ...shop, ...change };
      sent = await custom
        .execute({ ...context, settings }, { name: 'make_order', parameters: parameters as never })
        .then(({ externalId, url }) => ({ externalId, url, request: fake.provider.requests.at(-1) }));
    });
  let sent: { externalId: string; url?: string | undefined; request: unknown } | undefined;

  it('send what is declared, each value in its place', async () => {
    await execute({ shop: 'no/rth?x=1#', sku: 'door', count: 2, source: 'console', dry: true });
    expect(sent).toMatchObject({
      externalId: 'order-1',
      request: {
        path: '/shops/no%2Frth%3Fx%3D1%23/orders',
        query: { dry: 'true' },
        body: { sku: 'door', lines: [{ count: 2, note: 'for no/rth?x=1#' }] },
      },
    });
  });

  it.each(['..', '.', ''])('go nowhere else: %j is no part of an address', async (name) => {
    await inWorld(subject, async ({ fake, context }) => {
      const asked = custom.execute(context, { name: 'make_order', parameters: { shop: name, sku: 'x' } });
      expect((await failureOf(asked)).details).toMatchObject({ category: 'INVALID', code: 'invalid_path' });
      expect(fake.provider.requests).toEqual([]);
    });
  });

  it('put no second header into one', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const parameters = { shop: 'north', sku: 'x', source: 'a\r\nx-other: b' };
      const { details } = await failureOf(custom.execute(context, { name: 'make_order', parameters }));
      expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_header' });
      expect(fake.provider.requests).toEqual([]);
    });
  });

  it.each([{ actions: {} }, { baseUrl: undefined }])('need to be declared: %j', async (change) => {
    await inWorld(subject, async ({ context }) => {
      const asked = custom.execute({ ...context, settings: { ...shop, ...change } }, { name: 'make_order' });
      expect((await failureOf(asked)).details).toMatchObject({ category: 'INVALID', code: 'not_declared' });
    });
  });

  it('take what is declared and nothing else', () => {
    const check = (input: JsonObject) => compile(custom.inputSchema!(shop, input))(input);
    const parameters = { shop: 'north', sku: 'door' };
    expect(check({ name: 'make_order', parameters })).toBe(true);
    expect(check({ name: 'make_order' })).toBe(false);
    expect(check({ name: 'make_order', parameters: { shop: 'north' } })).toBe(false);
    expect(check({ name: 'make_order', parameters: { ...parameters, count: 0 } })).toBe(false);
    expect(check({ name: 'make_order', parameters: { ...parameters, more: 1 } })).toBe(false);
    expect(check({ name: 'unknown', parameters })).toBe(false);
  });
});

describe('settings', () => {
  const validate = compile(settingsSchema);
  it.each([
    { baseUrl: 'http://plain.example.com' },
    { webhook: { scheme: 'hmac' } },
    { webhook: { scheme: 'magic' } },
    { webhook: { scheme: 'none', header: 'x' } },
    { webhook: { scheme: 'hmac', header: 'x', signed: 'no body' } },
    { actions: { a: { method: 'POST', path: 'https://elsewhere.example.com/' } } },
    { actions: { a: { method: 'POST', path: '//elsewhere.example.com/' } } },
    { actions: { a: { method: 'POST', path: '/a/../b' } } },
    { actions: { a: { method: 'POST', path: '/a?b=c' } } },
    { actions: { 'bad name': { method: 'POST', path: '/a' } } },
    {
      actions: {
        a: {
          method: 'GET',
          path: '/a',
          parameters: { type: 'object', properties: { x: { type: 'string', pattern: '(a+)+$' } } },
        },
      },
    },
    { mapping: 'x'.repeat(16_385) },
  ])('refuse %j', (wrong) => {
    expect(validate(wrong)).toBe(false);
  });

  it('are looked at beyond their schema', () => {
    const wrong = {
      webhook: { scheme: 'hmac', header: 'x', signed: '{id}.{body}', timestamp: { header: 't' } },
      actions: {
        a: {
          method: 'POST',
          path: '/{no}',
          body: ['{{such}}'],
          headers: { host: 'elsewhere' },
          parameters: {
            type: 'object',
            properties: { n: { type: 'integer', minLength: 1 } },
            required: ['m'],
          },
        },
      },
    };
    expect(validate(wrong)).toBe(true);
    expect(checkSettings(wrong).map(({ path }) => path)).toEqual([
      'actions.a.path',
      'actions.a.body',
      'actions.a.parameters.required',
      'actions.a.parameters.properties.n.minLength',
      'actions.a.headers.host',
      'baseUrl',
      'webhook.signed',
      'event.idHeader',
    ]);
    expect(checkSettings(shop)).toEqual([]);
  });
});

it('signs in each way that it offers', () => {
  const [a, b] = [new Secret('a'), new Secret('b')];
  expect(auth.sign({})).toEqual({});
  expect(auth.sign({ token: a })).toEqual({ authorization: 'Bearer a' });
  expect(auth.sign({ key: a })).toEqual({ 'x-api-key': 'a' });
  expect(auth.sign({ key: a, header: b })).toEqual({ b: 'a' });
  expect(auth.sign({ username: a, password: b })).toEqual({ authorization: 'Basic YTpi' });
});
