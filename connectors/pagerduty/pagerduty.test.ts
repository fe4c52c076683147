import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json, PollPage } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { describeConformance } from '../../test/conformance.js';
import { subject } from '../../test/conformance/subjects/pagerduty.js';
import { NOW, type World, failureOf, inWorld } from '../../test/conformance/world.js';
import { answer, loseAnswer } from '../../test/support/fake-behavior.js';
import { KEYS, toIncident } from '../../test/support/fake-pagerduty.js';
import { createIncident } from './actions/create.js';
import { resolveIncident } from './actions/resolve.js';
import { auth } from './auth.js';
import { poll } from './poll.js';
import { registration } from './registration.js';
import { webhook } from './webhook.js';

// Only what conformance can't know: that every connector is held to anyway (test/connectors.test.ts).

const DAY_MS = 86_400_000;

/** The same by a key of the account, which belongs to no user. */
const byAccountKey = {
  ...subject,
  provider: {
    ...subject.provider,
    settings: { from: 'ada@acme.example' },
    async start(clock: Parameters<typeof subject.provider.start>[0]) {
      return { ...(await subject.provider.start(clock)), credential: { apiKey: new Secret(KEYS.account) } };
    },
  },
};

describe('by a key of the account', () => {
  describeConformance(byAccountKey);

  it('is the account that the address of its services names', () =>
    inWorld(byAccountKey, async ({ context }) => {
      expect(await auth.identify(context)).toEqual({
        account: { id: 'acme', name: 'acme', url: 'https://acme.pagerduty.com' },
        grantedScopes: undefined,
      });
    }));

  it('writes as the user that the settings name, and as nobody without', async () => {
    const input = subject.provider.inputs.createIncident!;
    await inWorld(byAccountKey, async ({ context, fake }) => {
      await createIncident.execute(context, input);
      expect(fake.provider.requests.at(-1)?.headers['from']).toBe('ada@acme.example');
    });
    const nameless = { ...byAccountKey, provider: { ...byAccountKey.provider, settings: {} } };
    await inWorld(nameless, async ({ context }) => {
      const { details } = await failureOf(createIncident.execute(context, input));
      expect(details).toMatchObject({ category: 'INVALID', providerStatus: 400 });
    });
  });
});

describe('verify', () => {
  const body = Buffer.from('{"event":{"id":"01ABC"}}');
  const secret = new Secret('pd_test_secret');
  // By `openssl dgst -sha256 -hmac`, and not by our code.
  const SIGNATURE = 'v1=411e3454762152113d7f20b124e9b4e4a5ada385d272bd8bb8497013c93769b9';
  const other = `v1=${createHmac('sha256', 'of another secret').update(body).digest('hex')}`;
  const verify = (signature: string) =>
    webhook.verify({ headers: { 'x-pagerduty-signature': signature }, body, receivedAt: NOW }, [secret]);

  it.each([
    [SIGNATURE, true],
    [`${other},${SIGNATURE}`, true],
    [`${SIGNATURE}, ${other}`, true],
    [`${other},${other}`, false],
    [other, false],
    [SIGNATURE.replace('v1=', 'v2='), false],
    [SIGNATURE.slice(3), false],
    [`${Array.from({ length: 50 }, () => other).join(',')},${SIGNATURE}`, false],
    [',', false],
  ])('takes any signature of the list that fits: %s', (signature, isAccepted) =>
    expect(verify(signature)).toBe(isAccepted),
  );

  it('names the event by its signed id, whatever the header says', () => {
    const event = { event: { id: '01ABC', event_type: 'pagey.ping' } };
    const identify = (id: string) =>
      webhook.identify({ headers: { 'x-webhook-id': id }, body, receivedAt: NOW }, event);
    expect(identify('one')).toEqual({ id: '01ABC', type: 'pagey.ping' });
    expect(identify('another')).toEqual(identify('one'));
  });
});

describe('createIncident', () => {
  const input = subject.provider.inputs.createIncident!;

  it('shows plain text, under the key that makes it one', () =>
    inWorld(subject, async ({ context, fake }) => {
      await createIncident.execute(context, input);
      expect(fake.provider.requests.at(-1)?.body).toEqual({
        incident: {
          type: 'incident',
          title: 'The door does not close',
          service: { id: 'PIJ90N7', type: 'service_reference' },
          urgency: 'low',
          incident_key: context.actionId,
          body: { type: 'incident_body', details: 'Since Monday.' },
        },
      });
    }));

  it('is found behind pages of others after a lost answer', () =>
    inWorld(subject, async ({ context, fake, effects }) => {
      fake.crowd();
      fake.provider.next('POST /incidents', loseAnswer());
      await failureOf(createIncident.execute(context, input));
      fake.crowd();
      const { output } = await createIncident.execute(context, input);
      expect(output).toMatchObject({ number: 152, status: 'triggered' });
      expect(effects()).toBe(1);
    }));

  it('is a failure where PagerDuty knows the key and shows no such incident', () =>
    inWorld(subject, async ({ context, fake }) => {
      const error = { message: 'Invalid Input Provided', code: 2001, errors: ['… already exists …'] };
      fake.provider.next('POST /incidents', answer({ status: 409, body: { error } }));
      const { details } = await failureOf(createIncident.execute(context, input));
      expect(details).toMatchObject({ category: 'INVALID', code: 'incident_exists' });
    }));
});

describe('resolveIncident', () => {
  const input = { incident: 'Q000001', note: 'It was **stuck**.' };
  const effectsOf = ({ fake }: World) => Object.fromEntries(fake.provider.effects);

  it('says in one note what resolved it, also after lost answers', () =>
    inWorld(subject, async (world) => {
      const { context, fake } = world;
      fake.provider.next('POST /incidents/{id}/notes', loseAnswer());
      fake.provider.next('PUT /incidents/{id}', loseAnswer());
      await failureOf(resolveIncident.execute(context, input));
      await failureOf(resolveIncident.execute(context, input));
      expect((await resolveIncident.execute(context, input)).output).toMatchObject({ status: 'resolved' });
      expect(effectsOf(world)).toEqual({ note: 1, resolution: 1 });
      const note = fake.provider.requests.find(
        ({ path, method }) => path.endsWith('notes') && method === 'POST',
      );
      expect(note?.body).toEqual({ note: { content: 'It was stuck.' } });
    }));

  it('is no success while the incident is open', () =>
    inWorld(subject, async ({ context, fake }) => {
      const incident = {
        id: 'Q000001',
        html_url: 'https://acme.pagerduty.com/incidents/Q000001',
        status: 'triggered',
      };
      fake.provider.next('PUT /incidents/{id}', answer({ status: 200, body: { incident } }));
      const { details } = await failureOf(resolveIncident.execute(context, { incident: 'Q000001' }));
      expect(details).toMatchObject({ category: 'PROVIDER', isAmbiguous: true });
    }));
});

describe('registration', () => {
  const wanted = {
    url: 'https://tributary.example/v1/integrations/webhooks/pagerduty/token',
    secret: new Secret('of no use here'),
    events: ['incident.triggered'],
  };

  it.each([
    [{}, { type: 'account_reference' }],
    [{ service: 'PIJ90N7' }, { type: 'service_reference', id: 'PIJ90N7' }],
    [{ team: 'PTEAM1' }, { type: 'team_reference', id: 'PTEAM1' }],
  ])('asks for what the target names: %j', (target, filter) =>
    inWorld(subject, async ({ context, fake }) => {
      await registration.register(context, { ...wanted, target });
      expect(fake.provider.requests.at(-1)?.body).toMatchObject({ webhook_subscription: { filter } });
    }),
  );

  it('asks for nothing where nothing can be asked for', () =>
    inWorld(subject, async ({ context, fake }) => {
      const nothing = { ...wanted, target: {}, events: ['pagey.ping'] };
      const { details } = await failureOf(registration.register(context, nothing));
      expect(details).toMatchObject({ category: 'INVALID', code: 'no_events' });
      expect(fake.provider.requests).toEqual([]);
    }));

  it('finds its own behind a page of others, and leaves those', () =>
    inWorld(subject, async ({ context }) => {
      for (let made = 0; made < 101; made++) {
        await registration.register(context, { ...wanted, url: `https://other.example/${made}`, target: {} });
      }
      const first = await registration.register(context, { ...wanted, target: {} });
      expect(first.replaces).toEqual([]);
      const second = await registration.register(context, { ...wanted, target: {} });
      expect(second.replaces).toEqual([first.externalId]);
    }));
});

describe('poll', () => {
  const idsOf = ({ events }: PollPage) => events.map(({ id }) => id);
  async function readAll({ context }: World, since: Date, from: Json = null) {
    const ids: string[] = [];
    for (let cursor = from, pages = 1; ; pages++) {
      const page = await poll.page(context, { stream: 'incidents', cursor, since, now: NOW });
      ids.push(...idsOf(page));
      if (page.isComplete) return { ids, pages, cursor: page.nextCursor };
      cursor = page.nextCursor;
    }
  }

  it('finds more of one second than a page holds', () =>
    inWorld(subject, async (world) => {
      world.fake.crowd();
      world.fake.crowd();
      const { ids } = await readAll(world, new Date(NOW.getTime() - DAY_MS));
      expect(new Set(ids).size).toBe(301);
    }));

  it('asks for less than six months at a time, until there are no more months', () =>
    inWorld(subject, async (world) => {
      const { ids, pages, cursor } = await readAll(world, new Date(NOW.getTime() - 400 * DAY_MS));
      expect([new Set(ids).size, pages]).toEqual([1, 3]);
      for (const { query } of world.fake.provider.requests) {
        expect(Date.parse(query['until']!) - Date.parse(query['since']!)).toBeLessThan(180 * DAY_MS);
      }
      expect((await readAll(world, NOW, cursor)).pages).toBe(1);
    }));

  it('hands an incident without an id on, to be set apart', () =>
    inWorld(subject, async (world) => {
      const known = toIncident({
        id: '',
        number: 1,
        title: 'x',
        key: 'k',
        urgency: 'low',
        createdAt: NOW,
        status: 'triggered',
        notes: [],
      });
      const body = { incidents: [known], limit: 100, offset: 0, more: false };
      world.fake.provider.next('GET /incidents', answer({ status: 200, body }));
      const request = { stream: 'incidents', cursor: null, since: NOW, now: NOW };
      const { events } = await poll.page(world.context, request);
      expect(events).toMatchObject([{ problem: expect.stringContaining('without an id') }]);
    }));
});
