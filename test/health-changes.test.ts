import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { print } from 'graphql';
import type { Client as Socket } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  HealthChangedDocument,
  type HealthChangedSubscription,
  type HealthChangedSubscriptionVariables,
} from '../schema/generated/operations.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { toCursor } from '../src/core/page.js';
import { evaluateHealth } from '../src/health/evaluate.js';
import { HealthChange } from '../src/health/health.entity.js';
import { Incident } from '../src/incident/incident.entity.js';
import { migrations } from '../src/migrations/index.js';
import { useTestApp } from './support/app.js';
import { connectGitHub } from './support/github.js';
import { type HealthStory, MINUTE_MS, beginHealth, healthOf, pass, record } from './support/health.js';

type Change = HealthChangedSubscription['healthChanged'];

function follow(client: Socket, variables: HealthChangedSubscriptionVariables = {}) {
  return client.iterate<HealthChangedSubscription>({
    query: print(HealthChangedDocument),
    variables: { ...variables },
  });
}

async function take(stream: ReturnType<typeof follow>, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the stream has ended');
    if (value.errors || !value.data) throw new Error(JSON.stringify(value.errors));
    taken.push(value.data.healthChanged);
  }
  await stream.return?.();
  return taken;
}

/** The cursors of what is in the table, in order. */
async function stored({ app }: HealthStory, tenant = 'acme'): Promise<string[]> {
  const select = 'select sequence from health_changes where tenant_id = $1 order by health_changes.sequence';
  const rows = await app.database.query<{ sequence: string }>(select, [tenant]);
  return rows.map(({ sequence }) => Buffer.from(`health:${sequence}`).toString('base64url'));
}

const words = ({ previousStatus, status, reason }: Change): string =>
  `${previousStatus} ${status} ${reason ?? '-'}`;
const cursors = (changes: readonly Change[]): string[] => changes.map(({ cursor }) => cursor);

/** Both edges, of a connection that was never called. */
async function worseAndBetter(story: HealthStory, connectionId: string, tenant = 'acme'): Promise<void> {
  await record(story, connectionId, 10, 2, tenant);
  await pass(story, 1);
  await record(story, connectionId, 90, 0, tenant);
  await pass(story, 6);
}
const BOTH = ['UNKNOWN DEGRADED ERRORS', 'DEGRADED HEALTHY -'];

describe('healthChanged', () => {
  it('tells of both edges once and in order, in every process, live and after the fact', async () => {
    const story = await beginHealth();
    const other = await useTestApp({ beside: story.app, clock: story.clock, env: story.env });
    await pass(story, 1);
    const { connectionId } = await connectGitHub(story.caller);
    const callers = [story.caller, await other.caller()];
    const [start] = await stored(story);
    const live = callers.map((caller) => take(follow(caller.socket(), { connectionId, after: start! }), 2));
    await worseAndBetter(story, connectionId);
    for (const changes of await Promise.all(live)) {
      expect(changes.map(words)).toEqual(BOTH);
      expect(changes.map(({ connection }) => connection.id)).toEqual([connectionId, connectionId]);
    }
    const all = await stored(story);
    for (const caller of callers) {
      const resumed = await take(follow(caller.socket(), { after: start! }), all.length - 1);
      expect(cursors(resumed)).toEqual(all.slice(1));
    }
    const { history } = await healthOf(story, connectionId);
    expect(history.nodes.map(({ cursor }) => cursor)).toEqual(
      (await take(follow(story.caller.socket(), { after: start!, connectionId }), 2))
        .map(({ cursor }) => cursor)
        .toReversed(),
    );
  });

  it('loses and doubles nothing when processes look at the same time, wherever their readers are cut', async () => {
    const story = await beginHealth();
    const other = await useTestApp({ beside: story.app, clock: story.clock, env: story.env });
    const services = [story.app, other].map(({ app }) => app.services.health);
    await pass(story, 1);
    const [start] = await stored(story);
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await connectGitHub(story.caller)).connectionId),
    );
    const plan = fc.array(
      fc.tuple(fc.constantFrom(...ids), fc.constantFrom(0, 2, 8), fc.integer({ min: 1, max: 40 })),
      { minLength: 3, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(plan, async (steps) => {
        for (const [id, errors, minutes] of steps) {
          await record(story, id, 10, errors);
          story.clock.advance(minutes * MINUTE_MS);
          await Promise.all([...services, ...services].map((service) => service.evaluate(2)));
        }
      }),
      { numRuns: 4 },
    );
    const all = (await stored(story)).slice(1);
    const reader = await other.caller();
    const seen: Change[] = [];
    while (seen.length < all.length) {
      const rest = Math.min(3, all.length - seen.length);
      seen.push(...(await take(follow(reader.socket(), { after: seen.at(-1)?.cursor ?? start! }), rest)));
    }
    expect(cursors(seen)).toEqual(all);
    // Each edge begins where the one before it ended: none was written twice, and none is missing.
    for (const id of ids) {
      const edges = seen.filter(({ connection }) => connection.id === id);
      const statuses = ['UNKNOWN', ...edges.map(({ status }) => status)];
      expect(edges.map(({ previousStatus }) => previousStatus)).toEqual(statuses.slice(0, -1));
    }
  }, 30_000);

  it('shows a tenant nothing of another: no change, no history, no place in the order', async () => {
    const story = await beginHealth();
    const tenant = `tenant-${randomUUID()}`;
    const theirs = await story.app.caller(tenant);
    const { connectionId } = await connectGitHub(theirs);
    await pass(story, 1);
    await worseAndBetter(story, connectionId, tenant);
    const [start] = await stored(story);
    const fresh = await story.app.caller();
    const [place] = await stored(story, tenant);
    const foreign = follow(fresh.socket(), { after: place! });
    expect((await foreign.next()).value.errors?.[0]?.extensions['code']).toBe('INVALID_CURSOR');
    const mine = take(follow(fresh.socket(), { after: start! }), 1);
    await record(story, story.connectionId, 90, 60);
    await pass(story, 5);
    expect((await mine).map(({ connection }) => connection.id)).toEqual([story.connectionId]);
    await expect(healthOf(story, connectionId)).rejects.toThrow('NOT_FOUND');
    expect(await stored(story, tenant)).toHaveLength(2);
  });

  it('keeps an edge until the next one of the tenant is thirty days old', async () => {
    const story = await beginHealth();
    await pass(story, 1);
    const [first] = await stored(story);
    const { connectionId } = await connectGitHub(story.caller);
    await record(story, connectionId, 10, 2);
    await pass(story, 1);
    await story.app.database.query(`update health_changes set occurred_at = now() - interval '31 days'`);
    await record(story, connectionId, 90, 0);
    await pass(story, 6);
    const kept = await stored(story);
    expect(kept).toHaveLength(2);
    expect(kept).not.toContain(first);
    // Whoever has seen the last that went has missed nothing.
    expect(cursors(await take(follow(story.caller.socket(), { after: first! }), 2))).toEqual(kept);
    const { value } = await follow(story.caller.socket(), { after: toCursor('health', '0') }).next();
    expect(value.errors?.[0]?.extensions).toEqual({
      code: 'CURSOR_EXPIRED',
      details: { oldest_cursor: first },
    });
  });

  it('needs the scope to read', async () => {
    const story = await beginHealth();
    const writer = await story.app.caller('acme', 'integrations:write');
    const refused = await follow(writer.socket()).next();
    expect(refused.value.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });

  it('says no word of a look that was overtaken', async () => {
    const story = await beginHealth();
    const { app, clock, connectionId } = story;
    await pass(story, 1);
    await record(story, connectionId, 20, 19);
    clock.advance(6 * MINUTE_MS);
    const log = createLog('silent');
    const db = await openDb({ url: app.database.url, entities: [HealthChange, Incident], migrations, log });
    onTestFinished(() => db.close());
    // Another process takes the connection up between this one's claim and what it writes.
    const doors = {
      async query(sql: string, values: unknown[]) {
        const claimed = await db.doors.query(sql, values);
        await app.database.query('update connection_health set fence = fence + 1');
        return claimed;
      },
    } as unknown as Db['doors'];
    const deps = { db: { ...db, doors }, clock, log, metrics: createMetrics() };
    expect(await evaluateHealth(deps, 1)).toBe(1);
    expect(await stored(story)).toHaveLength(1);
    const incidents = 'select count(*)::int as n from incidents';
    expect(await app.database.query(incidents)).toEqual([{ n: 0 }]);
    await pass(story, 1);
    expect(await stored(story)).toHaveLength(2);
  });
});
