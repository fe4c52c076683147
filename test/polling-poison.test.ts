import { describe, expect, it, onTestFinished } from 'vitest';
import { connectors } from '../connectors/index.js';
import {
  DeadLettersDocument,
  HealthHistoryDocument,
  IncidentsDocument,
  PollNowDocument,
  PollingDocument,
  RedriveDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import type { Connector, PollPage, SignalDraft } from '../src/connector/index.js';
import { type TestApp, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import { type Mendable, connectExample, createMendable, failFor } from './support/mendable.js';
import { MINUTE } from './support/polling.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly fake: FakeExample;
  readonly mendable: Mendable;
  readonly connectionId: string;
  /** From now on pages pass through this. */
  edit(change: (page: PollPage) => PollPage): void;
}

/** A connection that polls Example's log of events, with a connector that can be broken and mended. */
async function begin(): Promise<Story> {
  const [clock, mendable] = [createTestClock(), createMendable()];
  const fake = await startFakeExample(clock);
  onTestFinished(() => fake.provider.close());
  let edit = (page: PollPage): PollPage => page;
  const poll = mendable.connector.poll!;
  const connector: Connector = {
    ...mendable.connector,
    poll: { ...poll, page: async (context, request) => edit(await poll.page(context, request)) },
  };
  const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: fake.provider.url };
  const app = await useTestApp({ clock, env, connectors: [...connectors, connector] });
  const caller = await app.caller();
  const { connectionId } = await connectExample(caller, fake.token);
  await caller.get(VerifyDocument, { connectionId });
  await app.app.services.polls.enroll();
  clock.advance(1_000);
  return { app, clock, fake, mendable, connectionId, edit: (change) => void (edit = change) };
}

async function pollNow({ app, connectionId }: Story): Promise<number> {
  await (await app.caller()).get(PollNowDocument, { connectionId });
  return app.app.services.polls.runDue(10);
}

/** The issues that signals tell of, in the order of the feed. */
async function issuesOf({ app }: Story): Promise<string[]> {
  const rows = await app.database.query<{ key: string }>(
    `select content #>> '{payload,canonical_keys,issue_key}' as key from signals order by sequence`,
  );
  return rows.map(({ key }) => key);
}

async function lettersOf({ app }: Story) {
  return (await (await app.caller()).get(DeadLettersDocument, {})).deadLetters.nodes;
}

async function streamOf({ app, connectionId }: Story) {
  const { connection } = await (await app.caller()).get(PollingDocument, { connectionId });
  return connection!.polling!.streams[0]!;
}

const redrive = async ({ app }: Story, ids: string[]) =>
  (await (await app.caller()).get(RedriveDocument, { input: { ids } })).redrive.letters;

/** Later than any time that PostgreSQL has. */
const NEVER = new Date(8.64e15);

const refusedFor =
  (key: string) =>
  (drafts: readonly SignalDraft[]): readonly SignalDraft[] =>
    drafts.map((draft) =>
      draft.canonicalKeys['issue_key'] === key ? { ...draft, occurredAt: NEVER } : draft,
    );

describe('one event that', () => {
  it.each([
    ['can’t be normalised', failFor('DEMO-3'), /TypeError: DEMO-3 is too much/],
    ['the database refuses', refusedFor('DEMO-3'), /SQLSTATE 22\d{3}/],
  ])(
    '%s is set apart as a dead letter, once, while the rest of its page goes on',
    async (_, broken, reason) => {
      const story = await begin();
      story.mendable.map(broken);
      story.fake.addIssues(3);
      await pollNow(story);
      expect(await issuesOf(story)).toEqual(['DEMO-2', 'DEMO-4']);
      const [letter, ...others] = await lettersOf(story);
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        kind: 'DELIVERY',
        type: 'issue.created',
        reason: expect.stringMatching(reason),
      });
      expect(await streamOf(story)).toMatchObject({ failure: null });

      // The cursor is behind the page: even where it is read again, nothing is stored twice.
      await story.app.database.query(`update poll_streams set cursor = null`);
      await pollNow(story);
      expect(await lettersOf(story)).toHaveLength(1);
      const metrics = await (await fetch(`${story.app.url}/metrics`)).text();
      expect(metrics).toMatch(/^tributary_dead_letters_total\{provider="example"\} 1$/m);

      expect(await redrive(story, [letter!.id])).toMatchObject([
        { outcome: 'FAILED', reason: expect.stringMatching(reason) },
      ]);
      story.mendable.map((drafts) => drafts);
      expect(await redrive(story, [letter!.id])).toMatchObject([{ outcome: 'DONE' }]);
      expect(await issuesOf(story)).toEqual(['DEMO-2', 'DEMO-4', 'DEMO-3']);
      expect(await lettersOf(story)).toEqual([]);
    },
  );

  it.each([
    ['no id', ''],
    ['too long an id', 'x'.repeat(251)],
  ])('has %s is a dead letter under a name of its own, the same each time', async (_, id) => {
    const story = await begin();
    story.edit((page) => ({
      ...page,
      events: page.events.map((event, n) => (n === 0 ? { ...event, id } : event)),
    }));
    story.fake.addIssues(2);
    await pollNow(story);
    await story.app.database.query(`update poll_streams set cursor = null`);
    await pollNow(story);
    expect(await issuesOf(story)).toEqual(['DEMO-3']);
    expect(await lettersOf(story)).toMatchObject([{ reason: expect.stringContaining(`not ${id.length}`) }]);
  });
});

it('what the connector can’t read is a dead letter with its reason, the same each time', async () => {
  const story = await begin();
  const problem = 'It was listed without a time.';
  story.edit((page) => ({
    ...page,
    events: page.events.map((event, n) => (n === 0 ? { ...event, id: '', problem } : event)),
  }));
  story.fake.addIssues(2);
  await pollNow(story);
  await story.app.database.query(`update poll_streams set cursor = null`);
  await pollNow(story);
  expect(await issuesOf(story)).toEqual(['DEMO-3']);
  expect(await lettersOf(story)).toMatchObject([
    { kind: 'DELIVERY', type: 'issue.created', reason: problem },
  ]);
});

describe('a page that always throws', () => {
  it('backs off, is told as an incident and by health, and goes on once it is mended', async () => {
    const story = await begin();
    const { app, clock, connectionId } = story;
    story.edit(() => {
      throw new TypeError('what is this?');
    });
    story.fake.addIssues(2);
    const incidents = async () => {
      await app.app.services.health.evaluate(10);
      const { nodes } = (await (await app.caller()).get(IncidentsDocument, {})).incidents;
      return nodes.map(({ kind, message, resolvedAt }) => ({ kind, message, isOpen: resolvedAt === null }));
    };
    const waits: number[] = [];
    for (let failures = 1; failures <= 3; failures++) {
      expect(await incidents()).toEqual([]);
      await pollNow(story);
      clock.advance(MINUTE);
      waits.push(Date.parse((await streamOf(story)).nextAt!) - clock.now().getTime());
    }
    expect(waits[1]).toBeGreaterThan(waits[0]! + 4 * MINUTE);
    expect(waits[2]).toBeGreaterThan(waits[1]! + 9 * MINUTE);
    expect(await streamOf(story)).toMatchObject({ failure: { category: 'UNKNOWN', code: 'poll_broke_off' } });
    const message = expect.stringMatching(/“The log of events” have failed 3 times in a row/);
    expect(await incidents()).toMatchObject([{ kind: 'POLLS_FAILING', message, isOpen: true }]);
    const health = async () =>
      (await (await app.caller()).get(HealthHistoryDocument, { connectionId, first: 1 })).connection!.health;
    clock.advance(6 * MINUTE);
    await app.app.services.health.evaluate(10);
    expect(await health()).toMatchObject({ status: 'DEGRADED', reason: 'POLLS' });

    story.edit((page) => page);
    await pollNow(story);
    expect(await issuesOf(story)).toEqual(['DEMO-2', 'DEMO-3']);
    for (let minute = 0; minute < 8; minute++) {
      clock.advance(MINUTE);
      await app.app.services.health.evaluate(10);
    }
    expect(await incidents()).toMatchObject([{ kind: 'POLLS_FAILING', isOpen: false }]);
    expect(await health()).toMatchObject({ reason: null });
  });
});
