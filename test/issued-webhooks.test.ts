import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  DisconnectDocument,
  ReceiptsDocument,
  RegisterWebhookDocument,
  type RotateInput,
  RotateDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, startTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer, loseAnswer } from './support/fake-behavior.js';
import { type FakePagerDuty, KEYS, pagerdutyError, startFakePagerDuty } from './support/fake-pagerduty.js';

// Webhooks whose secret the provider makes, and tells in the answer that makes them alone.

const CREATE = 'POST /webhook_subscriptions';
const DELETE = 'DELETE /webhook_subscriptions/{id}';

let app: TestApp;
let clock: TestClock;
let pagerduty: FakePagerDuty;
beforeAll(async () => {
  clock = createTestClock();
  pagerduty = await startFakePagerDuty(clock);
  const env = { TRIBUTARY_PROVIDER_PAGERDUTY_BASE_URL: pagerduty.provider.url };
  app = await startTestApp({ clock, env });
});
afterAll(async () => {
  await app.close();
  await pagerduty.provider.close();
});

/** A verified connection of a tenant of its own. */
async function story() {
  const caller = await app.caller(`tenant-${randomUUID()}`);
  const credential = { apiKey: KEYS.user };
  const connecting = { providerId: 'pagerduty', name: 'main', authMethod: 'API_KEY' as const, credential };
  const { connect } = await caller.get(ConnectDocument, { input: connecting });
  const connectionId = connect.connection.id;
  await caller.get(VerifyDocument, { connectionId });
  return {
    async register(target: object) {
      const input = { connectionId, target: { ...target } };
      return (await caller.get(RegisterWebhookDocument, { input })).registerWebhook;
    },
    async rotate(input: Omit<RotateInput, 'connectionId'>) {
      return (await caller.get(RotateDocument, { input: { connectionId, ...input } })).rotate;
    },
    disconnect: () => caller.get(DisconnectDocument, { connectionId }),
    async registrations() {
      const { connection } = await caller.get(ConnectionDocument, { id: connectionId });
      return connection?.webhook?.registrations?.map(({ externalId }) => externalId);
    },
    async newestReceipt() {
      const { operation, outcome, result } = (await caller.get(ReceiptsDocument)).receipts.nodes[0]!;
      return { verb: operation.split('.').at(-1), outcome, result };
    },
  };
}

/** Each story begins and ends without any. */
const atPagerDuty = () => pagerduty.subscriptions.all.map(({ id }) => id);

/** What comes of PagerDuty's telling of a test. */
const ping = () =>
  pagerduty.subscriptions.deliver({
    id: randomUUID(),
    event_type: 'pagey.ping',
    resource_type: 'pagey',
    occurred_at: clock.now().toISOString(),
    agent: null,
    data: { type: 'ping', message: 'Hello from your friend Pagey!' },
  });

it('is set up with the secret that its making told, and taken away with its connection', async () => {
  const s = await story();
  const { registration, failure } = await s.register({ service: 'PIJ90N7' });
  expect(failure).toBeNull();
  expect(atPagerDuty()).toEqual([registration?.externalId]);
  expect(pagerduty.subscriptions.all[0]).toMatchObject({
    filter: { type: 'service_reference', id: 'PIJ90N7' },
  });
  expect(registration?.events).toEqual(expect.arrayContaining(['incident.triggered', 'incident.resolved']));
  expect(await ping()).toEqual([202]);
  expect(await s.newestReceipt()).toMatchObject({
    verb: 'register_webhook',
    outcome: 'SUCCESS',
    result: { secret_issued: true },
  });

  // A second time it is the same one, by the same secret.
  const again = await s.register({ service: 'PIJ90N7' });
  expect(again.registration).toMatchObject({ id: registration?.id, externalId: registration?.externalId });
  expect(await ping()).toEqual([202]);
  // Another would need another secret.
  await expect(s.register({ team: 'PTEAM1' })).rejects.toThrow(/a connection has one/);

  await s.disconnect();
  expect(atPagerDuty()).toEqual([]);
});

it('replaces the one whose making was answered by nothing', async () => {
  const s = await story();
  pagerduty.provider.next(CREATE, loseAnswer());
  const lost = await s.register({});
  expect([lost.registration, lost.failure?.category]).toEqual([null, 'NETWORK']);
  const [orphan] = atPagerDuty();
  // Nobody knows its secret.
  expect(await ping()).toEqual([401]);
  const { registration } = await s.register({});
  expect(registration?.externalId).not.toBe(orphan);
  expect(atPagerDuty()).toEqual([registration?.externalId]);
  // The new secret is told to every process, which takes a moment.
  await expect.poll(ping).toEqual([202]);
  await s.disconnect();
});

it('is made anew by a rotation, and what it replaces counts until then', async () => {
  const s = await story();
  await s.register({});
  const [first] = atPagerDuty();

  // Not made: what is there goes on working.
  pagerduty.provider.next(CREATE, answer(pagerdutyError(403)));
  const refused = await s.rotate({ what: 'WEBHOOK_SECRET' });
  expect(refused.registrationFailures).toMatchObject([{ failure: { category: 'AUTH' } }]);
  expect([atPagerDuty(), await ping()]).toEqual([[first], [202]]);

  const rotated = await s.rotate({ what: 'WEBHOOK_SECRET' });
  expect([rotated.registrationFailures, rotated.webhook?.secret]).toEqual([[], null]);
  const [second] = atPagerDuty();
  expect([second === first, await s.registrations()]).toEqual([false, [second]]);
  await expect.poll(ping).toEqual([202]);

  // Made, but not taken away: both may send for a minute.
  pagerduty.provider.next(DELETE, answer(pagerdutyError(403)));
  await s.rotate({ what: 'WEBHOOK_TOKEN', overlapSeconds: 60 });
  const both = atPagerDuty();
  expect([both[0], both.length]).toEqual([second, 2]);
  await expect.poll(async () => new Set(await ping())).toEqual(new Set([200, 202]));
  clock.advance(61_000);
  // Neither its URL nor its secret counts any more.
  expect(await ping()).toEqual([404, 202]);
  await s.disconnect();
  expect(atPagerDuty()).toEqual([second]);
  pagerduty.subscriptions.clear();
});

it('needs no telling of a secret that its admin has handed over', async () => {
  const s = await story();
  await s.register({});
  const before = atPagerDuty();
  const webhookSecret = 'shown by PagerDuty to its admin';
  const { registrationFailures } = await s.rotate({ what: 'WEBHOOK_SECRET', webhookSecret });
  expect([registrationFailures, atPagerDuty()]).toEqual([[], before]);
  await s.disconnect();
});
