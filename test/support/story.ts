import { randomUUID } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { example } from '../../connectors/example/index.js';
import { jobsOf } from '../../jobs/index.js';
import type { Action } from '../../src/action/action.entity.js';
import { type Connector, type VerbInput, textAt } from '../../src/connector/index.js';
import { type Caller, scopes } from '../../src/core/caller.js';
import { type TestApp, type TestAppOptions, startTestApp } from './app.js';
import { type TestClock, createTestClock } from './clock.js';
import { type FakeExample, startFakeExample } from './fake-example.js';
import type { Behavior, FakeProvider } from './fake-provider.js';
import type { Hook } from './github.js';

/** The whole application with its jobs, over a fake provider, in time that the test turns, on real PostgreSQL and Redis. */
export interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly fake: FakeExample;
  /** Of a tenant of this story's own, as what is counted for a tenant in Redis outlives a test. */
  readonly caller: Caller;
  readonly hook: Hook;
}

export interface StoryOptions {
  readonly clock?: TestClock;
  readonly connector?: Connector;
  /** Beside the one of the story. */
  readonly connectors?: readonly Connector[];
  readonly env?: Readonly<Record<string, string>>;
  readonly app?: Pick<TestAppOptions, 'database' | 'via' | 'log'>;
  /** The provider's own, which nobody sets. */
  readonly theirs?: TestClock;
  /** Who is told what to close; unless told otherwise, the running test, at its end. */
  readonly onEnd?: (close: () => Promise<void>) => void;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const CREATE_ISSUE = 'POST /v1/projects/{project}/issues';
export const ADD_COMMENT = 'POST /v1/projects/{project}/issues/{issue}/comments';
export const LIST_EVENTS = 'GET /v1/events';
export const LIST_ISSUES = 'GET /v1/projects/{project}/issues';

/** The example, whose windows are left out: they run by the clock of Redis, which no test turns. */
export const unlimited: Connector = { ...example, manifest: { ...example.manifest, rateLimits: [] } };

/** With a connection to the example that is ACTIVE, and polled from now on every five minutes. */
export async function beginStory(options: StoryOptions = {}): Promise<Story> {
  const { clock = createTestClock(), connector = unlimited, connectors = [], env = {} } = options;
  const { onEnd = onTestFinished } = options;
  const fake = await useFakeExample(options.theirs ?? clock, onEnd);
  const app = await startTestApp({
    ...options.app,
    clock,
    connectors: [connector, ...connectors],
    env: {
      REDIS_URL: inject('redisUrl'),
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: fake.provider.url,
      ...env,
    },
  });
  onEnd(() => app.close());
  const caller = callerOf(`story-${randomUUID()}`);
  const hook = await connectTo(app, caller, 'example', fake.token);
  await pollEveryFiveMinutes(app, caller, hook);
  return { app, clock, fake, caller, hook };
}

export async function useFakeExample(
  clock: TestClock,
  onEnd: NonNullable<StoryOptions['onEnd']> = onTestFinished,
): Promise<FakeExample> {
  const fake = await startFakeExample(clock);
  onEnd(() => fake.provider.close());
  return fake;
}

export async function pollEveryFiveMinutes(
  { app }: TestApp,
  caller: Caller,
  { connectionId }: Hook,
): Promise<void> {
  await app.services.polls.set(caller, { connectionId, minSeconds: 300, maxSeconds: 300 });
}

export function callerOf(tenantId: string): Caller {
  return { tenantId, subject: 'ada', scopes: new Set(scopes), correlationId: 'story' };
}

/** A verified connection. */
export async function connectTo(
  { app: { services } }: TestApp,
  caller: Caller,
  providerId: string,
  token: string,
): Promise<Hook> {
  const { connection, webhook } = await services.connections.connect(caller, {
    providerId,
    name: randomUUID(),
    authMethod: 'BEARER',
    credential: { token },
  });
  await services.connections.verify(caller, connection.id);
  return { connectionId: connection.id, url: webhook?.url ?? '', secret: webhook?.secret?.reveal() ?? '' };
}

/** Lets so much time go by, for the database as well, whose own clock tells how long leases last. */
export async function pass(
  { app, clock }: Pick<Story, 'app' | 'clock'>,
  milliseconds: number,
): Promise<void> {
  clock.advance(milliseconds);
  if (milliseconds > 0) await app.database.query(AGE_LEASES, [milliseconds]);
}

const AGE_LEASES = `
  with time as (select $1 * interval '1 millisecond' as gone),
  polls as (update poll_streams set lease_until = lease_until - gone from time where lease_until is not null),
  tokens as (update credentials set refresh_until = refresh_until - gone from time where refresh_until is not null)
  update actions set held_until = held_until - gone from time where held_until is not null`;

/** Has every job look once after so much time, as workers have them look every few seconds. */
export async function work(story: Pick<Story, 'app' | 'clock'>, afterMs = 0): Promise<void> {
  await pass(story, afterMs);
  const { signal } = new AbortController();
  for (const { name, run } of jobsOf(story.app.app.services)) {
    await run({ key: '', data: undefined, attempt: 1, fence: { name, key: '', number: '0' }, signal });
  }
}

/** Asks for an issue of this title, and answers when it is settled or left for later. */
export function createIssue(story: Story, title: string, hook = story.hook): Promise<Action> {
  return execute(story, 'createIssue', { project: 'DEMO', title }, hook, title);
}

/** Asks for a comment on the one issue there is. */
export function addComment(story: Story, body: string, hook = story.hook): Promise<Action> {
  return execute(story, 'addIssueComment', { project: 'DEMO', issue: 'DEMO-1', body }, hook, body);
}

function execute(
  { app, caller }: Story,
  verb: 'createIssue' | 'addIssueComment',
  input: VerbInput,
  { connectionId }: Hook,
  idempotencyKey: string,
): Promise<Action> {
  const command = { connectionId, verb, input: { ...input }, idempotencyKey, waitSeconds: 60 };
  return app.app.services.actions.execute(caller, command);
}

export function reread({ app, caller }: Story, { id }: Action): Promise<Action> {
  return app.app.services.actions.require(caller, { id });
}

/** All actions, as they really are. */
export interface ActionRow {
  readonly id: string;
  readonly idempotency_key: string;
  readonly status: string;
  readonly attempts: number;
  readonly receipts: number;
}

export function actionsOf({ app }: Pick<Story, 'app'>): Promise<ActionRow[]> {
  return app.database.query<ActionRow>(
    `select a.id, a.idempotency_key, a.status, a.attempts,
            (select count(*)::int from receipts r where r.action_id = a.id) as receipts
     from actions a order by a.id`,
  );
}

/** Titles and texts of what was done there on somebody's behalf, sorted: what was done twice is here twice. */
export function effectsOf({ events }: FakeExample): string[] {
  const texts = events
    .slice(1)
    .map((event) => textAt(event, 'comment', 'body') ?? textAt(event, 'issue', 'title') ?? '');
  return texts.toSorted();
}

/** What the feed has told of, oldest first. */
export function signalsOf({ app }: Pick<Story, 'app'>): Promise<{ id: string; type: string; key: string }[]> {
  return app.database.query(
    `select id, type, content -> 'payload' -> 'canonical_keys' ->> 'issue_key' as key from signals order by sequence`,
  );
}

/** Treats every matching request so until it is told to stop. */
export function always(
  provider: FakeProvider,
  matches: Parameters<FakeProvider['next']>[0],
  behavior: Behavior,
): () => void {
  let isOn = true;
  const behave: Behavior = (exchange) => (isOn ? behavior(exchange) : exchange.send(exchange.perform()));
  provider.next(matches, ...Array.from({ length: 10_000 }, () => behave));
  return () => void (isOn = false);
}
