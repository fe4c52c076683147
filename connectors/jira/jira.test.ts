import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Json, ProviderFailure } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { describeConformance } from '../../test/conformance.js';
import { subject } from '../../test/conformance/subjects/jira.js';
import { inWorld } from '../../test/conformance/world.js';
import { directContext } from '../../test/support/direct-context.js';
import { CLOUD_ID, EMAIL, SITE, startFakeJira } from '../../test/support/fake-jira.js';
import { updateIssue } from './actions/update.js';
import { auth } from './auth.js';
import { jira } from './index.js';
import { normalize } from './normalize.js';
import { rules } from './normalize/rules.js';
import { minus, toJql } from './time.js';
import { webhook } from './webhook.js';

const { registration: _byTokenOnly, ...received } = webhook;

/** The same by OAuth, through the gateway, with the site still to be found. */
const byConsent = {
  ...subject,
  connector: { ...jira, webhook: received },
  polling: { settings: { projects: ['SHOP'] } },
  provider: {
    ...subject.provider,
    settings: {},
    async start(clock: Parameters<typeof startFakeJira>[0]) {
      const fake = await subject.provider.start(clock);
      return { ...fake, credential: { accessToken: new Secret('access_token_of_the_fake') } };
    },
  },
};

describe('by OAuth', () => {
  describeConformance(byConsent);

  const resource = { id: CLOUD_ID, url: SITE, scopes: ['read:jira-work'] };

  it('finds the one site of a grant and tells it as settings', () =>
    inWorld(byConsent, async ({ context }) => {
      expect(await auth.identify(context)).toEqual({
        account: { id: '5b10a2844c20165700ede21g', name: 'Ada', url: SITE },
        grantedScopes: ['read:jira-user', 'read:jira-work', 'write:jira-work'],
        settings: { cloudId: CLOUD_ID, siteUrl: SITE },
      });
    }));

  it('looks nothing up once the settings name the site', () =>
    inWorld(byConsent, async ({ context, fake }) => {
      const settings = { cloudId: CLOUD_ID, siteUrl: SITE };
      const done = await updateIssue.execute({ ...context, settings }, { issue: 'SHOP-1', title: 'Known' });
      expect(done.url).toBe(`${SITE}/browse/SHOP-1`);
      expect(fake.provider.requests.map(({ path }) => path)).toEqual([
        `/ex/jira/${CLOUD_ID}/rest/api/3/issue/SHOP-1`,
        `/ex/jira/${CLOUD_ID}/rest/api/3/issue/SHOP-1`,
      ]);
    }));

  it.each([
    ['none', [], {}, 'no_site'],
    ['several', [resource, { ...resource, id: 'another' }], {}, 'several_sites'],
    ['not the chosen one', [resource], { cloudId: 'gone' }, 'no_site'],
  ])('says what to do when a grant is for %s', (_, body, settings, code) =>
    inWorld(byConsent, async ({ context, fake }) => {
      fake.provider.on('GET /oauth/token/accessible-resources', () => ({ status: 200, body }));
      const failure = auth.identify({ ...context, settings });
      await expect(failure).rejects.toMatchObject({ details: { code, isAmbiguous: false } });
    }),
  );

  it('takes a site that is there for two products once', () =>
    inWorld(byConsent, async ({ context, fake }) => {
      const wiki = { ...resource, scopes: ['read:page:confluence'] };
      fake.provider.on('GET /oauth/token/accessible-resources', () => ({
        status: 200,
        body: [wiki, resource],
      }));
      expect((await auth.identify(context)).grantedScopes).toEqual(['read:jira-work']);
    }));
});

describe('the trigger list', () => {
  it('says what the rules do, both ways', () => {
    const made = new Set(rules.map(({ type }) => type));
    expect(new Set(jira.manifest.triggers.map(({ signalType }) => signalType))).toEqual(made);
  });
});

describe('a signature', () => {
  // Published by Atlassian: https://developer.atlassian.com/cloud/jira/platform/webhooks/
  const secret = new Secret("It's a Secret to Everybody");
  const body = Buffer.from('Hello World!');
  const digest = 'a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9';
  const accepts = (given: string) =>
    webhook.verify({ headers: { 'x-hub-signature': given }, body, receivedAt: new Date() }, [secret]);

  it('is what Atlassian publishes, and only by an algorithm that we know', () => {
    expect(accepts(`sha256=${digest}`)).toBe(true);
    const by = (name: string) => `${name}=${createHmac(name, secret.reveal()).update(body).digest('hex')}`;
    for (const name of ['sha1', 'md5', 'sha384']) expect(accepts(by(name))).toBe(false);
    expect(accepts(by('sha512'))).toBe(true);
    for (const name of ['sha512', 'SHA256', '']) expect(accepts(`${name}=${digest}`)).toBe(false);
    expect(accepts(digest)).toBe(false);
  });
});

describe('a delivery', () => {
  it('goes by the id that Jira gives it, else by its bytes', () => {
    const body = Buffer.from('{"webhookEvent":"comment_created","timestamp":1}');
    const named = (headers: Record<string, string>, bytes = body) =>
      webhook.identify({ headers, body: bytes, receivedAt: new Date() }, JSON.parse(String(bytes))).id;
    expect(named({ 'x-atlassian-webhook-identifier': 'one' })).toBe('one');
    expect(named({})).toBe(named({}));
    expect(named({}, Buffer.from('{"webhookEvent":"comment_created","timestamp":2}'))).not.toBe(named({}));
  });

  const typesOf = (body: object) =>
    normalize({ id: 'any', type: 'jira:issue_updated', body, receivedAt: new Date(0) }).map(
      ({ type }) => type,
    );

  it('tells each thing that one change did', () => {
    const items = ['status', 'resolution', 'Rank', 'assignee'].map((field) => ({ field, to: '1' }));
    const types = typesOf({
      changelog: { id: '1', items },
      comment: { id: '2' },
      issue_event_type_name: 'issue_generic',
    });
    expect(types.toSorted()).toEqual(
      [
        'issue_assigned',
        'issue_closed',
        'issue_commented',
        'issue_status_changed',
        'issue_updated',
      ].toSorted(),
    );
    expect(typesOf({ changelog: { items: [{ field: 'resolution', from: '1', to: null }] } })).toEqual([
      'issue_reopened',
    ]);
    expect(typesOf({ issue_event_type_name: 'issue_assigned', changelog: { items: [] } })).toEqual([
      'issue_assigned',
    ]);
  });

  it('of a comment that was edited is no new comment', () => {
    expect(typesOf({ comment: { id: '2' }, issue_event_type_name: 'issue_comment_edited' })).toEqual([
      'provider_event',
    ]);
    expect(typesOf({ comment: { id: '2', created: '2026-01-01', updated: '2026-01-02' } })).toEqual([
      'provider_event',
    ]);
    expect(typesOf({ comment: { id: '2', created: '2026-01-01', updated: '2026-01-01' } })).toEqual([
      'issue_commented',
    ]);
  });
});

describe('updateIssue', () => {
  const moving = { issue: 'SHOP-1', status: 'in progress' };

  it('moves an issue by the transition that leads there, and leaves it when it is there', () =>
    inWorld(subject, async (world) => {
      await updateIssue.execute(world.context, moving);
      expect(world.effects()).toBe(1);
      await updateIssue.execute(world.context, moving);
      expect(world.effects()).toBe(1);
      expect(world.fake.provider.requests.filter(({ method }) => method === 'POST')).toMatchObject([
        { body: { transition: { id: '31' } } },
      ]);
    }));

  it('changes nothing when no transition leads there', () =>
    inWorld(subject, async (world) => {
      const failure = updateIssue.execute(world.context, { ...moving, status: 'Shipped', title: 'New' });
      await expect(failure).rejects.toMatchObject({
        details: { category: 'INVALID', code: 'no_transition' },
      });
      await expect(failure).rejects.toThrow('In Progress, Done');
      expect(world.effects()).toBe(0);
    }));

  it('takes an assignee off, and knows one at most', () =>
    inWorld(subject, async (world) => {
      await updateIssue.execute(world.context, { issue: 'SHOP-1', assignees: [], title: 'Nobody’s' });
      expect(world.fake.provider.requests.at(-1)?.body).toEqual({
        fields: { summary: 'Nobody’s', assignee: null },
      });
      const two = updateIssue.execute(world.context, { issue: 'SHOP-1', assignees: ['one', 'two'] });
      await expect(two).rejects.toMatchObject({ details: { code: 'one_assignee' } });
    }));
});

describe('polling', () => {
  it('loses nothing when issues change while it reads them', async () => {
    let now = Date.parse('2026-11-20T12:00:00Z');
    const fake = await startFakeJira({ now: () => new Date(now) });
    const basic = `Basic ${Buffer.from(`${EMAIL}:${fake.apiToken}`).toString('base64')}`;
    const context = directContext(fake.provider.url, basic, { baseUrl: SITE });
    for (let made = 0; made < 250; made++) {
      now += 60_000;
      fake.shop.add({ summary: `Issue ${made}` }, {});
    }
    const request = { stream: 'issues:SHOP', since: new Date('2026-11-20T12:00:30Z'), now: new Date(now) };
    const found: string[] = [];
    for (let cursor: Json = null, isComplete = false; !isComplete;) {
      const page = await jira.poll!.page(context, { ...request, cursor });
      found.push(...page.events.map(({ id }) => id));
      ({ nextCursor: cursor, isComplete } = page);
      now += 60_000;
      // Some of those that were seen move to the end, and all behind them forward.
      if (found.length < 250)
        for (const issue of fake.shop.issues.slice(1, 20)) fake.shop.change(issue, { summary: `At ${now}` });
    }
    await fake.provider.close();
    const made = fake.shop.issues.slice(1).map(({ id }) => `issue:${id}:created`);
    expect(new Set(found)).toEqual(new Set([...made, ...found]));
    expect(made.filter((id) => !found.includes(id))).toEqual([]);
  });

  it('begins anew from what was seen when Jira does not know its token any more', () =>
    inWorld(subject, async ({ context }) => {
      const settings = { ...context.settings, projects: ['SHOP'] };
      const seen = '2026-11-21T11:00:00.000Z';
      const cursor = { seen, from: seen, since: seen, zone: 'America/Los_Angeles', token: 'forgotten' };
      const request = { stream: 'issues:SHOP', since: new Date(0), now: new Date(0) };
      const page = await jira.poll!.page({ ...context, settings }, { ...request, cursor });
      expect(page).toEqual({ events: [], nextCursor: { seen }, isComplete: false });
      const { token: _, ...without } = cursor;
      const elsewhere = { ...request, stream: 'issues:NONE', cursor: without };
      await expect(jira.poll!.page({ ...context, settings }, elsewhere)).rejects.toThrow(ProviderFailure);
    }));

  it('writes times in the zone of the account, and before the hour that comes twice', () => {
    expect(toJql('2026-01-31T10:00:59.999Z', 'UTC')).toBe('2026-01-31 10:00');
    expect(toJql('2026-01-31T10:00:00.000Z', 'America/Los_Angeles')).toBe('2026-01-31 02:00');
    expect(toJql('2026-01-31T23:30:00.000Z', 'Asia/Kolkata')).toBe('2026-02-01 05:00');
    // 01:30 in Berlin is 23:30Z; 02:30 comes twice that night, at 00:30Z and at 01:30Z.
    expect(toJql('2026-10-25T00:30:00.000Z', 'Europe/Berlin')).toBe('2026-10-25 01:30');
    expect(toJql('2026-10-25T01:30:00.000Z', 'Europe/Berlin')).toBe('2026-10-25 02:30');
    expect(minus('2026-01-31T00:01:00.000Z', 120)).toBe('2026-01-30T23:59:00.000Z');
  });
});
