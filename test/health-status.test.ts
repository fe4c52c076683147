import { describe, expect, it } from 'vitest';
import { RotateDocument, VerifyDocument } from '../schema/generated/operations.js';
import { type Caller, scopes } from '../src/core/caller.js';
import { startTestApp, useTestApp } from './support/app.js';
import { answer } from './support/fake-behavior.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';
import {
  type HealthStory,
  MINUTE_MS,
  beginHealth,
  connectActive,
  edgesOf,
  healthOf,
  pass,
  record,
  takeDown,
  written,
} from './support/health.js';

const ada: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'corr-1' };

/** So many issues that were opened so many minutes before the webhook told. */
async function sendLate({ clock }: HealthStory, hook: Hook, minutes: number, count: number): Promise<void> {
  const created_at = new Date(clock.now().getTime() - minutes * MINUTE_MS).toISOString();
  for (let n = 0; n < count; n += 1) {
    const issue = { id: n, number: n, title: 'late', created_at, updated_at: created_at };
    const [repository, sender] = [{ full_name: 'octo/demo' }, { id: 1, login: 'octocat' }];
    const event = { action: 'opened', issue, repository, sender };
    expect((await post(hook.url, await githubDelivery('issues', event, hook.secret))).status).toBe(202);
  }
}

describe('the status', () => {
  it('follows the share of errors within the hour, and lets go of it slowly', async () => {
    const story = await beginHealth();
    const { connectionId } = story;
    await story.app.app.services.health.evaluate(100);
    expect(await edgesOf(story)).toEqual(['UNKNOWN HEALTHY -']);
    await pass(story, 5);
    await record(story, connectionId, 9, 2);
    await pass(story, 1);
    expect(await healthOf(story)).toMatchObject({ status: 'DEGRADED', reason: 'ERRORS' });
    await record(story, connectionId, 30, 30);
    // Within five minutes nothing wavers.
    await pass(story, 3);
    expect(await healthOf(story)).toMatchObject({ status: 'DEGRADED' });
    await pass(story, 2);
    expect(await healthOf(story)).toMatchObject({ status: 'UNHEALTHY', reason: 'ERRORS' });
    story.clock.advance(55 * MINUTE_MS);
    await record(story, connectionId, 5, 0);
    await pass(story, 3);
    expect(await healthOf(story)).toMatchObject({ status: 'UNHEALTHY', reason: 'ERRORS' });
    await pass(story, 4);
    expect(await healthOf(story)).toMatchObject({ status: 'HEALTHY', reason: null });
    story.clock.advance(64 * MINUTE_MS);
    await pass(story, 1);
    const edges = [
      'UNKNOWN HEALTHY -',
      'HEALTHY DEGRADED ERRORS',
      'DEGRADED UNHEALTHY ERRORS',
      'UNHEALTHY HEALTHY -',
      'HEALTHY UNKNOWN -',
    ];
    expect(await edgesOf(story)).toEqual(edges);
  });

  it('is UNHEALTHY at once when the credential is refused, and better five minutes after it is mended', async () => {
    const story = await beginHealth();
    const { app, caller, connectionId, github } = story;
    await app.app.services.health.evaluate(100);
    github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    await caller.get(VerifyDocument, { connectionId });
    await app.app.services.health.evaluate(100);
    expect(await edgesOf(story)).toEqual(['UNKNOWN HEALTHY -', 'HEALTHY UNHEALTHY CREDENTIALS_REFUSED']);
    const credential = { token: github.token };
    await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
    // Three calls, one of which failed: too little to judge by, and no reason to call it well.
    await written(story, connectionId, 3);
    await pass(story, 8);
    expect(await healthOf(story)).toMatchObject({ status: 'UNHEALTHY' });
    await record(story, connectionId, 20, 0);
    await pass(story, 4);
    expect(await healthOf(story)).toMatchObject({ status: 'UNHEALTHY' });
    await pass(story, 3);
    expect((await edgesOf(story)).at(-1)).toBe('UNHEALTHY HEALTHY -');
  });

  it('is UNHEALTHY while the circuit is open, and for as long as the hour remembers it', async () => {
    const story = await beginHealth();
    const { app, clock, connectionId } = story;
    const { health } = app.app.services;
    const bringBack = takeDown(story);
    const probes = await Promise.all([1, 2, 3, 4, 5].map(() => health.probe(ada, connectionId)));
    // The fourth failure opens it, maybe before the fifth probe gets as far as its call.
    const categories = probes.map(({ failure }) => failure?.details.category);
    for (const category of categories) expect(['PROVIDER', 'CIRCUIT_OPEN']).toContain(category);
    expect(categories.filter((category) => category === 'PROVIDER').length).toBeGreaterThanOrEqual(4);
    const reason = async () => (await health.evaluate(100)) >= 0 && (await healthOf(story)).reason;
    await expect.poll(reason).toBe('CIRCUIT_OPEN');
    expect((await edgesOf(story)).at(-1)).toMatch(/ UNHEALTHY CIRCUIT_OPEN$/);
    expect((await health.probe(ada, connectionId)).failure?.details.category).toBe('CIRCUIT_OPEN');
    bringBack();
    // The next call finds out that the provider is back; what failed within the hour still counts.
    clock.advance(MINUTE_MS);
    expect((await health.probe(ada, connectionId)).failure).toBeUndefined();
    await expect.poll(reason).toBe('ERRORS');
    await record(story, connectionId, 1_000, 0);
    await pass(story, 7);
    expect((await edgesOf(story)).at(-1)).toBe('UNHEALTHY HEALTHY -');
  });

  it('is DEGRADED when at the median news come later than ten minutes, as long as they are news', async () => {
    const story = await beginHealth();
    const { caller } = story;
    const [slow, few, old] = [
      await connectGitHub(caller),
      await connectGitHub(caller),
      await connectGitHub(caller),
    ];
    await sendLate(story, slow, 20, 5);
    await sendLate(story, few, 20, 4);
    await sendLate(story, old, 3 * 24 * 60, 5);
    await pass(story, 1);
    expect(await healthOf(story, slow.connectionId)).toMatchObject({ status: 'DEGRADED', reason: 'LAG' });
    for (const { connectionId } of [few, old]) {
      expect(await healthOf(story, connectionId)).toMatchObject({ status: 'UNKNOWN', reason: null });
    }
    await sendLate(story, slow, 0, 11);
    await pass(story, 6);
    expect(await edgesOf(story, slow.connectionId)).toEqual(['UNKNOWN DEGRADED LAG', 'DEGRADED UNKNOWN -']);
  });
});

describe('the sliding hour', () => {
  it('is one over processes, restarts and the end of a month', async () => {
    const story = await beginHealth();
    const { app, clock, env, github, caller } = story;
    const connectionId = await connectActive(caller, github);
    const monthEnd = new Date(Date.UTC(clock.now().getUTCFullYear(), clock.now().getUTCMonth() + 1, 1));
    clock.advance(monthEnd.getTime() - clock.now().getTime() - 2 * MINUTE_MS);
    const other = await startTestApp({ beside: app, clock, env });
    await app.app.services.health.probe(ada, connectionId);
    github.provider.next('GET /user', answer({ status: 404, body: { message: 'first' } }));
    await app.app.services.health.probe(ada, connectionId);
    clock.advance(4 * MINUTE_MS);
    expect(clock.now().getUTCDate()).toBe(1);
    await other.app.services.health.probe(ada, connectionId);
    github.provider.next('GET /user', answer({ status: 404, body: { message: 'second' } }));
    await other.app.services.health.probe(ada, connectionId);
    await other.close();
    await written(story, connectionId, 5);
    const restarted = await useTestApp({ beside: app, clock, env });
    const read = async () => (await restarted.app.services.health.of(ada, [connectionId])).get(connectionId);
    expect(await read()).toMatchObject({
      requests1h: 4,
      errors1h: 2,
      successRate1h: 0.5,
      recentErrors: [{ message: 'second' }, { message: 'first' }],
    });
    expect((await read())?.latencyP95Ms).toBeGreaterThan(0);
    clock.advance(57 * MINUTE_MS);
    expect(await read()).toMatchObject({ requests1h: 2, errors1h: 1 });
    clock.advance(4 * MINUTE_MS);
    expect(await read()).toMatchObject({ requests1h: 0, successRate1h: null, latencyP50Ms: null });
  });
});
