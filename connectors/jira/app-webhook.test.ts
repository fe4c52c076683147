import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import { appOpinion } from '../../test/second-opinions/jira.js';
import { routesAt, routesOf } from './route.js';
import { webhook } from './webhook.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const body = Buffer.from('{"webhookEvent":"jira:issue_created"}');
const anySecret = fc.string({ minLength: 1 }).map((text) => new Secret(text));

/** As we understand the scheme. */
function signed(secret: Secret) {
  const [header, claims] = [{ alg: 'HS256' }, { exp: NOW.getTime() / 1000 + 60 }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signature = createHmac('sha256', secret.reveal()).update(`${header}.${claims}`).digest('base64url');
  const headers = { authorization: `Bearer ${header}.${claims}.${signature}` };
  return { headers, body, receivedAt: NOW };
}

describe(`a delivery to an app, as ${appOpinion.library} sees it`, () => {
  it('is accepted when it signed it, and by no other secret', async () => {
    await fc.assert(
      fc.asyncProperty(anySecret, async (secret) => {
        const delivery = await appOpinion.sign({ headers: {}, body }, secret, NOW);
        expect(webhook.verify(delivery, [secret])).toBe(true);
        expect(webhook.verify(delivery, [new Secret(`${secret.reveal()}x`)])).toBe(false);
        const late = new Date(NOW.getTime() + 5 * 60_000);
        expect(webhook.verify({ ...delivery, receivedAt: late }, [secret])).toBe(false);
        expect(appOpinion.verify(signed(secret), secret, NOW)).toBe(true);
        expect(webhook.verify(signed(secret), [secret])).toBe(true);
      }),
    );
  });

  it('is refused with any other proof in its place', () => {
    const secret = new Secret('the client secret of a test');
    const { headers } = signed(secret);
    const verify = (given: Record<string, string>) =>
      webhook.verify({ headers: given, body, receivedAt: NOW }, [secret]);
    expect(verify(headers)).toBe(true);
    expect(verify({})).toBe(false);
    expect(verify({ authorization: headers.authorization.replace('Bearer ', 'Basic ') })).toBe(false);
    expect(verify({ authorization: `${headers.authorization} x` })).toBe(false);
    // An administrator's signature is not overruled by a token.
    expect(verify({ ...headers, 'x-hub-signature': 'sha256=00' })).toBe(false);
  });
});

describe('the routes of a delivery', () => {
  const site = { cloudId: 'cloud-1', url: 'https://acme.atlassian.net' };

  it.each([
    ['an issue at its site', { issue: { self: 'https://acme.atlassian.net/rest/api/2/issue/1' } }],
    [
      'an issue behind the gateway',
      { issue: { self: 'https://api.atlassian.com/ex/jira/cloud-1/rest/api/2/issue/1' } },
    ],
    ['a comment', { comment: { self: 'https://acme.atlassian.net/rest/api/2/issue/1/comment/2' } }],
    ['a person', { user: { self: 'https://acme.atlassian.net/rest/api/2/user?accountId=1' } }],
    [
      'a project',
      { issue: { fields: { project: { self: 'https://acme.atlassian.net/rest/api/2/project/1' } } } },
    ],
  ])('are told by the address of %s', (_, part) => {
    const found = routesOf({ ...part, matchedWebhookIds: [7, '8', null, {}] });
    expect(found).toHaveLength(2);
    const known = ['7', '8'].flatMap((id) => routesAt(site, id));
    expect(known).toEqual(expect.arrayContaining([...found]));
  });

  it('are none where it says no site or no webhook', () => {
    const self = 'https://acme.atlassian.net/rest/api/2/issue/1';
    expect(routesOf({ issue: { self } })).toEqual([]);
    expect(routesOf({ issue: { self }, matchedWebhookIds: 7 })).toEqual([]);
    expect(routesOf({ matchedWebhookIds: [7] })).toEqual([]);
    expect(routesOf({ issue: { self: 'acme' }, matchedWebhookIds: [7] })).toEqual([]);
  });

  it('of whatever JSON are texts that name a site and a number', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (any, ids) => {
        const all = [
          ...routesOf(any),
          ...routesOf({ issue: { self: 'https://a.example/1' }, matchedWebhookIds: ids }),
        ];
        for (const route of all) expect(route).toMatch(/#/);
      }),
    );
  });
});
