import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/slack.js';
import { opinion } from '../../test/second-opinions/slack.js';
import { MalformedDelivery, ProviderFailure, type RawDelivery } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { failureOfResponse, isFailure } from '../../src/outbound/failure.js';
import { connectors } from '../index.js';
import { auth } from './auth.js';
import { slack } from './index.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { rules } from './normalize/rules.js';
import { webhook } from './webhook.js';

// Only what conformance can't know.

const NOW = new Date('2026-11-21T12:00:00.750Z');
const secret = new Secret('8f742231b10e8888abcd99yyyzzz85a5');
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function signed(body: string, at = NOW, headers: Record<string, string> = {}): RawDelivery {
  return subject.webhook!.sign({ headers, body: Buffer.from(body) }, secret, at);
}

const decode = (body: string, headers: Record<string, string> = FORM): unknown =>
  webhook.decode!({ headers, body: Buffer.from(body), receivedAt: NOW });

describe('manifest', () => {
  it('is in the list of connectors', () => expect(connectors).toContain(slack));

  it('has a trigger for every type that a rule makes, and no other', () => {
    const made = new Set([...rules.map(({ type }) => type), 'provider_event']);
    expect(new Set(manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
  });
});

describe('a signature', () => {
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  const vector: RawDelivery = {
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: Buffer.from(
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    ),
    receivedAt: new Date(1_531_420_618_000),
  };

  it('is taken as Slack publishes it, in a form as well', () => {
    expect(webhook.verify(vector, [secret])).toBe(true);
    expect(
      webhook.verify({ ...vector, body: Buffer.concat([vector.body, Buffer.from('=')]) }, [secret]),
    ).toBe(false);
    expect(webhook.decode!({ ...vector, headers: { ...vector.headers, ...FORM } })).toMatchObject({
      type: 'slash_command',
      command: '/webhook-collect',
      team_id: 'T1DC2JH3J',
    });
  });

  it.each([
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
  ])('counts for five minutes both ways: %i seconds', (seconds, isAccepted) => {
    const receivedAt = new Date(NOW.getTime() + seconds * 1000);
    expect(webhook.verify({ ...signed('{}'), receivedAt }, [secret])).toBe(isAccepted);
  });

  it('from the future is refused, which Bolt lets through', () => {
    const delivery = { ...signed('{}', new Date(NOW.getTime() + 3_600_000)), receivedAt: NOW };
    expect(opinion.verify(delivery, secret, NOW)).toBe(true);
    expect(webhook.verify(delivery, [secret])).toBe(false);
  });

  it.each(['1e9', ' 1795262400', '0x6b021c80', '1795262400.0', ''])(
    'over a time that is no count of seconds is refused: %j',
    (timestamp) => {
      const body = Buffer.from('{}');
      const digest = createHmac('sha256', secret.reveal()).update(`v0:${timestamp}:{}`).digest('hex');
      const headers = { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
      const receivedAt = new Date(Number(timestamp) * 1000 || NOW.getTime());
      expect(webhook.verify({ headers, body, receivedAt }, [secret])).toBe(false);
    },
  );

  it('gets one verdict from us and from Bolt over any bytes that are text', () => {
    const property = fc.property(fc.string(), fc.integer({ min: -600, max: 0 }), (body, seconds) => {
      const delivery = { ...signed(body, new Date(NOW.getTime() + seconds * 1000)), receivedAt: NOW };
      expect(webhook.verify(delivery, [secret])).toBe(opinion.verify(delivery, secret, NOW));
    });
    fc.assert(property);
  });
});

describe('a body', () => {
  it('is JSON, a form around JSON, or a form that is a command', () => {
    expect(decode('{"a":1}', { 'content-type': 'application/json; charset=utf-8' })).toEqual({ a: 1 });
    expect(decode(`payload=${encodeURIComponent('{"type":"shortcut","x":"a+b&c"}')}`)).toEqual({
      type: 'shortcut',
      x: 'a+b&c',
    });
    expect(decode('command=%2Fdoor&text=open+it')).toEqual({
      type: 'slash_command',
      command: '/door',
      text: 'open it',
    });
  });

  it.each([
    ['{', { 'content-type': 'application/json' }],
    ['payload=%7B', FORM],
    ['{}', { 'content-type': 'text/plain' }],
  ])('of another kind can’t be read: %j %j', (body, headers) => {
    expect(() => decode(body, headers)).toThrow(MalformedDelivery);
  });

  it('is named by its event’s id, which all tries share, or else by its bytes', () => {
    const idOf = (body: string) => webhook.identify(signed(body), JSON.parse(body)).id;
    expect(idOf('{"event_id":"Ev1","event":{"type":"message"}}')).toBe('Ev1');
    expect(idOf('{"type":"block_actions"}')).not.toBe(idOf('{"type":"shortcut"}'));
    expect(idOf('{"type":"shortcut"}')).toBe(idOf('{"type":"shortcut"}'));
    const long = { event_id: 'E'.repeat(300) };
    expect(() => webhook.identify(signed('{}'), long)).toThrow(MalformedDelivery);
  });

  it.each([
    ['message', { type: 'event_callback', event: { type: 'message' } }],
    ['message.message_changed', { event: { type: 'message', subtype: 'message_changed' } }],
    ['app_rate_limited', { type: 'app_rate_limited' }],
    ['block_actions', { type: 'block_actions' }],
    ['unnamed', { type: '' }],
  ])('says %s', (type, body) => {
    expect(webhook.identify(signed('{}'), body).type).toBe(type);
  });
});

describe('the account of a delivery', () => {
  const authorization = { enterprise_id: 'E1', team_id: 'T1', is_enterprise_install: false };
  it.each<[string, unknown, string | undefined]>([
    ['a workspace', { team_id: 'T1' }, 'T1'],
    [
      'where it may be seen, not where it came from',
      { team_id: 'T2', authorizations: [authorization] },
      'T1',
    ],
    [
      'an organisation',
      { team_id: 'T2', authorizations: [{ ...authorization, team_id: null, is_enterprise_install: true }] },
      'E1',
    ],
    ['a button in a workspace', { team: { id: 'T1' }, enterprise: { id: 'E1' } }, 'T1'],
    [
      'a button in an organisation',
      { team: null, enterprise: { id: 'E1' }, is_enterprise_install: true },
      'E1',
    ],
    [
      'a command in an organisation',
      { team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: 'true' },
      'E1',
    ],
    ['a workspace that has authorised a bot', { authorizations: [{ ...authorization, is_bot: true }] }, 'T1'],
    [
      'none where a person has authorised it',
      { team_id: 'T1', authorizations: [{ ...authorization, user_id: 'U1', is_bot: false }] },
      undefined,
    ],
    ['none', { type: 'event_callback', authorizations: [] }, undefined],
    ['none, blank', { team_id: '', authorizations: [{ team_id: '' }] }, undefined],
  ])('is %s', (_name, body, account) => {
    expect(webhook.accountOf!(signed('{}'), body)).toBe(account);
  });
});

describe('interactivity', () => {
  it('is kept as provider_event, with what can be read of it', () => {
    const body = {
      type: 'block_actions',
      user: { id: 'U1', username: 'ada' },
      team: { id: 'T1', domain: 'acme' },
      channel: { id: 'C1', name: 'general' },
      container: { type: 'message', message_ts: '1795255200.000100', channel_id: 'C1' },
      actions: [{ action_id: 'approve', block_id: 'b', value: '7', action_ts: '1795255200.500000' }],
    };
    const event = { id: 'x', type: 'block_actions', body, receivedAt: NOW };
    expect(normalize(event)).toEqual([
      {
        identity: 'delivery:x',
        type: 'provider_event',
        occurredAt: new Date('2026-11-21T10:00:00.500Z'),
        resource: {},
        payload: { actor: { id: 'U1' }, actions: ['approve'], message_id: '1795255200.000100' },
        canonicalKeys: {
          channel_id: 'C1',
          user_id: 'U1',
          team_id: 'T1',
          message_id: '1795255200.000100',
        },
        evidence: [],
        correlationHints: [{ type: 'resource_id', value: 'C1:1795255200.000100', confidence: 1 }],
      },
    ]);
  });
});

describe('an answer of 200', () => {
  const answered = (body: unknown) => ({ status: 200, headers: {}, text: JSON.stringify(body) });

  it.each([
    ['not_in_channel', 'INVALID', 'not_in_channel', {}],
    ['channel_not_found', 'NOT_FOUND', 'channel_not_found', {}],
    ['missing_scope', 'AUTH', 'missing_scope', {}],
    ['token_expired', 'AUTH', 'token_expired', { isCredentialRefused: true }],
    ['internal_error', 'PROVIDER', 'internal_error', { isAmbiguous: true }],
    ['service_unavailable', 'PROVIDER', 'service_unavailable', { isAmbiguous: false }],
    ['something_new', 'INVALID', 'refused_by_slack', { message: 'something_new' }],
  ])('that says %s is %s', (error, category, code, more) => {
    const answer = answered({ ok: false, error });
    expect(isFailure(answer, manifest.failures)).toBe(true);
    const { details } = failureOfResponse(answer, manifest.failures, NOW);
    expect(details).toMatchObject({ category, code, isAmbiguous: false, ...more });
    expect(details.isCredentialRefused === true).toBe('isCredentialRefused' in more);
  });

  it('is no failure because of what somebody wrote in a channel', () => {
    const texts = [
      { text: '{"ok":false,"error":"invalid_auth"}', metadata: { ok: false, error: 'invalid_auth' } },
    ];
    expect(isFailure(answered({ ok: true, messages: texts }), manifest.failures)).toBe(false);
  });
});

describe('identify', () => {
  const bot = {
    ok: true,
    team: 'Acme',
    team_id: 'T1',
    user_id: 'U1',
    bot_id: 'B1',
    url: 'https://acme.slack.com/',
  };
  const identify = (body: unknown, headers: Record<string, string> = {}) =>
    auth.identify({ settings: {}, request: async () => ({ status: 200, headers, body }) });

  it('tells the workspace, and what the token may do', async () => {
    expect(await identify(bot, { 'x-oauth-scopes': 'chat:write, reactions:read,' })).toEqual({
      account: { id: 'T1', name: 'Acme', url: 'https://acme.slack.com/' },
      appAccount: 'T1',
      grantedScopes: ['chat:write', 'reactions:read'],
    });
  });

  it('lets a person’s token have nothing that is told to the app', async () => {
    const { bot_id: _, ...person } = bot;
    expect(await identify(person)).not.toHaveProperty('appAccount');
  });

  it('tells the organisation where a whole one has the app', async () => {
    const told = await identify({ ...bot, enterprise_id: 'E1', is_enterprise_install: true });
    expect([told.account.id, told.appAccount]).toEqual(['E1', 'E1']);
  });

  it('takes no answer for one that lacks the workspace', async () => {
    await expect(identify({ ok: true })).rejects.toBeInstanceOf(ProviderFailure);
  });
});
