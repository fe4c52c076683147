import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  RegisterWebhookDocument,
  SecretAccessesDocument,
  SignalsDocument,
  SuspendDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { type FakeGitHub, githubError, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';

const MINUTE = 60_000;
const DELIVERIES = 'GET /repos/{owner}/{repo}/hooks/{id}/deliveries';
const ATTEMPT = 'POST /repos/{owner}/{repo}/hooks/{id}/deliveries/{delivery}/attempts';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly connectionId: string;
}

/** A connection to a fake GitHub with one registered webhook, whose ping has been taken. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  const { connectionId } = await connectGitHub(caller, 'main', github.token);
  await caller.get(VerifyDocument, { connectionId });
  const input = { connectionId, target: { repository: 'octo/demo' } };
  await caller.get(RegisterWebhookDocument, { input });
  await expect.poll(() => github.hooks.deliveries.all.length).toBe(1);
  clock.advance(1_000);
  return { app, clock, github, caller, connectionId };
}

const push = ({ github, clock }: Story, isLost = false) => {
  clock.advance(1_000);
  const body = { ref: 'refs/heads/main', after: randomUUID(), repository: { id: 1 } };
  return github.hooks.deliver('push', body, isLost);
};

/** The background looks, and what it asked for has come or failed. */
async function look({ app, github, clock }: Story): Promise<number> {
  clock.advance(5 * MINUTE);
  const looked = await app.app.services.connections.redeliverDue();
  await github.hooks.deliveries.settled();
  return looked;
}

const attempts = ({ github }: Story) =>
  github.provider.performed.filter(({ request }) => request.path.endsWith('/attempts')).length;

async function pushes({ caller }: Story): Promise<number> {
  const { signals } = await caller.get(SignalsDocument);
  return signals.nodes.filter(({ type }) => type === 'push').length;
}

describe('a delivery that failed', () => {
  it('is asked for once more, and comes as the signal that was missing', async () => {
    const s = await story();
    await push(s);
    await push(s, true);
    await push(s, true);
    await push(s);
    expect(await pushes(s)).toBe(2);
    expect(await look(s)).toBe(1);
    expect([attempts(s), await pushes(s)]).toEqual([2, 4]);
    await look(s);
    expect([attempts(s), await pushes(s)]).toEqual([2, 4]);
    const accesses = async () => {
      const { connection } = await s.caller.get(SecretAccessesDocument, { connectionId: s.connectionId });
      return connection?.secretAccesses.nodes;
    };
    await expect
      .poll(accesses)
      .toContainEqual(expect.objectContaining({ purpose: 'redeliver', actor: 'system' }));
  });

  it('is asked for again when it failed again, but not when we have refused it twice', async () => {
    const s = await story();
    const [hook] = s.github.hooks.all;
    const { url } = hook!.config;
    Object.assign(hook!, { config: { ...hook!.config, secret: 'another' } });
    expect(await push(s)).toEqual([401]);
    await look(s);
    await look(s);
    expect(attempts(s)).toBe(1);

    await push(s, true);
    Object.assign(hook!, { config: { ...hook!.config, url: `${s.github.provider.url}/nowhere` } });
    s.github.provider.next('POST /nowhere', answer(githubError(503)), answer(githubError(503)));
    await look(s);
    await look(s);
    expect(attempts(s)).toBe(3);
    Object.assign(hook!, { config: { ...hook!.config, url } });
    await look(s);
    expect(attempts(s)).toBe(4);
  });

  it('is found behind pages of others, by and by, none twice', async () => {
    const s = await story();
    for (let made = 0; made < 40; made++) await push(s, true);
    await look(s);
    expect(attempts(s)).toBe(25);
    for (let times = 0; times < 3; times++) await look(s);
    expect(attempts(s)).toBe(40);
    expect(s.github.hooks.deliveries.all.filter(({ status }) => status === 202)).toHaveLength(41);
  });

  it('that GitHub keeps no more is passed over', async () => {
    const s = await story();
    await push(s, true);
    await push(s, true);
    s.github.provider.next(ATTEMPT, answer(githubError(404)));
    await look(s);
    await look(s);
    expect([attempts(s), await pushes(s)]).toEqual([1, 1]);
  });
});

describe('looking for failed deliveries', () => {
  it('goes on from the same place after GitHub’s trouble, and asks nothing while it is not due', async () => {
    const s = await story();
    await push(s, true);
    const trouble = answer(githubError(500));
    s.github.provider.next(DELIVERIES, trouble, trouble, trouble);
    await look(s);
    expect(attempts(s)).toBe(0);
    expect(await s.app.app.services.connections.redeliverDue()).toBe(0);
    await look(s);
    expect([attempts(s), await pushes(s)]).toEqual([1, 1]);
  });

  it('rests with its connection', async () => {
    const s = await story();
    await push(s, true);
    await s.caller.get(SuspendDocument, { connectionId: s.connectionId });
    expect(await look(s)).toBe(0);
    expect(attempts(s)).toBe(0);
  });
});
