import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import {
  ConnectDocument,
  ExecuteActionDocument,
  IntegrationLogsDocument,
  type IntegrationLogsQuery,
  type IntegrationLogsQueryVariables,
  SetCallBudgetDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { createCallLog } from '../src/call/log.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import type { FinishedCall } from '../src/outbound/call.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { usePool } from './support/database.js';
import { answer } from './support/fake-behavior.js';
import { type FakeExample, exampleError, startFakeExample } from './support/fake-example.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly example: FakeExample;
  readonly caller: TestCaller;
  readonly connectionId: string;
}

async function story(): Promise<Story> {
  const clock = createTestClock();
  const example = await startFakeExample(clock);
  onTestFinished(() => example.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url } });
  const caller = await app.caller();
  const input = { providerId: 'example', name: 'main', authMethod: 'BEARER' as const };
  const { connect } = await caller.get(ConnectDocument, {
    input: { ...input, credential: { token: example.token } },
  });
  const { id: connectionId } = connect.connection;
  await caller.get(VerifyDocument, { connectionId });
  return { app, clock, example, caller, connectionId };
}

type Entry = IntegrationLogsQuery['integrationLogs']['nodes'][number];

/** Once there are so many: they are written within a second. */
async function logsOf(
  caller: TestCaller,
  filter: IntegrationLogsQueryVariables['filter'],
  count: number,
): Promise<readonly Entry[]> {
  return vi.waitUntil(
    async () => {
      const { integrationLogs } = await caller.get(IntegrationLogsDocument, { filter, first: 100 });
      return integrationLogs.nodes.length >= count && integrationLogs.nodes;
    },
    { timeout: 10_000, interval: 50 },
  );
}

function execute({ caller, connectionId }: Story, correlationId: string) {
  return caller.get(ExecuteActionDocument, {
    input: {
      connectionId,
      idempotencyKey: randomUUID(),
      correlationId,
      action: { createIssue: { project: 'DEMO', title: 'A secret plan' } },
    },
  });
}

it('tells each call by connection and by correlation id: what for, the template, how it ended', async () => {
  const s = await story();
  s.example.provider.next('POST /v1/projects/{project}/issues', ({ perform, send }) => {
    const made = perform();
    const resetsAt = String(Math.ceil(s.clock.now().getTime() / 1_000) + 30);
    const told = { 'example-limit-remaining': '217', 'example-limit-reset': resetsAt };
    send({ ...made, headers: { ...made.headers, ...told } });
  });
  await execute(s, 'decision-1');
  s.example.provider.next('POST /v1/projects/{project}/issues', answer(exampleError(422)));
  await execute(s, 'decision-2');

  const [done] = await logsOf(s.caller, { correlationId: 'decision-1' }, 1);
  expect(done).toEqual({
    id: expect.any(String),
    operation: 'action.create_issue',
    method: 'POST',
    endpoint: '/v1/projects/{project}/issues',
    status: 201,
    category: null,
    code: null,
    attempts: 1,
    durationMs: expect.any(Number),
    correlationId: 'decision-1',
    traceId: null,
    limitRemaining: 217,
    calledAt: expect.any(String),
    connection: { id: s.connectionId, name: 'main' },
  });
  const failed = await logsOf(s.caller, { category: 'INVALID' }, 1);
  expect(failed).toMatchObject([{ correlationId: 'decision-2', status: 422, attempts: 1 }]);
  const all = await logsOf(s.caller, { connectionId: s.connectionId }, 3);
  expect(all.map(({ operation }) => operation)).toContain('verify');
  expect(await logsOf(s.caller, { connectionId: randomUUID() }, 0)).toEqual([]);
  const since = new Date(s.clock.now().getTime() + 1).toISOString();
  expect(await logsOf(s.caller, { since }, 0)).toEqual([]);
});

it('counts the tries of one call, and tells what our own guards kept', async () => {
  const s = await story();
  const account = (request: { readonly method: string }): boolean => request.method === 'GET';
  s.example.provider.next(account, answer(exampleError(503)));
  await s.caller.get(VerifyDocument, { connectionId: s.connectionId });
  const entries = await logsOf(s.caller, { connectionId: s.connectionId }, 2);
  expect(entries[0]).toMatchObject({ operation: 'verify', attempts: 2, status: 200, category: null });

  await s.caller.get(SetCallBudgetDocument, { input: { connectionId: s.connectionId, callsPerHour: 0 } });
  await execute(s, 'decision-3');
  const [kept] = await logsOf(s.caller, { correlationId: 'decision-3' }, 1);
  expect(kept).toMatchObject({ category: 'BUDGET', code: 'budget_spent', attempts: 0, status: null });
});

it('holds neither bodies nor secrets, and nothing of another tenant', async () => {
  const s = await story();
  await execute(s, 'decision-4');
  await logsOf(s.caller, { correlationId: 'decision-4' }, 1);
  const rows = await s.app.database.query('select * from provider_calls');
  const text = JSON.stringify(rows);
  for (const hidden of ['A secret plan', s.example.token, 'DEMO']) expect(text).not.toContain(hidden);
  const other = await s.app.caller('globex');
  expect(await logsOf(other, {}, 0)).toEqual([]);
  const unable = await s.app.caller('acme', 'integrations:read');
  const { errors } = await unable.ask(IntegrationLogsDocument, {});
  expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
});

it('deletes what is older than PROVIDER_CALL_RETENTION_DAYS, and nothing younger', async () => {
  const s = await story();
  await execute(s, 'old');
  await logsOf(s.caller, { correlationId: 'old' }, 1);
  s.clock.advance(30 * 86_400_000 + 1_000);
  // The token is over, too.
  const caller = await s.app.caller();
  await execute({ ...s, caller }, 'young');
  await logsOf(caller, { correlationId: 'young' }, 1);
  // A row at a time, as if there were many.
  expect(await s.app.app.services.providerCalls.purge(1)).toBeGreaterThanOrEqual(2);
  expect(await logsOf(caller, { correlationId: 'old' }, 0)).toEqual([]);
  expect(await logsOf(caller, { correlationId: 'young' }, 1)).toHaveLength(1);
});

const CALL: FinishedCall = {
  tenantId: 'acme',
  connectionId: randomUUID(),
  providerId: 'example',
  operation: 'verify',
  method: 'GET',
  endpoint: '/v1/me',
  status: 200,
  category: null,
  code: null,
  attempts: 1,
  durationMs: 3,
  correlationId: 'c',
  traceId: null,
  limitRemaining: null,
  at: new Date(),
};

it('keeps calls while the database is away, and counts what it leaves out', async () => {
  const app = await useTestApp();
  const metrics = createMetrics();
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const pool = usePool({ connectionString: app.database.url });
  const query = vi.spyOn(pool, 'query').mockImplementation(() => Promise.reject(away) as never);
  const log = createCallLog(pool, createLog('silent'), metrics);
  for (let n = 0; n < 10_003; n++) log.record(CALL);
  await log.flush();
  const leftOut = async () => (await metrics.callsLeftOut.get()).values[0]?.value;
  expect(await leftOut()).toBe(3);
  query.mockRestore();
  // One that no column takes costs itself alone. There is room for it by then.
  await log.flush();
  log.record({ ...CALL, attempts: 2 ** 40 });
  log.record(CALL);
  await log.flush();
  expect(await app.database.query('select count(*)::int as n from provider_calls')).toEqual([{ n: 10_001 }]);
  expect(await leftOut()).toBe(4);
});
