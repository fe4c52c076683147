import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectionDocument,
  RegisterWebhookDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type CommitLine, useCommitLine } from './support/commit-line.js';
import { startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';
import { begin, comment, look, operations, useOAuthStory } from './support/oauth-story.js';

// The line to the database breaks after a commit has taken effect: whoever waited for the answer can't know that it has.

/** Makes every transaction fail at its end that writes such a receipt. */
const failingAtCommit = (verb: string) => `
  create function fail() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
  create constraint trigger fail after insert on receipts deferrable initially deferred
    for each row when (new.operation like '%.${verb}') execute function fail()`;

describe('tokens of a person who has just consented', () => {
  async function start() {
    const line = await useCommitLine();
    const story = await useOAuthStory({ via: line.url });
    const caller = await story.caller();
    return { line, story, caller, ...(await begin(caller)) };
  }

  it('that are stored are not revoked', async () => {
    const { line, story, caller, connectionId, link } = await start();
    line.loseCommitOf('connection.example.authorize');
    expect((await story.browser().consent(link)).status).toBe(503);
    expect(line.lost()).toBe(1);
    expect(story.front.revocations).toEqual([]);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', credential: { version: 1 } });
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('of which nobody can say whether they are stored are not revoked either', async () => {
    const { line, story, caller, connectionId, link } = await start();
    line.loseCommitOf('connection.example.authorize', true);
    expect((await story.browser().consent(link)).status).toBe(503);
    expect(story.front.revocations).toEqual([]);
    line.mend();
    await expect
      .poll(async () => (await caller.ask(ConnectionDocument, { id: connectionId })).errors)
      .toEqual([]);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('that are certainly not stored are revoked', async () => {
    const { story, caller, link } = await start();
    await story.app.database.query(failingAtCommit('authorize'));
    expect((await story.browser().consent(link)).status).toBe(500);
    expect(story.front.revocations).toHaveLength(1);
    expect(await operations(caller)).toEqual(['connect SUCCESS']);
  });
});

describe('a webhook that was just registered', () => {
  async function start(line: CommitLine) {
    const clock = createTestClock();
    const github = await startFakeGitHub(clock);
    onTestFinished(() => github.provider.close());
    const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url };
    const app = await useTestApp({ clock, env, via: line.url });
    const caller = await app.caller();
    const { connectionId } = await connectGitHub(caller, randomUUID(), github.token);
    await caller.get(VerifyDocument, { connectionId });
    const input = { connectionId, target: { repository: 'octo/demo' } };
    const register = async () =>
      (await caller.ask(RegisterWebhookDocument, { input })).errors[0]?.extensions.code;
    const registrations = async () =>
      (await caller.get(ConnectionDocument, { id: connectionId })).connection?.webhook?.registrations;
    return { app, github, register, registrations };
  }

  it('and stored stays at GitHub', async () => {
    const line = await useCommitLine();
    const { github, register, registrations } = await start(line);
    line.loseCommitOf('connection.github.register_webhook');
    expect(await register()).toBe('STORAGE_UNAVAILABLE');
    expect(line.lost()).toBe(1);
    expect(github.hooks.all).toHaveLength(1);
    expect(await registrations()).toMatchObject([{ externalId: String(github.hooks.all[0]?.id) }]);
  });

  it('and certainly not stored is taken back', async () => {
    const { app, github, register, registrations } = await start(await useCommitLine());
    await app.database.query(failingAtCommit('register_webhook'));
    expect(await register()).toBe('INTERNAL');
    expect(github.hooks.all).toEqual([]);
    expect(await registrations()).toEqual([]);
  });
});
