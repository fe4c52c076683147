import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connector, ResetHeader } from '../src/connector/index.js';
import {
  type Throttle,
  answer,
  drip,
  flood,
  hang,
  mislabel,
  resetMidBody,
  throttled,
} from './support/fake-behavior.js';
import { exampleError } from './support/fake-example.js';
import type { Behavior, FakeRequest } from './support/fake-provider.js';
import type { Hook } from './support/github.js';
import { connected, useOAuthStory } from './support/oauth-story.js';
import {
  MINUTE,
  SECOND,
  type Story,
  actionsOf,
  addComment,
  always,
  beginStory,
  callerOf,
  connectTo,
  createIssue,
  effectsOf,
  reread,
  unlimited,
  work,
} from './support/story.js';

const UNITS = [
  'seconds',
  'milliseconds',
  'epoch_seconds',
  'epoch_milliseconds',
  'duration',
  'rfc3339',
  'http_date',
] as const satisfies readonly ResetHeader['unit'][];
const resets: ResetHeader[] = UNITS.map((unit) => ({ header: `reset-${unit.replace('_', '-')}`, unit }));

/** Tells when its limits are over in every way there is. */
const connector: Connector = {
  ...unlimited,
  manifest: { ...unlimited.manifest, failures: { ...unlimited.manifest.failures, resets } },
};

let story: Story;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  story = await beginStory({ connector, onEnd: (close) => closing.unshift(close) });
  story.fake.accept(() => true);
});
afterAll(async () => {
  for (const close of closing) await close();
});

let last = 0;
const hooks: Hook[] = [];

afterEach(async () => {
  // Else the jobs of the next would poll and probe them as well.
  const { connections } = story.app.app.services;
  const over = hooks.splice(0);
  await Promise.all(
    over.map(({ connectionId }) => connections.suspend(story.caller, connectionId, undefined)),
  );
});

interface Acting {
  readonly hook: Hook;
  readonly isMine: (request: FakeRequest) => boolean;
  readonly name: string;
}

/** A connection of its own for each case, known at the provider by its token. */
async function connection(): Promise<{
  hook: Hook;
  isMine: (request: FakeRequest) => boolean;
  name: string;
}> {
  const name = `case-${(last += 1)}`;
  const hook = await connectTo(story.app, story.caller, 'example', name);
  hooks.push(hook);
  const isMine = ({ headers }: FakeRequest): boolean => headers['authorization'] === `Bearer ${name}`;
  return { hook, isMine, name };
}

interface StreamRow {
  readonly due_at: Date;
  readonly failures: number;
  readonly failure: { readonly category: string; readonly code: string } | null;
}

/** Polls the connection at once, and answers what came of it. */
async function poll(hook: Hook): Promise<StreamRow> {
  await makeDue(hook);
  await story.app.app.services.polls.runDue(20);
  return streamOf(hook.connectionId);
}

async function makeDue({ connectionId }: Hook): Promise<void> {
  await story.app.app.services.polls.pollNow(story.caller, { connectionId });
}

async function streamOf(connectionId: string): Promise<StreamRow> {
  const sql = 'select due_at, failures, failure from poll_streams where connection_id = $1';
  const [row] = await story.app.database.query<StreamRow>(sql, [connectionId]);
  return row!;
}

const now = (): number => story.clock.now().getTime();
const times = (count: number, behavior: Behavior): Behavior[] =>
  Array.from({ length: count }, () => behavior);
const isWrite = ({ method }: FakeRequest): boolean => method === 'POST';
const isPoll = ({ path }: FakeRequest): boolean => path === '/v1/events';
const MEGABYTES = 1024 * 1024;

/** Whether it happened there, where nobody can tell from the answer. */
type Effect = 'done' | 'not done';

interface Misbehavior {
  readonly name: string;
  readonly behavior: () => Behavior;
  readonly effect: Effect;
  /** How a poll takes it, and how often the client has tried by then. */
  readonly failure: { readonly category: string; readonly code: string };
  readonly tries: number;
}

const misbehaviors: readonly Misbehavior[] = [
  {
    name: 'hangs',
    behavior: hang,
    effect: 'not done',
    failure: { category: 'NETWORK', code: 'timeout' },
    tries: 1,
  },
  {
    name: 'drips',
    behavior: () => drip(50),
    effect: 'done',
    failure: { category: 'NETWORK', code: 'timeout' },
    tries: 1,
  },
  {
    name: 'breaks off in the middle of the body',
    behavior: resetMidBody,
    effect: 'done',
    failure: { category: 'NETWORK', code: 'interrupted' },
    tries: 3,
  },
  {
    name: 'says that it is HTML',
    behavior: () => mislabel('text/html'),
    effect: 'done',
    failure: { category: 'PROVIDER', code: 'unexpected_answer' },
    tries: 1,
  },
  {
    name: 'is larger than 10 MB',
    behavior: () => flood(10 * MEGABYTES),
    effect: 'done',
    failure: { category: 'PROVIDER', code: 'too_large' },
    tries: 1,
  },
  {
    name: 'is 503',
    behavior: () => answer(exampleError(503)),
    effect: 'not done',
    failure: { category: 'PROVIDER', code: 'http_503' },
    tries: 3,
  },
];

/** Makes one action and one poll meet it, on connections of their own. */
async function prepare({ behavior, tries }: Misbehavior) {
  const [acting, polling] = [await connection(), await connection()];
  const { provider } = story.fake;
  provider.next((request) => acting.isMine(request) && isWrite(request), behavior());
  provider.next((request) => polling.isMine(request) && isPoll(request), ...times(tries, behavior()));
  await makeDue(polling.hook);
  return { acting, polling };
}

const sentBy = ({ isMine }: Acting): number =>
  story.fake.provider.requests.filter((request) => isMine(request) && isWrite(request)).length;

const effects = (title: string): number => effectsOf(story.fake).filter((one) => one === title).length;

describe('an answer that', () => {
  it('is none, or no good: actions find out what became of them, polls come again', async () => {
    const cases = await Promise.all(misbehaviors.map(prepare));
    const acted = cases.map(({ acting }) => createIssue(story, acting.name, acting.hook));
    await story.app.app.services.polls.runDue(20);
    const actions = await Promise.all(acted);
    const seen = actions.map(({ status, attempts, failure }, index) => ({
      name: misbehaviors[index]!.name,
      status,
      attempts,
      ...(failure && { category: failure.category, code: failure.code }),
    }));
    expect(seen).toEqual(
      misbehaviors.map(({ name, effect, failure }) =>
        effect === 'done'
          ? { name, status: 'SUCCEEDED', attempts: 1 }
          : { name, status: 'RETRYING', attempts: 1, ...failure },
      ),
    );
    for (const [index, { acting, polling }] of cases.entries()) {
      const { name, failure } = misbehaviors[index]!;
      const stream = await streamOf(polling.hook.connectionId);
      expect(stream, name).toMatchObject({ failures: 1, failure });
      expect(stream.due_at.getTime(), name).toBeGreaterThan(now());
      expect((await poll(polling.hook)).failure, name).toBeNull();
      expect(sentBy(acting), name).toBe(1);
    }
    const open = cases.filter((_, index) => actions[index]?.status === 'RETRYING');
    await work(story, 30 * SECOND);
    expect(open.map(({ acting }) => sentBy(acting))).toEqual([1, 1]);
    await work(story, 31 * SECOND);
    expect(open.map(({ acting }) => sentBy(acting))).toEqual([2, 2]);
    const later = await Promise.all(actions.map((action) => reread(story, action)));
    expect(new Set(later.map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(cases.map(({ acting }) => effects(acting.name))).toEqual(cases.map(() => 1));
  }, 60_000);
});

type Form = readonly [name: string, throttle: (at: Date) => Throttle];

const forms: readonly Form[] = [
  ['Retry-After in seconds', (at) => ({ retryAfter: Math.ceil((at.getTime() - now()) / SECOND) })],
  ['Retry-After as an HTTP date', (at) => ({ retryAfter: at })],
  ...resets.map((reset): Form => [`a reset header, ${reset.unit}`, (at) => ({ reset: { ...reset, at } })]),
  ['several of them, of which the longest counts', (at) => ({ retryAfter: 1, reset: { ...resets[0]!, at } })],
];

/** So often the provider asks for another ten minutes before it serves again. */
const ROUNDS = 3;
/** Between what a relative time was counted from there and here. */
const TOLERANCE = 5 * SECOND;

describe('a storm of 429 that tells its end by', () => {
  it.each(forms)('%s: nothing is sent before, and each thing done once after', async (_, toThrottle) => {
    const acting = await connection();
    const { provider } = story.fake;
    const { hook, name } = acting;
    const mine = (): number => provider.requests.filter(acting.isMine).length;
    const inTenMinutes = (): Date => new Date(Math.ceil((now() + 10 * MINUTE) / SECOND) * SECOND);
    let until = inTenMinutes();
    const calm = always(provider, acting.isMine, ({ send }) =>
      send(throttled(toThrottle(until), story.clock.now())),
    );

    const before = mine();
    const actions = [await createIssue(story, `${name} a`, hook), await addComment(story, `${name} b`, hook)];
    const stream = await poll(hook);
    expect(mine()).toBe(before + 1);
    for (const { status, failure, leaseUntil } of actions) {
      expect({ status, category: failure?.category }).toEqual({ status: 'RETRYING', category: 'RATE_LIMIT' });
      expectAbout(leaseUntil, until);
    }
    expect(stream).toMatchObject({ failures: 0, failure: { category: 'RATE_LIMIT' } });
    expectAbout(stream.due_at, until);

    for (let round = 1; round < ROUNDS; round += 1) {
      const sent = mine();
      await work(story, until.getTime() - now() - 30 * SECOND);
      expect(mine()).toBe(sent);
      until = inTenMinutes();
      await work(story, 30 * SECOND + TOLERANCE);
      // What is due at the same time leaves together, before the first is refused: two actions, a poll and a probe.
      expect(mine()).toBeGreaterThan(sent);
      expect(mine()).toBeLessThanOrEqual(sent + 4);
    }
    const sent = mine();
    await work(story, until.getTime() - now() - 30 * SECOND);
    expect(mine()).toBe(sent);
    calm();
    await work(story, 30 * SECOND + TOLERANCE);
    // So many refusals may have opened the circuit, which lets one pass first.
    await work(story, MINUTE);
    for (const action of actions) expect((await reread(story, action)).status).toBe('SUCCEEDED');
    expect([effects(`${name} a`), effects(`${name} b`)]).toEqual([1, 1]);
    expect(await streamOf(hook.connectionId)).toMatchObject({ failures: 0, failure: null });
  });
});

function expectAbout(time: Date | null | undefined, told: Date): void {
  const late = (time?.getTime() ?? 0) - told.getTime();
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(TOLERANCE);
}

it('a token that has expired: it is renewed once, and the action and the poll that met it go on', async () => {
  const oauth = await useOAuthStory();
  const person = await oauth.caller();
  const connectionId = await connected(oauth, person);
  // Not what was issued a moment ago: a provider that refuses that will not like the next one better.
  oauth.clock.advance(MINUTE);
  oauth.front.issued.clear();
  const { app, clock, example: fake } = oauth;
  const expired: Story = {
    app,
    clock,
    fake,
    caller: callerOf('acme'),
    hook: { connectionId, url: '', secret: '' },
  };
  const { polls } = app.app.services;
  await polls.enroll();
  await polls.pollNow(expired.caller, { connectionId });
  const [action] = await Promise.all([addComment(expired, 'With a new token.'), polls.runDue(10)]);
  expect(action).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
  expect(fake.provider.effects.get('comment')).toBe(1);
  expect(oauth.front.issued.size).toBe(1);
  const rows = await app.database.query('select failures, failure, last_polled_at from poll_streams');
  expect(rows).toEqual([{ failures: 0, failure: null, last_polled_at: expect.any(Date) }]);
  expect(await actionsOf(expired)).toMatchObject([{ status: 'SUCCEEDED', receipts: 1 }]);
});
