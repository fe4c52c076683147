import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { LEASE_MS } from '../src/action/settle.js';
import type { Action } from '../src/action/action.entity.js';
import { type Caller, scopes } from '../src/core/caller.js';
import { type TestApp, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { throttled } from './support/fake-behavior.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import { example } from '../connectors/example/index.js';
import { type Connector, ProviderFailure } from '../src/connector/index.js';
import type { Behavior } from './support/fake-provider.js';

const ISSUES = 'POST /v1/projects/{project}/issues';
const HOUR_MS = 60 * 60_000;

const caller: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'corr-1' };

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly provider: FakeExample['provider'];
  readonly connectionId: string;
  beside(): Promise<TestApp>;
  execute(): Promise<Action>;
  now(action: Action): Promise<Action>;
  /** Refuses the next calls, asking for so long a wait. */
  throttle(seconds: number, times?: number): void;
}

async function story(connector: Connector = example): Promise<Story> {
  const clock = createTestClock();
  const { provider, token } = await startFakeExample(clock);
  onTestFinished(() => provider.close());
  const options = {
    clock,
    env: { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url },
    connectors: [connector],
  };
  const app = await useTestApp(options);
  const { actions, connections } = app.app.services;
  const connect = {
    providerId: 'example',
    name: 'main',
    authMethod: 'BEARER',
    credential: { token },
  } as const;
  const { connection } = await connections.connect(caller, connect);
  await connections.verify(caller, connection.id);
  const command = {
    connectionId: connection.id,
    verb: 'createIssue',
    input: { project: 'DEMO', title: 'x' },
  } as const;
  const throttling =
    (seconds: number): Behavior =>
    ({ send }) =>
      send(throttled({ retryAfter: seconds }, clock.now()));
  return {
    app,
    clock,
    provider,
    connectionId: connection.id,
    beside: () => useTestApp({ ...options, beside: app }),
    execute: () => actions.execute(caller, { ...command, idempotencyKey: randomUUID() }),
    now: ({ id }) => actions.require(caller, { id }),
    throttle: (seconds, times = 1) =>
      provider.next(ISSUES, ...Array.from({ length: times }, () => throttling(seconds))),
  };
}

async function receiptsOf({ app }: Story, { id }: Action): Promise<object[]> {
  return app.database.query('select outcome, result from receipts where action_id = $1', [id]);
}

it('what a provider rate-limited is done when the time is over, once, by one of several processes', async () => {
  const s = await story();
  s.throttle(120);
  const action = await s.execute();
  expect(action).toMatchObject({ status: 'RETRYING', attempts: 1, failure: { category: 'RATE_LIMIT' } });
  const wait = (action.leaseUntil?.getTime() ?? 0) - s.clock.now().getTime();
  expect(wait).toBeGreaterThan(100_000);
  expect(wait).toBeLessThanOrEqual(120_000);
  expect(await receiptsOf(s, action)).toEqual([]);
  const both = [s.app, await s.beside()];
  const recover = async () =>
    (await Promise.all(both.map(({ app }) => app.services.actions.recover()))).toSorted((a, b) => a - b);
  s.clock.advance(60_000);
  expect(await recover()).toEqual([0, 0]);
  s.clock.advance(61_000);
  expect(await recover()).toEqual([0, 1]);
  expect(await s.now(action)).toMatchObject({ status: 'SUCCEEDED', attempts: 2, failure: null });
  expect(s.provider.effects.get('issue')).toBe(1);
  expect(await receiptsOf(s, action)).toMatchObject([{ outcome: 'SUCCESS', result: { attempts: 2 } }]);
});

it('whose next attempt dies with its process is looked for, not sent once more', async () => {
  const s = await story();
  s.throttle(60);
  const action = await s.execute();
  let release = (): void => {};
  s.provider.next(ISSUES, async ({ perform, send }) => {
    const done = perform();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    send(done);
  });
  s.clock.advance(61_000);
  const first = s.app.app.services.actions.recover();
  await expect.poll(() => s.provider.effects.get('issue')).toBe(1);
  s.clock.advance(LEASE_MS + 1);
  await s.app.database.endLeases();
  const other = await s.beside();
  expect(await other.app.services.actions.recover()).toBe(1);
  expect(await s.now(action)).toMatchObject({ status: 'SUCCEEDED', attempts: 3 });
  release();
  await first;
  expect(s.provider.effects.get('issue')).toBe(1);
  expect(await receiptsOf(s, action)).toHaveLength(1);
});

it('GraphQL tells when it is taken up again, and no receipt before it is settled', async () => {
  const s = await story();
  s.throttle(120);
  const { id, leaseUntil } = await s.execute();
  const person = await s.app.caller();
  const { data } = await person.ask(`{ action(id: "${id}") { status nextAttemptAt receipt { id } } }`);
  expect(data).toEqual({
    action: { status: 'RETRYING', nextAttemptAt: leaseUntil?.toISOString(), receipt: null },
  });
});

it('after five attempts it is FAILED, with one receipt', async () => {
  // Without windows of ours: what they keep is no attempt.
  const s = await story({ ...example, manifest: { ...example.manifest, rateLimits: [] } });
  s.throttle(60, 5);
  const action = await s.execute();
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    s.clock.advance(61_000);
    expect(await s.app.app.services.actions.recover()).toBe(1);
  }
  expect(await s.now(action)).toMatchObject({
    status: 'FAILED',
    attempts: 5,
    failure: { category: 'RATE_LIMIT' },
  });
  expect(await receiptsOf(s, action)).toMatchObject([{ outcome: 'FAILURE' }]);
  s.clock.advance(HOUR_MS);
  expect(await s.app.app.services.actions.recover()).toBe(0);
  expect(s.provider.effects.get('issue')).toBeUndefined();
});

it('a wait that ends after more than a day is not begun', async () => {
  const s = await story();
  s.throttle(25 * 3_600);
  expect(await s.execute()).toMatchObject({ status: 'FAILED', failure: { retryAt: expect.any(String) } });
});

it('what the tenant’s own budget kept is done when there is one again', async () => {
  const s = await story();
  const { budgets, actions } = s.app.app.services;
  await budgets.set(caller, { connectionId: s.connectionId, callsPerHour: 0 });
  const action = await s.execute();
  expect(action).toMatchObject({ status: 'RETRYING', failure: { category: 'BUDGET' } });
  await budgets.set(caller, { connectionId: s.connectionId, callsPerHour: null });
  s.clock.advance(HOUR_MS + 1);
  expect(await actions.recover()).toBe(1);
  expect(await s.now(action)).toMatchObject({ status: 'SUCCEEDED' });
});

it('a provider that can’t be reached is tried less and less often', async () => {
  const s = await story();
  await s.provider.close();
  const action = await s.execute();
  expect(action).toMatchObject({ status: 'RETRYING', failure: { category: 'NETWORK' } });
  const waits: number[] = [];
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    const { leaseUntil } = await s.now(action);
    const wait = (leaseUntil?.getTime() ?? 0) - s.clock.now().getTime();
    waits.push(Math.round(wait / LEASE_MS));
    s.clock.advance(wait + 1);
    await s.app.app.services.actions.recover();
  }
  expect(waits).toEqual([1, 2, 4, 8]);
  expect(await s.now(action)).toMatchObject({ status: 'FAILED', attempts: 5 });
});

it('what waits for a connection that takes no more actions is not sent', async () => {
  const s = await story();
  s.throttle(60);
  const action = await s.execute();
  await s.app.app.services.connections.suspend(caller, s.connectionId, undefined);
  s.clock.advance(61_000);
  await s.app.app.services.actions.recover();
  expect(await s.now(action)).toMatchObject({ status: 'FAILED', failure: { code: 'connection_not_ready' } });
  expect(s.provider.effects.get('issue')).toBeUndefined();
});

it('what is sent at most once is sent again when it certainly was not done, and not otherwise', async () => {
  const { reconcile: _, ...createIssue } = { ...example.actions?.createIssue };
  const atMostOnce = { ...createIssue, idempotency: 'AT_MOST_ONCE' };
  const s = await story({ ...example, actions: { createIssue: atMostOnce as never } });
  s.throttle(60);
  const [action, { actions, deadLetters }] = [await s.execute(), s.app.app.services];
  s.provider.next(ISSUES, ({ perform, response }) => {
    perform();
    response.socket?.resetAndDestroy();
  });
  s.clock.advance(61_000);
  await actions.recover();
  expect(await s.now(action)).toMatchObject({ status: 'UNCONFIRMED', attempts: 2 });
  s.clock.advance(HOUR_MS);
  const { letters } = await deadLetters.redrive(caller, { ids: [action.id] });
  expect(letters).toMatchObject([
    { outcome: 'SKIPPED', reason: expect.stringContaining('may have been done') },
  ]);
  expect(s.provider.effects.get('issue')).toBe(1);
});

it('what fails after something was written is looked for, not sent again', async () => {
  const createIssue = example.actions?.createIssue;
  if (!createIssue) throw new Error('the example creates issues');
  let isLimited = true;
  const twoSteps: typeof createIssue = {
    ...createIssue,
    async execute(context, input) {
      const outcome = await createIssue.execute(context, input);
      if (!isLimited) return outcome;
      isLimited = false;
      throw new ProviderFailure({
        category: 'RATE_LIMIT',
        code: 'rate_limit',
        message: 'Not the second, too.',
      });
    },
  };
  const s = await story({ ...example, actions: { createIssue: twoSteps } });
  // Found at once, by the look that follows whatever is in doubt.
  expect(await s.execute()).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
  expect(s.provider.effects.get('issue')).toBe(1);
});
