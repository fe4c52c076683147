import { onTestFinished } from 'vitest';
import {
  ConnectDocument,
  PollNowDocument,
  PollingDocument,
  SetPollingDocument,
  type SetPollingInput,
  SignalsDocument,
  VerifyDocument,
} from '../../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './app.js';
import { type TestClock, createTestClock } from './clock.js';
import { type FakeGitHub, startFakeGitHub } from './fake-github.js';
import type { Behavior, FakeRequest } from './fake-provider.js';
import type { Hook } from './github.js';

/** A verified connection that polls the fake's one repository, and is not polled yet. */
export interface PollStory extends Hook {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: Asking;
}

/** With a new token each time: the clock moves on by more than the life of one. */
type Asking = Pick<TestCaller, 'ask' | 'get'>;

export interface PollStoryOptions {
  readonly clock?: TestClock;
  /** The provider's own, if it differs. */
  readonly theirs?: TestClock;
  readonly repositories?: readonly string[];
  /** What is there, and happens, before the connection is made. */
  readonly before?: (github: FakeGitHub, theirs: TestClock) => void;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const ISSUES = 'GET /repos/{owner}/{repo}/issues';
export const PULLS = 'GET /repos/{owner}/{repo}/pulls';
/** The streams of the fake's repository, as they are listed. */
export const STREAMS = ['comments', 'issues', 'pulls', 'review-comments', 'runs'].map(
  (kind) => `${kind}:octo/demo`,
);

export async function pollStory(options: PollStoryOptions = {}): Promise<PollStory> {
  const { clock = createTestClock(), repositories = ['octo/demo'] } = options;
  const { theirs = clock } = options;
  const github = await startFakeGitHub(theirs);
  onTestFinished(() => github.provider.close());
  options.before?.(github, theirs);
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = freshCaller(app);
  const hook = await connectPolled(caller, github, repositories);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  await app.app.services.polls.enroll();
  return { app, clock, github, caller, ...hook };
}

function freshCaller(app: TestApp): Asking {
  return {
    ask: async (document, variables) => (await app.caller()).ask(document, variables),
    get: async (document, variables) => (await app.caller()).get(document, variables),
  };
}

export async function connectPolled(
  caller: Asking,
  { token }: FakeGitHub,
  repositories: readonly string[],
): Promise<Hook> {
  const { connect } = await caller.get(ConnectDocument, {
    input: {
      providerId: 'github',
      name: 'polled',
      authMethod: 'BEARER',
      credential: { token },
      settings: { repositories },
    },
  });
  const { url, secret } = connect.webhook ?? {};
  return { connectionId: connect.connection.id, url: url ?? '', secret: secret ?? '' };
}

/** Polls what is due, in so many seconds from now. Answers how many streams that were. */
export function poll({ app, clock }: PollStory, afterMs = 0): Promise<number> {
  clock.advance(afterMs);
  return app.app.services.polls.runDue(10);
}

/** Has everything polled at once. */
export async function pollAll(story: PollStory, backfillSince?: Date): Promise<number> {
  const { caller, connectionId } = story;
  await caller.get(PollNowDocument, { connectionId, backfillSince: backfillSince?.toISOString() });
  return poll(story);
}

export async function pollingOf({ caller, connectionId }: PollStory) {
  const { connection } = await caller.get(PollingDocument, { connectionId });
  return connection?.polling;
}

export async function streamOf(story: PollStory, name: string) {
  const stream = (await pollingOf(story))?.streams.find((one) => one.name === name);
  if (!stream) throw new Error(`there is no stream ${name}`);
  return stream;
}

export async function setPolling(
  { caller, connectionId }: PollStory,
  input: Omit<SetPollingInput, 'connectionId'>,
) {
  return (await caller.get(SetPollingDocument, { input: { connectionId, ...input } })).setPolling;
}

/** In the order of the feed. */
export async function signalsOf({ caller }: PollStory) {
  const { signals } = await caller.get(SignalsDocument, { first: 200 });
  return signals.nodes;
}

export async function countSignals({ app }: PollStory, type: string): Promise<number> {
  const [row] = await app.database.query<{ n: number }>(
    'select count(*)::int as n from signals where type = $1',
    [type],
  );
  return row!.n;
}

export interface StreamRow {
  readonly cursor: unknown;
  readonly fence: string;
  readonly due_at: Date | null;
  readonly interval_seconds: number;
  readonly failures: number;
}

/** As it really is, past row-level security. */
export async function rowOf({ app }: PollStory, name: string, mode = 'LIVE'): Promise<StreamRow> {
  const [row] = await app.database.query<StreamRow & object>(
    'select cursor, fence, due_at, interval_seconds, failures from poll_streams where name = $1 and mode = $2',
    [name, mode],
  );
  return row!;
}

/** What a process that died leaves behind, once its time is over. */
export async function endLeases({ app }: PollStory): Promise<void> {
  await app.database.query('update poll_streams set lease_until = clock_timestamp()');
}

/** As if nothing was wrong. */
export const normally: Behavior = ({ perform, send }) => send(perform());

/** Has a request wait until it is released, then treated so; says when it waits. */
export function hold(then: Behavior = normally) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const behavior: Behavior = async (exchange) => {
    waiting.resolve();
    await promise;
    await then(exchange);
  };
  return { behavior, release: resolve, waits: waiting.promise };
}

export const isListOf =
  (list: string) =>
  ({ method, path }: FakeRequest): boolean =>
    method === 'GET' && path === `/repos/octo/demo/${list}`;
