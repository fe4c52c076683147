import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ProbeDocument, SecretAccessesDocument, SuspendDocument } from '../schema/generated/operations.js';
import { answer, drop } from './support/fake-behavior.js';
import { connectGitHub } from './support/github.js';
import {
  type HealthStory,
  MINUTE_MS,
  beginHealth,
  connectActive,
  takeDown,
  written,
} from './support/health.js';

const asked = ({ github }: HealthStory): number =>
  github.provider.requests.filter(({ path }) => path === '/user').length;

const probeDue = ({ app }: HealthStory): Promise<number> =>
  app.app.services.health.probeDue(10, new AbortController().signal);

const statusOf = async ({ app, connectionId }: HealthStory): Promise<unknown> =>
  (
    await app.database.query<{ status: string }>('select status from connections where id = $1', [
      connectionId,
    ])
  )[0]?.status;

describe('probe', () => {
  it('asks the provider by the stored credential, and says who used it and what for', async () => {
    const story = await beginHealth();
    const { caller, connectionId } = story;
    const { probe } = await caller.get(ProbeDocument, { connectionId });
    expect(probe).toMatchObject({
      succeeded: true,
      failure: null,
      connection: { id: connectionId, status: 'ACTIVE' },
    });
    expect(asked(story)).toBe(2);
    const purposes = async () => {
      const { connection } = await caller.get(SecretAccessesDocument, { connectionId });
      return connection?.secretAccesses.nodes.map(({ purpose }) => purpose);
    };
    await expect.poll(purposes).toContain('probe');
    await written(story, connectionId, 2);
  });

  it('takes what the provider takes, and hardly more', async () => {
    const story = await beginHealth();
    const { caller, connectionId, github } = story;
    await caller.get(ProbeDocument, { connectionId });
    github.provider.next('GET /user', async ({ perform, send }) => {
      await delay(600);
      send(perform());
    });
    const startedAt = performance.now();
    const { probe } = await caller.get(ProbeDocument, { connectionId });
    expect(probe.durationMs).toBeGreaterThanOrEqual(590);
    expect(performance.now() - startedAt).toBeLessThan(600 + 500);
  });

  it('leaves a connection ACTIVE whose provider is down or can’t be reached', async () => {
    const story = await beginHealth();
    const { caller, connectionId, github } = story;
    github.provider.next('GET /user', drop(), drop(), drop());
    const broken = await caller.get(ProbeDocument, { connectionId });
    expect(broken.probe).toMatchObject({ succeeded: false, failure: { category: 'NETWORK' } });
    takeDown(story);
    const down = await caller.get(ProbeDocument, { connectionId });
    expect(down.probe).toMatchObject({ succeeded: false, failure: { category: 'PROVIDER' } });
    expect(await statusOf(story)).toBe('ACTIVE');
  });

  it('lets verify settle what the provider says against the credential', async () => {
    const story = await beginHealth();
    const { caller, connectionId, github } = story;
    const refused = answer({ status: 401, body: { message: 'Bad credentials' } });
    github.provider.next('GET /user', refused);
    // Once may be a mistake.
    expect((await caller.get(ProbeDocument, { connectionId })).probe).toMatchObject({
      failure: { category: 'AUTH' },
      connection: { status: 'ACTIVE' },
    });
    github.provider.next('GET /user', refused, refused);
    expect((await caller.get(ProbeDocument, { connectionId })).probe.connection.status).toBe('ERROR');
  });

  it('is for whoever may write, and for an ACTIVE connection of one’s own', async () => {
    const { app, caller, connectionId } = await beginHealth();
    const codeOf = async (asker: typeof caller): Promise<unknown> =>
      (await asker.ask(ProbeDocument, { connectionId })).errors[0]?.extensions.code;
    expect(await codeOf(await app.caller('globex'))).toBe('NOT_FOUND');
    expect(await codeOf(await app.caller('acme', 'integrations:read'))).toBe('FORBIDDEN');
    await caller.get(SuspendDocument, { connectionId });
    expect(await codeOf(caller)).toBe('CONNECTION_NOT_READY');
  });
});

describe('in the background', () => {
  it('those are probed that nobody has called for ten minutes, once, while they are ACTIVE', async () => {
    const story = await beginHealth();
    const { clock, caller, github, connectionId } = story;
    const busy = await connectActive(caller, github);
    await connectGitHub(caller, 'never verified');
    for (const id of [connectionId, busy]) await written(story, id, 1);
    expect(await probeDue(story)).toBe(0);
    expect(asked(story)).toBe(2);
    clock.advance(6 * MINUTE_MS);
    await story.app.app.services.health.probe(
      { tenantId: 'acme', subject: 'ada', scopes: new Set(), correlationId: 'corr-1' },
      busy,
    );
    await written(story, busy, 2);
    clock.advance(5 * MINUTE_MS);
    const both = await Promise.all([probeDue(story), probeDue(story)]);
    expect(both.reduce((sum, one) => sum + one)).toBe(1);
    expect(asked(story)).toBe(4);
    await written(story, connectionId, 2);
    expect(await probeDue(story)).toBe(0);
    clock.advance(11 * MINUTE_MS);
    expect(await probeDue(story)).toBe(2);
  });

  it('a credential that was revoked is found out, with a receipt by the system', async () => {
    const story = await beginHealth();
    const { app, clock, connectionId, github } = story;
    const refused = answer({ status: 401, body: { message: 'Bad credentials' } });
    github.provider.next('GET /user', refused, refused);
    clock.advance(11 * MINUTE_MS);
    expect(await probeDue(story)).toBe(1);
    expect(await statusOf(story)).toBe('ERROR');
    const receipts = `select actor, outcome from receipts order by id desc limit 1`;
    expect(await app.database.query(receipts)).toEqual([{ actor: 'system', outcome: 'FAILURE' }]);
    await app.app.services.health.evaluate(10);
    const standing = 'select status, reason from connection_health where connection_id = $1';
    expect(await app.database.query(standing, [connectionId])).toEqual([
      { status: 'UNHEALTHY', reason: 'CREDENTIALS_REFUSED' },
    ]);
  });
});
