import { createHmac } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  DisconnectDocument,
  ExecuteActionDocument,
  IncidentSinkDocument,
  IncidentsDocument,
  ReceiptsDocument,
  RotateDocument,
  SetCallBudgetDocument,
  SetIncidentSinkDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer, drop, hang, throttled } from './support/fake-behavior.js';
import { type FakeProvider, type FakeRequest, startFakeProvider } from './support/fake-provider.js';
import { connectGitHub } from './support/github.js';
import { type HealthStory, MINUTE_MS, beginHealth, pass, record, takeDown } from './support/health.js';

interface SinkStory extends HealthStory {
  readonly sink: FakeProvider;
  readonly secret: string;
}

async function startSink(): Promise<FakeProvider> {
  const sink = await startFakeProvider();
  onTestFinished(() => sink.close());
  sink.on('POST /hook', () => ({ status: 204 }));
  return sink;
}

async function begin(settings?: Record<string, string>): Promise<SinkStory> {
  const story = await beginHealth(settings);
  const sink = await startSink();
  const { setIncidentSink } = await story.caller.get(SetIncidentSinkDocument, { url: `${sink.url}/hook` });
  return { ...story, sink, secret: setIncidentSink.secret ?? '' };
}

const deliver = ({ app }: { readonly app: TestApp }): Promise<number> =>
  app.app.services.incidents.deliverDue(4, new AbortController().signal);

async function refuseCredential({ github, caller, connectionId, app }: HealthStory): Promise<void> {
  github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
  await caller.get(VerifyDocument, { connectionId });
  await app.app.services.health.evaluate(10);
}

/** As Standard Webhooks has it, by nothing of ours. */
function isSigned({ headers, text }: FakeRequest, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

interface Event {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, string | null>>;
}
const eventsOf = (sink: FakeProvider): Event[] => sink.requests.map(({ body }) => body as Event);

const kindsOf = async (caller: TestCaller): Promise<string[]> =>
  (await caller.get(IncidentsDocument, {})).incidents.nodes.map(
    ({ kind, resolvedAt }) => `${kind} ${resolvedAt ? 'over' : 'open'}`,
  );

describe('an incident', () => {
  it('is told to the sink, signed, when it begins and when it is over', async () => {
    const story = await begin();
    const { app, caller, clock, connectionId, github, secret, sink } = story;
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    await refuseCredential(story);
    expect(await deliver(story)).toBe(1);
    const [opened] = sink.requests as [FakeRequest];
    expect(isSigned(opened, secret)).toBe(true);
    expect(isSigned({ ...opened, text: `${opened.text} ` }, secret)).toBe(false);
    expect(Math.abs(Number(opened.headers['webhook-timestamp']) * 1000 - clock.now().getTime())).toBeLessThan(
      30_000,
    );
    expect(opened.body).toEqual({
      type: 'incident.opened',
      timestamp: expect.any(String),
      data: {
        incident_id: expect.any(String),
        scope: 'CONNECTION',
        connection_id: connectionId,
        provider_id: 'github',
        kind: 'CREDENTIALS_EXPIRED',
        status: 'OPEN',
        message: expect.stringContaining('Bad credentials'),
        opened_at: expect.any(String),
        resolved_at: null,
        ends_at: null,
      },
    });
    const credential = { token: github.token };
    await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
    await pass(story, 4);
    expect(await deliver(story)).toBe(0);
    await pass(story, 3);
    expect(await deliver(story)).toBe(1);
    const [, resolved] = sink.requests as [FakeRequest, FakeRequest];
    expect(isSigned(resolved, secret)).toBe(true);
    expect(resolved.body).toMatchObject({
      type: 'incident.resolved',
      data: {
        incident_id: eventsOf(sink)[0]?.data['incident_id'],
        status: 'RESOLVED',
        resolved_at: expect.any(String),
      },
    });
    expect(resolved.headers['webhook-id']).not.toBe(opened.headers['webhook-id']);
    expect(await kindsOf(await app.caller())).toEqual(['CREDENTIALS_EXPIRED over']);
  });

  it('is one, however often its cause comes and goes, and whoever looks', async () => {
    const story = await begin();
    const other = await useTestApp({ beside: story.app, clock: story.clock, env: story.env });
    for (let n = 0; n < 4; n += 1) {
      await record(story, story.connectionId, 6, 6);
      story.clock.advance(2 * MINUTE_MS);
      await Promise.all([story.app, other].map(({ app }) => app.services.health.evaluate(10)));
      await pass(story, 3);
    }
    expect(await deliver(story)).toBe(1);
    expect(eventsOf(story.sink)).toMatchObject([
      {
        type: 'incident.opened',
        data: { kind: 'REPEATED_FAILURE', message: expect.stringMatching(/^6 of 7 .* Down$/) },
      },
    ]);
    await pass(story, 10);
    await record(story, story.connectionId, 6, 6);
    await pass(story, 1);
    expect(await kindsOf(story.caller)).toEqual(['REPEATED_FAILURE open', 'REPEATED_FAILURE over']);
  });

  it('is made of an open circuit, of a spent budget and of a limit that is used up', async () => {
    const story = await begin();
    const { app, caller, connectionId, github, clock } = story;
    const act = (idempotencyKey: string) =>
      caller.get(ExecuteActionDocument, {
        input: {
          connectionId,
          idempotencyKey,
          waitSeconds: 1,
          action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } },
        },
      });
    const open = async (): Promise<string[]> => {
      await app.app.services.health.evaluate(10);
      return (await kindsOf(caller)).toSorted();
    };
    await caller.get(SetCallBudgetDocument, { input: { connectionId, callsPerHour: 0 } });
    await act('beyond the budget');
    await expect.poll(open).toEqual(['BUDGET_EXHAUSTED open']);
    await caller.get(SetCallBudgetDocument, { input: { connectionId } });
    github.provider.next('GET /user', answer(throttled({ retryAfter: 60 }, clock.now())));
    await caller.get(VerifyDocument, { connectionId });
    await act('in the pause');
    await expect.poll(open).toEqual(['BUDGET_EXHAUSTED open', 'LIMIT_EXHAUSTED open']);
    clock.advance(2 * MINUTE_MS);
    takeDown(story);
    await Promise.all([1, 2, 3, 4, 5].map(() => caller.ask(VerifyDocument, { connectionId })));
    await expect.poll(open).toContain('CIRCUIT_OPEN open');
  });

  it('needs nobody who asks: the jobs find it and tell of it', async () => {
    const story = await begin();
    const { app, caller, connectionId, github, sink } = story;
    await app.app.startWorking();
    github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    await caller.get(VerifyDocument, { connectionId });
    const types = () => eventsOf(sink).map(({ type }) => type);
    await expect.poll(types).toEqual(['incident.opened']);
  }, 20_000);

  it('ends with its connection', async () => {
    const story = await begin();
    await refuseCredential(story);
    await story.caller.get(DisconnectDocument, { connectionId: story.connectionId });
    await story.app.app.services.health.evaluate(10);
    expect([await deliver(story), await deliver(story)]).toEqual([1, 1]);
    expect(eventsOf(story.sink).map(({ type }) => type)).toEqual(['incident.opened', 'incident.resolved']);
  });
});

describe('a sink that is down', () => {
  it.each([
    ['answers 503', answer({ status: 503 })],
    ['redirects', answer({ status: 302, headers: { location: '/elsewhere' } })],
    ['breaks off', drop()],
    ['hangs', hang()],
  ])(
    '%s: is told again, with the same id, and later each time',
    async (_how, behavior) => {
      const story = await begin();
      const { clock, sink, secret } = story;
      sink.next('POST /hook', behavior, answer({ status: 500 }));
      await refuseCredential(story);
      expect(await deliver(story)).toBe(1);
      expect(await deliver(story)).toBe(0);
      clock.advance(6_000);
      expect(await deliver(story)).toBe(1);
      clock.advance(6_000);
      expect(await deliver(story)).toBe(0);
      clock.advance(6_000);
      expect(await deliver(story)).toBe(1);
      expect(await deliver(story)).toBe(0);
      expect(sink.requests.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook']);
      expect(new Set(sink.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(new Set(sink.requests.map(({ text }) => text)).size).toBe(1);
      expect(sink.requests.every((request) => isSigned(request, secret))).toBe(true);
    },
    20_000,
  );

  it('hears of the recovery after the incident, and of nothing that is a day old', async () => {
    const story = await begin();
    const { app, clock, github, sink, caller, connectionId } = story;
    await sink.close();
    await refuseCredential(story);
    expect(await deliver(story)).toBe(1);
    const credential = { token: github.token };
    await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
    await pass(story, 8);
    // The recovery waits behind what has not been told yet.
    expect(await deliver(story)).toBe(1);
    const select = `select attempts, last_problem is not null as has_problem, settled_at is not null as is_settled
      from incident_deliveries order by id`;
    expect(await app.database.query(select)).toEqual([
      { attempts: 2, has_problem: true, is_settled: false },
      { attempts: 0, has_problem: false, is_settled: false },
    ]);
    for (let hour = 0; hour < 27; hour += 1) {
      clock.advance(60 * MINUTE_MS);
      await deliver(story);
    }
    expect(await app.database.query(select)).toMatchObject([{ is_settled: true }, { has_problem: true }]);
  });

  it('is told again under the same id when the process ends between the answer and its note', async () => {
    const story = await begin();
    const { app, clock, sink, env } = story;
    const rename = (from: string, to: string) => app.database.query(`alter table ${from} rename to ${to}`);
    sink.next('POST /hook', async ({ perform, send }) => {
      await rename('incident_deliveries', 'out_of_reach');
      send(perform());
    });
    await refuseCredential(story);
    expect(await deliver(story)).toBe(1);
    await rename('out_of_reach', 'incident_deliveries');
    const other = await useTestApp({ beside: app, clock, env });
    // The lease of whoever died is not over yet.
    expect(await deliver({ app: other })).toBe(0);
    clock.advance(31_000);
    expect(await deliver({ app: other })).toBe(1);
    clock.advance(31_000);
    expect(await deliver({ app: other })).toBe(0);
    const ids = sink.requests.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('setIncidentSink', () => {
  it('takes public addresses only, unless the operator allows more: by number at once, by name when it is called', async () => {
    const app = await useTestApp({ env: { EGRESS_ALLOW: '' } });
    const caller = await app.caller();
    for (const url of [
      'http://127.0.0.1:9/hook',
      'http://[::1]/',
      'http://169.254.169.254/',
      'ftp://example.com/',
      'https://a:b@example.com/',
    ]) {
      const { errors } = await caller.ask(SetIncidentSinkDocument, { url });
      expect(errors[0]?.extensions.code, url).toBe('INVALID_INPUT');
    }
    const sink = await startSink();
    const url = `${sink.url.replace('127.0.0.1', 'localhost')}/hook`;
    await caller.get(SetIncidentSinkDocument, { url });
    const { connectionId } = await connectGitHub(caller);
    await record({ app, clock: createTestClock() }, connectionId, 6, 6);
    await app.app.services.health.evaluate(10);
    expect(await deliver({ app })).toBe(1);
    expect(sink.requests).toEqual([]);
    const [problem] = await app.database.query('select last_problem from incident_deliveries');
    expect(problem).toEqual({ last_problem: expect.stringContaining('EGRESS_ALLOW') });
  });

  it('shows its secret once, keeps it sealed, replaces it each time, and takes the sink away', async () => {
    const story = await begin();
    const { app, caller, sink, secret } = story;
    const { setIncidentSink: again } = await caller.get(SetIncidentSinkDocument, {
      url: `${sink.url}/hook?again`,
    });
    expect(again.secret).not.toBe(secret);
    const stored = JSON.stringify(await app.database.query('select * from incident_sinks, receipts'));
    for (const text of [secret, again.secret!]) expect(stored).not.toContain(text);
    expect((await caller.get(IncidentSinkDocument)).incidentSink).toEqual({
      url: `${sink.url}/hook?again`,
      updatedAt: expect.any(String),
    });
    await refuseCredential(story);
    await deliver(story);
    expect(sink.requests.map((request) => isSigned(request, again.secret!))).toEqual([true]);
    const { receipts } = await caller.get(ReceiptsDocument);
    expect(receipts.nodes.map(({ operation }) => operation)).toContain(
      'integration.incident_sink.tributary.set',
    );
    expect((await caller.get(SetIncidentSinkDocument, {})).setIncidentSink).toEqual({
      sink: null,
      secret: null,
    });
    expect((await caller.get(IncidentSinkDocument)).incidentSink).toBeNull();
  });

  it('tells nobody of what is another tenant’s, and is for admins', async () => {
    const story = await begin();
    const { app, sink } = story;
    const globex = await app.caller('globex');
    const theirs = await startSink();
    await globex.get(SetIncidentSinkDocument, { url: `${theirs.url}/hook` });
    await refuseCredential(story);
    expect(await deliver(story)).toBe(1);
    expect([sink.requests.length, theirs.requests.length]).toEqual([1, 0]);
    expect(await kindsOf(globex)).toEqual([]);
    const filter = { connectionId: story.connectionId };
    expect((await globex.get(IncidentsDocument, { filter })).incidents.nodes).toEqual([]);
    const writer = await app.caller('acme', 'integrations:read integrations:write');
    for (const ask of [SetIncidentSinkDocument, IncidentSinkDocument]) {
      expect((await writer.ask(ask as typeof IncidentSinkDocument)).errors[0]?.extensions.code).toBe(
        'FORBIDDEN',
      );
    }
  });
});
