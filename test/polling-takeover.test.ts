import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PollNowDocument, ReplaySignalsDocument } from '../schema/generated/operations.js';
import { hang } from './support/fake-behavior.js';
import {
  HOUR,
  countSignals,
  endLeases,
  isListOf,
  normally,
  poll,
  pollAll,
  pollStory,
  rowOf,
} from './support/polling.js';

it('kill -9 between two pages loses nothing and doubles nothing', async () => {
  const story = await pollStory({
    before: ({ octo }) => {
      for (let n = 0; n < 250; n++) octo.addIssue({ title: `Number ${n}` });
    },
  });
  const { app, github, caller, connectionId } = story;
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  github.provider.next(isListOf('issues'), normally, (exchange) => {
    asked();
    return hang()(exchange);
  });
  await caller.get(PollNowDocument, { connectionId });

  const env = {
    PORT: '0',
    DATABASE_URL: app.database.url,
    TRIBUTARY_DATA_DIR: app.config.TRIBUTARY_DATA_DIR,
    EGRESS_ALLOW: '127.0.0.0/8',
    TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
  };
  const runner = join(import.meta.dirname, 'support/poll-runner.ts');
  const child = fork(runner, [JSON.stringify(env)], { execArgv: ['--import', 'tsx'] });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  await isAsked;
  const stored = await countSignals(story, 'issue_created');
  expect(stored).toBeGreaterThan(90);
  child.kill('SIGKILL');
  await closed;

  const { cursor } = await rowOf(story, 'issues:octo/demo');
  expect(cursor).not.toBeNull();
  expect(await poll(story)).toBe(0);
  await endLeases(story);
  expect(await poll(story)).toBeGreaterThan(0);
  expect(await countSignals(story, 'issue_created')).toBe(251);
  const [, refused, again] = github.provider.requests.filter(isListOf('issues'));
  expect(again?.query).toEqual(refused?.query);
});

it('what was polled can be normalised again from what is stored', async () => {
  const story = await pollStory();
  await pollAll(story);
  const now = story.clock.now().getTime();
  const { replaySignals } = await story.caller.get(ReplaySignalsDocument, {
    input: {
      connectionId: story.connectionId,
      from: new Date(now - HOUR).toISOString(),
      to: new Date(now + HOUR).toISOString(),
    },
  });
  expect(replaySignals).toMatchObject({ deliveries: 3, changes: [], failures: [] });
});
