import { describe, expect, it } from 'vitest';
import { type TestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer, loseAnswer, throttled } from './support/fake-behavior.js';
import { exampleError } from './support/fake-example.js';
import type { Behavior } from './support/fake-provider.js';
import { connected, useOAuthStory } from './support/oauth-story.js';
import { hold } from './support/polling.js';
import {
  ADD_COMMENT,
  CREATE_ISSUE,
  DAY,
  HOUR,
  LIST_EVENTS,
  LIST_ISSUES,
  MINUTE,
  SECOND,
  type Story,
  addComment,
  always,
  beginStory,
  callerOf,
  createIssue,
  effectsOf,
  pass,
  reread,
  signalsOf,
  unlimited,
  work,
} from './support/story.js';

const JUMPS = [HOUR, -HOUR, 3 * DAY, -3 * DAY];

/** A second process, on the machine whose clock jumps. */
function beside({ app, clock, fake }: Story): Promise<TestApp> {
  const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: fake.provider.url };
  return useTestApp({ beside: app, clock, env, connectors: [unlimited] });
}

/** The wall clock is set, and nothing else: no time has gone by, least of all for the database. */
const jump = ({ clock }: Story, milliseconds: number): void => clock.advance(milliseconds);

const refOf = ({ caller, hook: { connectionId } }: Story) => ({
  tenantId: caller.tenantId,
  connectionId,
  connector: unlimited,
});

describe('when the clock of processes jumps, by an hour or by days, ahead and back', () => {
  it('nobody takes over an action that is on its way', async () => {
    const story = await beginStory();
    const processes = [story.app, await beside(story)];
    const held = hold();
    story.fake.provider.next(CREATE_ISSUE, held.behavior);
    const asked = createIssue(story, 'slowly');
    await held.waits;
    for (const by of JUMPS) {
      jump(story, by);
      const taken = await Promise.all(processes.map(({ app }) => app.services.actions.recover()));
      expect(taken).toEqual([0, 0]);
    }
    held.release();
    expect(await asked).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
    expect(effectsOf(story.fake)).toEqual(['slowly']);
  });

  it('nothing is sent again while a lost request may still take effect', async () => {
    const story = await beginStory();
    const late = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const loseAndDoLater: Behavior = async ({ perform, response }) => {
      response.socket?.resetAndDestroy();
      await late.promise;
      perform();
      done.resolve();
    };
    story.fake.provider.next(CREATE_ISSUE, loseAndDoLater);
    const action = await createIssue(story, 'late');
    expect(action.status).toBe('RETRYING');
    for (const by of JUMPS) {
      jump(story, by);
      await work(story);
    }
    expect(await reread(story, action)).toMatchObject({ status: 'RETRYING', attempts: 1 });
    late.resolve();
    await done.promise;
    await work(story, 2 * MINUTE);
    expect(await reread(story, action)).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
    expect(effectsOf(story.fake)).toEqual(['late']);
  });

  it.each([
    ['at once', [], 1],
    ['by the next attempt', [answer({ status: 200, body: { items: [], next_cursor: null } })], 2],
  ])(
    'what was lost while our clock ran ahead of the provider’s is found %s, though it seems older than the attempt',
    async (_, looks, attempts) => {
      const story = await beginStory({ theirs: createTestClock() });
      jump(story, HOUR);
      story.fake.provider.next(CREATE_ISSUE, loseAnswer());
      story.fake.provider.next(LIST_ISSUES, ...looks);
      const action = await createIssue(story, 'earlier there');
      expect(action.status).toBe(attempts === 1 ? 'SUCCEEDED' : 'RETRYING');
      await work(story, 2 * MINUTE);
      expect(await reread(story, action)).toMatchObject({ status: 'SUCCEEDED', attempts });
      expect(effectsOf(story.fake)).toEqual(['earlier there']);
    },
  );

  it('what a provider put off is done once, and held up for as long as the jump at most', async () => {
    const story = await beginStory();
    const refuse: Behavior = ({ send }) => send(throttled({ retryAfter: 600 }, story.clock.now()));
    jump(story, DAY);
    story.fake.provider.next(ADD_COMMENT, refuse);
    const action = await addComment(story, 'in a while');
    expect(action.status).toBe('RETRYING');
    jump(story, -DAY);
    await work(story, 11 * MINUTE);
    expect((await reread(story, action)).status).toBe('RETRYING');
    // No pause is that long, so what is asked for now goes on.
    expect((await addComment(story, 'now')).status).toBe('SUCCEEDED');
    await work(story, DAY);
    expect((await reread(story, action)).status).toBe('SUCCEEDED');
    expect(effectsOf(story.fake)).toEqual(['in a while', 'now']);
  });

  it('an open circuit is tried again within its five minutes, and health says so', async () => {
    const story = await beginStory();
    const { gate, health } = story.app.app.services;
    const statusOf = async () => {
      await health.evaluate(10);
      const { connectionId } = story.hook;
      const found = (await health.of(story.caller, [connectionId])).get(connectionId);
      return found?.reason ?? found?.status;
    };
    jump(story, 3 * DAY);
    const recover = always(story.fake.provider, () => true, answer(exampleError(503)));
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => addComment(story, text)));
    expect((await gate.circuit(refOf(story))).state).toBe('OPEN');
    await expect.poll(statusOf).toBe('CIRCUIT_OPEN');
    recover();
    jump(story, -3 * DAY);
    await pass(story, 5 * MINUTE);
    expect((await addComment(story, 'after all')).status).toBe('SUCCEEDED');
    expect((await gate.circuit(refOf(story))).state).toBe('CLOSED');
    const minuteLater = () => pass(story, MINUTE).then(statusOf);
    await expect.poll(minuteLater).not.toBe('CIRCUIT_OPEN');
  });

  it('a budget that is spent stays spent: its hour is not of this clock', async () => {
    const story = await beginStory();
    const { budgets } = story.app.app.services;
    const { connectionId } = story.hook;
    await budgets.set(story.caller, { connectionId, callsPerHour: 2 });
    expect((await createIssue(story, 'one')).status).toBe('SUCCEEDED');
    expect((await createIssue(story, 'two')).status).toBe('SUCCEEDED');
    const action = await createIssue(story, 'three');
    expect(action).toMatchObject({ status: 'RETRYING', attempts: 0, failure: { category: 'BUDGET' } });
    // Not by days: what could not be done within a day is given up.
    for (const by of [2 * HOUR, -2 * HOUR, 20 * HOUR, -20 * HOUR]) {
      jump(story, by);
      await work(story);
    }
    expect(await reread(story, action)).toMatchObject({ status: 'RETRYING', attempts: 0 });
    expect(effectsOf(story.fake)).toEqual(['one', 'two']);
    await budgets.set(story.caller, { connectionId, callsPerHour: null });
    await work(story, DAY - HOUR);
    expect((await reread(story, action)).status).toBe('SUCCEEDED');
    expect(effectsOf(story.fake)).toEqual(['one', 'three', 'two']);
  });

  it('one process at a time polls, and everything is found once', async () => {
    const story = await beginStory();
    const other = await beside(story);
    const { polls } = story.app.app.services;
    const { connectionId } = story.hook;
    await work(story, 5 * MINUTE);
    for (const by of JUMPS) {
      story.fake.addIssues(2);
      const held = hold();
      story.fake.provider.next(LIST_EVENTS, held.behavior);
      await polls.pollNow(story.caller, { connectionId });
      const first = polls.runDue(10);
      await held.waits;
      jump(story, by);
      expect(await other.app.services.polls.runDue(10)).toBe(0);
      held.release();
      await first;
    }
    const signals = await signalsOf(story);
    expect(signals).toHaveLength(JUMPS.length * 2);
    expect(new Set(signals.map(({ id }) => id)).size).toBe(signals.length);
    // Set back, it is polled again after the interval.
    const before = story.fake.provider.requests.length;
    await work(story, 5 * MINUTE + SECOND);
    expect(story.fake.provider.requests.length).toBeGreaterThan(before);
  });

  it('a token that is being renewed is renewed once', async () => {
    const oauth = await useOAuthStory();
    const connectionId = await connected(oauth, await oauth.caller());
    const { app, clock, example: fake } = oauth;
    const hook = { connectionId, url: '', secret: '' };
    const story: Story = { app, clock, fake, caller: callerOf('acme'), hook };
    jump(story, HOUR - MINUTE);
    const [waiting, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    oauth.front.server.delayTokens(
      async () => {
        waiting.resolve();
        await go.promise;
      },
      async () => {},
    );
    const { connections } = app.app.services;
    const renewing = connections.renewDue();
    await waiting.promise;
    for (const by of JUMPS) jump(story, by);
    const asked = addComment(story, 'with the new one');
    go.resolve();
    expect(await renewing).toBe(1);
    expect(await asked).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
    const renewals = oauth.front.server.events.filter(({ grantType }) => grantType === 'refresh_token');
    expect(renewals.map(({ what }) => what)).toEqual(['granted']);
    expect(fake.provider.effects.get('comment')).toBe(1);
  });
});
