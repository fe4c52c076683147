import { expect, it, onTestFinished } from 'vitest';
import type { Action } from '../src/action/action.entity.js';
import type { Connector } from '../src/connector/index.js';
import { createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { exampleError } from './support/fake-example.js';
import { startFakeProvider } from './support/fake-provider.js';
import { sendIssue } from './support/mendable.js';
import {
  MINUTE,
  type Story,
  actionsOf,
  addComment,
  always,
  beginStory,
  connectTo,
  createIssue,
  effectsOf,
  signalsOf,
  unlimited,
  useFakeExample,
  work,
} from './support/story.js';

/** Another provider that speaks the same way. */
const sample: Connector = { ...unlimited, manifest: { ...unlimited.manifest, id: 'sample', name: 'Sample' } };

const OUTAGE_MINUTES = 30;

/** Beside the story: another provider with a connection of its own, and somebody who wants to know of incidents. */
async function begin() {
  const clock = createTestClock();
  const other = await useFakeExample(clock);
  const env = { TRIBUTARY_PROVIDER_SAMPLE_BASE_URL: other.provider.url };
  const story = await beginStory({ clock, connectors: [sample], env });
  const otherHook = await connectTo(story.app, story.caller, 'sample', other.token);
  const sink = await startFakeProvider();
  onTestFinished(() => sink.close());
  sink.on('POST /hook', () => ({ status: 204 }));
  await story.app.app.services.incidents.setSink(story.caller, { url: `${sink.url}/hook` });
  const told = (): string[] =>
    sink.requests.map(({ body }) => {
      const { type, data } = body as { type: string; data: { kind: string; connection_id: string } };
      return `${type} ${data.kind} ${data.connection_id === story.hook.connectionId ? 'here' : 'there'}`;
    });
  return { story, other, otherHook, told };
}

async function healthOf({ app, caller }: Story, connectionId: string): Promise<string | undefined> {
  const { services } = app.app;
  return (await services.health.of(caller, [connectionId])).get(connectionId)?.status;
}

/** What calls have come to is written down once a second of real time. */
function eventually(story: Story, what: () => Promise<unknown>) {
  return expect.poll(
    async () => {
      await work(story);
      return what();
    },
    { timeout: 10_000, interval: 200 },
  );
}

it('half an hour of 5xx costs waiting: nobody hammers, nothing is lost, nothing is done twice', async () => {
  const { story, other, otherHook, told } = await begin();
  const { app, clock, fake, hook } = story;
  await work(story, 5 * MINUTE);
  await eventually(story, () => healthOf(story, hook.connectionId)).toBe('HEALTHY');
  const before = fake.provider.requests.length;
  const recover = always(fake.provider, () => true, answer(exampleError(503)));

  const everyMinute = Array.from({ length: OUTAGE_MINUTES }, (_, minute) => minute);
  const waiting: Action[] = [];
  const hooked: number[] = [];
  const elsewhere: Action[] = [];
  for (const minute of everyMinute) {
    if (minute % 2 === 0) {
      const texts = [`asked in minute ${minute}`, `said in minute ${minute}`] as const;
      waiting.push(...(await Promise.all([createIssue(story, texts[0]), addComment(story, texts[1])])));
    }
    if (minute % 6 === 0) {
      fake.addIssues(1);
      hooked.push((await sendIssue(hook, `HOOK-${minute}`, undefined, clock.now())).status);
    }
    elsewhere.push(await createIssue(story, `elsewhere in minute ${minute}`, otherHook));
    await work(story, MINUTE);
  }
  await eventually(story, () => healthOf(story, hook.connectionId)).toBe('UNHEALTHY');
  expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set(['RETRYING']));
  expect(new Set(hooked)).toEqual(new Set([202]));
  // The other provider notices nothing.
  expect(await healthOf(story, otherHook.connectionId)).toBe('HEALTHY');
  expect(elsewhere.map(({ status, attempts }) => `${status} ${attempts}`)).toEqual(
    everyMinute.map(() => 'SUCCEEDED 1'),
  );
  const asked = waiting.map(({ idempotencyKey }) => idempotencyKey);
  // Five failed requests open the circuit, of up to three tries each, and a sixth may be on its way meanwhile. From
  // then on one try in 15 s, 30 s and so on up to five minutes: ten in half an hour.
  const during = fake.provider.requests.length - before;
  expect(during).toBeGreaterThan(5);
  expect(during).toBeLessThanOrEqual(6 * 3 + 10);
  expect((await app.app.services.gate.circuit(refOf(story))).state).not.toBe('CLOSED');
  expect((await actionsOf(story)).filter(({ status }) => status === 'RETRYING')).toHaveLength(asked.length);
  expect(effectsOf(fake).filter((text) => asked.includes(text))).toEqual([]);

  recover();
  for (let minute = 0; minute < 20; minute += 1) await work(story, MINUTE);
  expect(effectsOf(fake).filter((text) => asked.includes(text))).toEqual(asked.toSorted());
  expect(new Set((await actionsOf(story)).map(({ status, receipts }) => `${status} ${receipts}`))).toEqual(
    new Set(['SUCCEEDED 1']),
  );
  expect((await app.app.services.gate.circuit(refOf(story))).state).toBe('CLOSED');
  expect(other.provider.effects.get('issue')).toBe(OUTAGE_MINUTES);

  // Past the hour in which the failed calls count.
  for (let minutes = 0; minutes < 70; minutes += 5) await work(story, 5 * MINUTE);
  await eventually(story, () => healthOf(story, hook.connectionId)).toBe('HEALTHY');
  for (const event of ['opened', 'resolved'])
    expect(told().filter((one) => one === `incident.${event} CIRCUIT_OPEN here`)).toHaveLength(1);
  expect(new Set(told()).size).toBe(told().length);
  expect(told().filter((one) => one.endsWith(' there'))).toEqual([]);

  // The first issue was there before the connection; each other event of the provider's is one signal.
  const signals = await signalsOf(story);
  expect(new Set(signals.map(({ id }) => id)).size).toBe(signals.length);
  const byHook = signals.filter(({ key }) => key.startsWith('HOOK-'));
  expect(byHook).toHaveLength(hooked.length);
  expect(signals.length - byHook.length).toBe(fake.events.length - 1 + other.events.length - 1);
}, 120_000);

function refOf({ caller, hook }: Story) {
  return { tenantId: caller.tenantId, connectionId: hook.connectionId, connector: unlimited };
}
