import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { ExecuteActionDocument, PollNowDocument, SignalsDocument } from '../schema/generated/operations.js';
import type { Connector } from '../src/connector/index.js';
import type { Answer, TestCaller } from './support/app.js';
import { sendIssue } from './support/mendable.js';
import {
  MINUTE,
  type Story,
  actionsOf,
  beginStory,
  effectsOf,
  signalsOf,
  unlimited,
} from './support/story.js';
import { type Restartable, usePostgres, useRedis } from './support/story-servers.js';

/** Counted in Redis, and far from refused. */
const counted: Connector = {
  ...unlimited,
  manifest: {
    ...unlimited.manifest,
    rateLimits: [{ bucket: 'api', points: 100_000, durationSeconds: 60, source: 'https://example.com' }],
  },
};

/** What one kind of caller was told: which of its requests were taken, and in which words others were refused. */
interface Lane {
  readonly taken: string[];
  readonly refused: string[];
}

/** Null when it was taken, else why not. */
type Send = (name: string) => Promise<string | null>;

/** Callers that ask for one thing after the other, and for the same thing again until it is taken. */
function startLoad(sends: Readonly<Record<string, Send>>) {
  const stop = new AbortController();
  const lanes: Record<string, Lane> = {};
  const running = Object.entries(sends).map(async ([kind, send]) => {
    const lane: Lane = { taken: [], refused: [] };
    lanes[kind] = lane;
    for (let n = 1; !stop.signal.aborted; n += 1) {
      const name = `${kind}-${n}`;
      for (let refusal = await send(name); refusal !== null; refusal = await send(name)) {
        lane.refused.push(refusal);
        // As long as a caller in a hurry would wait.
        await delay(20);
      }
      lane.taken.push(name);
    }
  });
  return {
    lanes,
    /** Resolves when every kind of caller has come so much further. */
    async more(what: keyof Lane, by: number): Promise<void> {
      const before = Object.values(lanes).map((lane) => lane[what].length);
      const progress = () =>
        Math.min(...Object.values(lanes).map((lane, index) => lane[what].length - before[index]!));
      await expect.poll(progress, { timeout: 60_000 }).toBeGreaterThanOrEqual(by);
    },
    async stop(): Promise<void> {
      stop.abort();
      await Promise.all(running);
    },
  };
}

const refusalOf = ({ status, errors: [error] }: Answer<unknown>): string | null =>
  error ? `${status} ${error.extensions.code}` : null;

function callersOf({ hook, fake }: Story, person: TestCaller): Record<string, Send> {
  const { connectionId } = hook;
  const act = async (idempotencyKey: string, action: object): Promise<string | null> => {
    const input = { connectionId, idempotencyKey, action, waitSeconds: 1 } as never;
    return refusalOf(await person.ask(ExecuteActionDocument, { input }));
  };
  return {
    issue: (title) => act(title, { createIssue: { project: 'DEMO', title } }),
    comment: (body) => act(body, { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body } }),
    async webhook(key) {
      const { status, body } = await sendIssue(hook, key, key);
      return status === 202 || status === 200 ? null : `${status} ${body.error?.code}`;
    },
    async poll() {
      const refusal = refusalOf(await person.ask(PollNowDocument, { connectionId }));
      if (refusal === null) fake.addIssues(1);
      return refusal;
    },
    read: async () => refusalOf(await person.ask(SignalsDocument, { first: 5 })),
  };
}

async function keysIn({ url }: Restartable): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return await redis.keys('tributary:limit:*');
  } finally {
    redis.disconnect();
  }
}

/** As if the minute had gone by in which what broke off in the middle may still be on its way; it is not any more. */
async function waitForLeases({ app, clock }: Story): Promise<void> {
  const { actions } = app.app.services;
  await actions.drain();
  const owners = await app.database.query<{ lease_owner: string }>(
    `select lease_owner from actions where status = 'RUNNING'`,
  );
  await actions.drain();
  await app.database.query(
    `update actions set held_until = clock_timestamp() where status = 'RETRYING' or lease_owner = any($1::uuid[])`,
    [owners.map(({ lease_owner: owner }) => owner)],
  );
  await app.database.query('update poll_streams set lease_until = clock_timestamp()');
  clock.advance(2 * MINUTE);
}

const isOpen = ({ status }: { readonly status: string }): boolean =>
  status === 'RUNNING' || status === 'RETRYING';

it('Redis, then PostgreSQL go and come back under load: what was taken is done once, the rest cleanly refused', async () => {
  const [redis, postgres] = [await useRedis(), await usePostgres()];
  const story = await beginStory({
    connector: counted,
    env: { REDIS_URL: redis.url },
    app: { database: postgres.database },
  });
  const { app, fake, caller, hook } = story;
  const openOnes = async () => (await actionsOf(story)).filter(isOpen);
  await app.app.startWorking();
  const load = startLoad(callersOf(story, await app.caller(caller.tenantId)));
  await load.more('taken', 10);

  expect(await keysIn(redis)).not.toEqual([]);
  await redis.end('SIGKILL');
  await load.more('taken', 10);
  await redis.start();
  await expect.poll(() => keysIn(redis)).not.toEqual([]);
  expect(Object.values(load.lanes).flatMap(({ refused }) => refused)).toEqual([]);

  // None broke off, only what the two kinds of callers wait for right now is under way.
  const openCount = async () => (await openOnes()).length;
  await expect.poll(openCount).toBeLessThanOrEqual(2);

  for (const shutdown of ['SIGINT', 'SIGQUIT'] as const) {
    await postgres.end(shutdown);
    await load.more('refused', 2);
    await postgres.start();
    await load.more('taken', 10);
  }
  await load.stop();

  for (const [kind, { refused }] of Object.entries(load.lanes)) {
    const known =
      kind === 'webhook'
        ? ['503 STORAGE_UNAVAILABLE']
        : ['200 STORAGE_UNAVAILABLE', '503 STORAGE_UNAVAILABLE'];
    expect(
      refused.filter((refusal) => !known.includes(refusal)),
      kind,
    ).toEqual([]);
  }
  await waitForLeases(story);
  await expect.poll(openOnes, { timeout: 40_000, interval: 250 }).toEqual([]);

  const asked = [...load.lanes['issue']!.taken, ...load.lanes['comment']!.taken].toSorted();
  const actions = await actionsOf(story);
  expect(actions.map((action) => action.idempotency_key).toSorted()).toEqual(asked);
  expect(new Set(actions.map(({ status, receipts }) => `${status} ${receipts}`))).toEqual(
    new Set(['SUCCEEDED 1']),
  );
  expect(effectsOf(fake).filter((text) => text !== 'Another one')).toEqual(asked);

  await app.app.services.polls.pollNow(caller, { connectionId: hook.connectionId });
  const hooked = load.lanes['webhook']!.taken.toSorted();
  const told = async () => (await signalsOf(story)).length;
  await expect.poll(told, { timeout: 30_000 }).toBe(hooked.length + fake.events.length - 1);
  const signals = await signalsOf(story);
  expect(signals.flatMap(({ key }) => (key.startsWith('webhook-') ? [key] : [])).toSorted()).toEqual(hooked);
  expect(new Set(signals.map(({ id }) => id)).size).toBe(signals.length);
}, 150_000);
