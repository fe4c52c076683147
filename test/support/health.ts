import { expect, onTestFinished } from 'vitest';
import { HealthHistoryDocument, VerifyDocument } from '../../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './app.js';
import { type TestClock, createTestClock } from './clock.js';
import { type FakeGitHub, startFakeGitHub } from './fake-github.js';
import type { Behavior } from './fake-provider.js';
import { connectGitHub } from './github.js';

export const MINUTE_MS = 60_000;

/** An application, a GitHub and a clock, with a tenant that has one ACTIVE connection. */
export interface HealthStory {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly env: Record<string, string>;
  readonly caller: TestCaller;
  readonly connectionId: string;
}

export async function beginHealth(settings: Record<string, string> = {}): Promise<HealthStory> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url, ...settings };
  const app = await useTestApp({ clock, env });
  const caller = await app.caller();
  const connectionId = await connectActive(caller, github);
  await written({ app }, connectionId, 1);
  return { app, clock, github, env, caller, connectionId };
}

export async function connectActive(caller: TestCaller, github: FakeGitHub): Promise<string> {
  const { connectionId } = await connectGitHub(caller, undefined, github.token);
  await caller.get(VerifyDocument, { connectionId });
  return connectionId;
}

/** Calls as some process would have written them down, a moment ago by the clock. */
export async function record(
  { app, clock }: Pick<HealthStory, 'app' | 'clock'>,
  connectionId: string,
  requests: number,
  errors: number,
  tenantId = 'acme',
): Promise<void> {
  const at = clock.now().toISOString();
  const latencies = Array.from({ length: 12 }, (_, index) => (index === 3 ? requests : 0));
  const ids = { connection_id: connectionId, tenant_id: tenantId };
  const minute = { ...ids, minute: `${at.slice(0, 16)}:00.000Z`, requests, errors, latencies };
  const failed = { category: 'PROVIDER', code: 'http_503', message: 'Down', at };
  const state = {
    ...ids,
    last_success_at: requests > errors ? at : null,
    last_failure_at: errors > 0 ? at : null,
    recent_errors: errors > 0 ? [failed] : [],
  };
  const rows = [minute, state].map((row) => JSON.stringify([row]));
  await app.database.query('select health_record($1::jsonb, $2::jsonb)', rows);
}

/** Lets so many minutes go by, each with its look at all that is due. */
export async function pass(
  { app, clock }: Pick<HealthStory, 'app' | 'clock'>,
  minutes: number,
): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    clock.advance(MINUTE_MS);
    await app.app.services.health.evaluate(100);
  }
}

/** A fresh token, since the clock is far ahead of the old one. */
export async function healthOf({ app, connectionId }: HealthStory, id = connectionId) {
  const { connection } = await (
    await app.caller()
  ).get(HealthHistoryDocument, { connectionId: id, first: 50 });
  if (!connection) throw new Error('there is no such connection');
  return connection.health;
}

/** The edges in the order they came, as `FROM TO REASON`. */
export async function edgesOf(story: HealthStory, id = story.connectionId): Promise<string[]> {
  const { history } = await healthOf(story, id);
  return history.nodes
    .toReversed()
    .map(({ previousStatus, status, reason }) => `${previousStatus} ${status} ${reason ?? '-'}`);
}

/** What the process has seen is in the tables. */
export async function written(
  { app }: Pick<HealthStory, 'app'>,
  connectionId: string,
  requests: number,
): Promise<void> {
  const sum = 'select coalesce(sum(requests), 0)::int as n from health_minutes where connection_id = $1';
  await expect.poll(() => app.database.query(sum, [connectionId])).toEqual([{ n: requests }]);
}

/** The provider is down until the answer is called. */
export function takeDown({ github }: Pick<HealthStory, 'github'>): () => void {
  let isDown = true;
  const behave: Behavior = ({ send, perform }) =>
    send(isDown ? { status: 503, body: { message: 'Down' } } : perform());
  github.provider.next('GET /user', ...Array.from({ length: 100 }, () => behave));
  return () => void (isDown = false);
}
