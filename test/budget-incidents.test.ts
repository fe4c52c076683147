import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  IncidentsDocument,
  PollingDocument,
  PollNowDocument,
  SetCallBudgetDocument,
  type SetCallBudgetInput,
  SetIncidentSinkDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { startFakeGitHub } from './support/fake-github.js';
import { type FakeProvider, startFakeProvider } from './support/fake-provider.js';
import { HOUR, MINUTE } from './support/polling.js';

interface Story {
  readonly app: TestApp;
  readonly other: TestApp;
  readonly clock: TestClock;
  readonly tenant: string;
  readonly connectionId: string;
  readonly sink: FakeProvider;
  /** What both have logged as a warning. */
  readonly lines: readonly string[];
}

/** Two processes on one database and one Redis, a tenant with a connection that works, and its sink. */
async function begin(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  const sink = await startFakeProvider();
  onTestFinished(async () => void (await Promise.all([github.provider.close(), sink.close()])));
  sink.on('POST /hook', () => ({ status: 204 }));
  const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url, REDIS_URL: inject('redisUrl') };
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const app = await useTestApp({ clock, env, log });
  const other = await useTestApp({ clock, env, log, beside: app });
  const tenant = randomUUID();
  const caller = await app.caller(tenant);
  await caller.get(SetIncidentSinkDocument, { url: `${sink.url}/hook` });
  const credential = { token: github.token };
  const settings = { repositories: ['octo/demo'] };
  const { connect } = await caller.get(ConnectDocument, {
    input: { providerId: 'github', name: 'spending', authMethod: 'BEARER', credential, settings },
  });
  const connectionId = connect.connection.id;
  await caller.get(VerifyDocument, { connectionId });
  return { app, other, clock, tenant, connectionId, sink, lines };
}

const callerOf = ({ app, tenant }: Story) => app.caller(tenant);

async function setBudget(story: Story, input: SetCallBudgetInput): Promise<void> {
  await (await callerOf(story)).get(SetCallBudgetDocument, { input });
}

/** So many calls to the provider, half of them by each process. */
async function call(story: Story, times: number): Promise<void> {
  const { app, other, tenant, connectionId } = story;
  const callers = await Promise.all([app, other].map((one) => one.caller(tenant)));
  for (let n = 0; n < times; n++) await callers[n % 2]!.get(VerifyDocument, { connectionId });
}

async function incidentsOf(story: Story) {
  return (await (await callerOf(story)).get(IncidentsDocument, { first: 20 })).incidents.nodes;
}

async function untilOne(story: Story, incident: object): Promise<void> {
  await expect.poll(() => incidentsOf(story)).toMatchObject([incident]);
}

async function settle({ app, other }: Story): Promise<void> {
  const stop = new AbortController().signal;
  for (const { app: one } of [app, other]) await one.services.incidents.settleBudgets(10);
  await Promise.all([app, other].map(({ app: one }) => one.services.incidents.deliverDue(4, stop)));
}

const toldTo = ({ sink }: Story) =>
  sink.requests.map(({ body }) => body as { type: string; data: Record<string, unknown> });

describe('a spent budget', () => {
  it.each([
    ['TENANT', 'callsPerHour', HOUR],
    ['PROVIDER', 'callsPerDay', 24 * HOUR],
    ['CONNECTION', 'callsPerHour', HOUR],
  ] as const)(
    'of a %s (%s) is one incident in each of its windows, whoever meets it, and over when that turns',
    async (scope, field, span) => {
      const story = await begin();
      const { clock, connectionId } = story;
      const subject = {
        TENANT: {},
        PROVIDER: { providerId: 'github' },
        CONNECTION: { connectionId },
      }[scope];
      await setBudget(story, { ...subject, [field]: 4 });
      // Another process goes by what was set before for some seconds; it has not asked yet.
      await call(story, 4);
      await settle(story);
      expect(await incidentsOf(story)).toEqual([]);
      await call(story, 6);
      const about = {
        kind: 'BUDGET_EXHAUSTED',
        scope,
        providerId: scope === 'TENANT' ? null : 'github',
        connection: scope === 'CONNECTION' ? { id: connectionId } : null,
        resolvedAt: null,
      };
      await untilOne(story, about);
      const [{ endsAt, message } = { endsAt: null, message: '' }] = await incidentsOf(story);
      expect(message).toContain('budget of 4 calls');
      expect(Math.abs(Date.parse(endsAt!) - clock.now().getTime() - span)).toBeLessThan(MINUTE);
      await settle(story);
      expect(toldTo(story)).toMatchObject([
        {
          type: 'incident.opened',
          data: { scope, ends_at: endsAt, connection_id: about.connection?.id ?? null },
        },
      ]);

      clock.advance(span + MINUTE);
      await settle(story);
      expect((await incidentsOf(story)).map(({ resolvedAt }) => resolvedAt !== null)).toEqual([true]);
      expect(toldTo(story).map(({ type }) => type)).toEqual(['incident.opened', 'incident.resolved']);
      await call(story, 2);
      await expect.poll(async () => (await incidentsOf(story)).length).toBe(2);
      await settle(story);
      expect(toldTo(story)).toHaveLength(3);
      const metrics = await Promise.all(
        [story.app, story.other].map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
      );
      const opened =
        /^tributary_incidents_total\{provider="(?:github)?",kind="BUDGET_EXHAUSTED",state="OPEN"\} (\d)$/m;
      expect(metrics.reduce((sum, text) => sum + Number(opened.exec(text)?.[1] ?? 0), 0)).toBe(2);
    },
    20_000,
  );

  it('is told beside others that are spent too, and is over when it is raised', async () => {
    const story = await begin();
    await setBudget(story, { callsPerDay: 0 });
    await setBudget(story, { connectionId: story.connectionId, callsPerHour: 0, callsPerDay: 0 });
    await call(story, 2);
    const open = async () =>
      (await incidentsOf(story))
        .filter(({ resolvedAt }) => resolvedAt === null)
        .map(({ scope }) => scope)
        .toSorted();
    await expect.poll(open).toEqual(['CONNECTION', 'CONNECTION', 'TENANT']);
    await setBudget(story, { connectionId: story.connectionId, callsPerHour: 5 });
    await settle(story);
    expect(await open()).toEqual(['TENANT']);
  });

  it('has polls wait for the next window, which is no failure of theirs', async () => {
    const story = await begin();
    const { app, connectionId } = story;
    await app.app.services.polls.enroll();
    await setBudget(story, { connectionId, callsPerHour: 0 });
    const caller = await callerOf(story);
    await caller.get(PollNowDocument, { connectionId });
    story.clock.advance(1_000);
    await app.app.services.polls.runDue(10);
    await untilOne(story, { scope: 'CONNECTION' });
    const [{ endsAt } = { endsAt: null }] = await incidentsOf(story);
    const { connection } = await caller.get(PollingDocument, { connectionId });
    for (const { nextAt, failure } of connection!.polling!.streams) {
      expect(failure).toMatchObject({ category: 'BUDGET', code: 'budget_spent' });
      expect(Math.abs(Date.parse(nextAt!) - Date.parse(endsAt!))).toBeLessThan(MINUTE);
    }
    const failures = await app.database.query('select distinct failures from poll_streams');
    expect(failures).toEqual([{ failures: 0 }]);
  });

  it('is told once the database is there again', async () => {
    const story = await begin();
    const { database } = story.app;
    await setBudget(story, { callsPerHour: 0 });
    await database.query('alter table incidents rename to out_of_reach');
    await call(story, 2);
    const isKept = (line: string) => line.includes('a spent budget is not written');
    await expect.poll(() => story.lines.filter(isKept).length).toBeGreaterThan(1);
    await database.query('alter table out_of_reach rename to incidents');
    await untilOne(story, { scope: 'TENANT' });
  });
});
