import { describe, expect, it } from 'vitest';
import {
  ConnectDocument,
  PollNowDocument,
  PollingDocument,
  ResumeDocument,
  RotateDocument,
  SetPollingDocument,
  SuspendDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { githubError } from './support/fake-github.js';
import { toIssue, toPull, user } from './support/fake-github-answers.js';
import type { FakeRequest } from './support/fake-provider.js';
import { githubDelivery, post } from './support/github.js';
import {
  DAY,
  HOUR,
  MINUTE,
  STREAMS,
  type PollStory,
  connectPolled,
  countSignals,
  endLeases,
  hold,
  isListOf,
  normally,
  poll,
  pollAll,
  pollStory,
  pollingOf,
  rowOf,
  setPolling,
  signalsOf,
  streamOf,
} from './support/polling.js';

const ISSUES = 'issues:octo/demo';
const COMMENTS = 'comments:octo/demo';

/** The body of a webhook about an issue as the fake has it now. */
async function deliver(story: PollStory, action: string, number: number) {
  const issue = story.github.octo.issues[number - 1]!;
  const repository = { id: 1, full_name: 'octo/demo' };
  const event = issue.pull ? 'pull_request' : 'issues';
  const thing = issue.pull ? { pull_request: toPull(issue, issue.pull) } : { issue: toIssue(issue) };
  const body = { action, ...thing, repository, sender: user };
  return post(story.url, await githubDelivery(event, body, story.secret));
}

describe('a poll', () => {
  it('finds what was opened, said, merged and closed, and nothing a second time', async () => {
    const story = await pollStory();
    const { octo } = story.github;
    expect(await pollAll(story)).toBe(STREAMS.length);
    // What was there right before the connection, for the overlap.
    expect((await signalsOf(story)).map(({ type }) => type).toSorted()).toEqual([
      'issue_created',
      'pr_opened',
      'pr_opened',
    ]);

    const [issue, pull] = octo.issues;
    story.clock.advance(10 * MINUTE);
    octo.addComment(issue!, 'Me too.');
    octo.addComment(pull!, 'Looks good.');
    octo.merge(pull!);
    octo.close(issue!);
    await pollAll(story);
    const found = (await signalsOf(story)).slice(3);
    expect(found.map(({ type }) => type).toSorted()).toEqual([
      'issue_closed',
      'issue_commented',
      'pr_commented',
      'pr_merged',
    ]);
    const merged = found.find(({ type }) => type === 'pr_merged');
    expect(merged?.resource).toMatchObject({ repository: 'octo/demo', prId: '2' });
    await pollAll(story);
    await poll(story, DAY);
    expect(await signalsOf(story)).toHaveLength(7);
    const stored = await story.app.database.query('select via, content_type from deliveries');
    expect(stored).toEqual(
      Array.from({ length: 7 }, () => ({ via: 'POLLING', content_type: 'application/json' })),
    );
  });

  it('and a webhook tell of one thing by one signal, whichever comes first', async () => {
    const story = await pollStory();
    await pollAll(story);
    story.clock.advance(10 * MINUTE);
    for (const title of ['Told first', 'Polled first']) story.github.octo.addIssue({ title });
    const first = await deliver(story, 'opened', 4);
    await pollAll(story);
    const second = await deliver(story, 'opened', 5);
    expect([first.status, second.status]).toEqual([202, 202]);
    const found = (await signalsOf(story)).slice(3);
    expect(found.map(({ id }) => [id])).toEqual([first.body.signals, second.body.signals]);
    // The webhook's copy left the poll's nothing to store.
    const [row] = await story.app.database.query(
      `select count(*) filter (where via = 'POLLING')::int as polled, count(*)::int as "all" from deliveries`,
    );
    expect(row).toEqual({ polled: 4, all: 6 });
    story.github.octo.merge(story.github.octo.issues[1]!);
    const merged = await deliver(story, 'closed', 2);
    await pollAll(story);
    expect((await signalsOf(story)).at(-1)).toMatchObject({
      id: merged.body.signals?.[0],
      type: 'pr_merged',
    });
    expect(await countSignals(story, 'pr_merged')).toBe(1);
  });

  it('goes on behind the last page that was stored', async () => {
    const before: NonNullable<Parameters<typeof pollStory>[0]>['before'] = ({ octo }) => {
      for (let n = 0; n < 250; n++) octo.addIssue({ title: `Number ${n}` });
    };
    const story = await pollStory({ before });
    story.github.provider.next(isListOf('issues'), normally, answer(githubError(422)));
    await pollAll(story);
    expect(await streamOf(story, ISSUES)).toMatchObject({
      failure: { category: 'INVALID' },
      lastPolledAt: null,
    });
    const afterOne = await countSignals(story, 'issue_created');
    expect(afterOne).toBeGreaterThan(90);
    expect(afterOne).toBeLessThanOrEqual(100);

    await pollAll(story);
    expect(await countSignals(story, 'issue_created')).toBe(251);
    const [first, refused, again] = story.github.provider.requests.filter(isListOf('issues'));
    expect(again?.query).toEqual(refused?.query);
    expect(again?.query).not.toEqual(first?.query);
    expect(await streamOf(story, ISSUES)).toMatchObject({ failure: null });
  });

  it('moves its cursor with its signals or not at all', async () => {
    const story = await pollStory();
    await pollAll(story);
    story.clock.advance(10 * MINUTE);
    const { cursor } = await rowOf(story, ISSUES);
    story.github.octo.addIssue({ title: 'Refused' });
    await story.app.database.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
      create trigger refuse before insert on signals for each row execute function refuse();`);
    await pollAll(story);
    expect(await rowOf(story, ISSUES)).toMatchObject({ cursor, failures: 1 });
    expect(await streamOf(story, ISSUES)).toMatchObject({
      failure: { category: 'UNKNOWN', code: 'poll_broke_off' },
    });

    await story.app.database.query('drop trigger refuse on signals');
    await pollAll(story);
    expect((await signalsOf(story)).at(-1)).toMatchObject({ type: 'issue_created' });
    expect((await rowOf(story, ISSUES)).cursor).not.toEqual(cursor);
  });

  it.each([
    ['an answer', normally],
    ['a failure', answer(githubError(422))],
  ])('is made by one process at a time; one that was taken over can’t write for %s', async (_, then) => {
    const story = await pollStory();
    const other = await useTestApp({
      beside: story.app,
      clock: story.clock,
      env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: story.github.provider.url },
    });
    await pollAll(story);
    story.clock.advance(10 * MINUTE);
    story.github.octo.addIssue({ title: 'Found by one' });

    const held = hold(then);
    story.github.provider.next(isListOf('issues'), held.behavior);
    const late = pollAll(story);
    await held.waits;
    expect(await other.app.services.polls.runDue(10)).toBe(0);
    await endLeases(story);
    await story.caller.get(PollNowDocument, { connectionId: story.connectionId });
    expect(await other.app.services.polls.runDue(10)).toBeGreaterThan(0);
    const settled = await rowOf(story, ISSUES);
    expect(await countSignals(story, 'issue_created')).toBe(2);

    story.github.octo.addIssue({ title: 'Seen by the late one only' });
    held.release();
    await late;
    expect(await rowOf(story, ISSUES)).toEqual(settled);
    expect(await countSignals(story, 'issue_created')).toBe(2);
    await pollAll(story);
    expect(await countSignals(story, 'issue_created')).toBe(3);
  });

  it('loses nothing when our clock jumps, forwards or backwards', async () => {
    const [clock, theirs] = [createTestClock(), createTestClock()];
    const story = await pollStory({ clock, theirs });
    await pollAll(story);
    for (const jump of [3 * HOUR, -9 * HOUR, 6 * HOUR]) {
      clock.advance(jump);
      theirs.advance(10 * MINUTE);
      story.github.octo.addIssue({ title: `After ${jump}` });
      await pollAll(story);
    }
    expect(await countSignals(story, 'issue_created')).toBe(4);
  });
});

describe('the interval of a stream', () => {
  it('is stretched while nothing is found and shortened when something is, within the tenant’s bounds', async () => {
    const story = await pollStory();
    await setPolling(story, { minSeconds: 200, maxSeconds: 1_000 });
    const intervalAfter = async (ms: number) => {
      await poll(story, ms);
      return (await streamOf(story, COMMENTS)).intervalSeconds;
    };
    expect(await intervalAfter(HOUR)).toBe(450);
    expect(await intervalAfter(HOUR)).toBe(675);
    expect(await intervalAfter(HOUR)).toBe(1_000);
    expect(await intervalAfter(0)).toBe(1_000);
    story.github.octo.addComment(story.github.octo.issues[0]!, 'At last.');
    expect(await intervalAfter(HOUR)).toBe(500);
    story.github.octo.addComment(story.github.octo.issues[0]!, 'And again.');
    expect(await intervalAfter(HOUR)).toBe(250);
    const { nextAt, lagSeconds } = await streamOf(story, COMMENTS);
    const inMs = Date.parse(nextAt!) - story.clock.now().getTime();
    expect(inMs).toBeGreaterThan(0);
    expect(inMs).toBeLessThanOrEqual(250_000);
    expect(lagSeconds).toBeLessThan(60);
  });

  it('waits for as long as a limit says, and that is no failure', async () => {
    const story = await pollStory();
    const until = new Date(Math.ceil((story.clock.now().getTime() + 40 * MINUTE) / 1000) * 1000);
    const headers = { 'retry-after': until.toUTCString() };
    const refusal = { ...githubError(403, 'You have exceeded a secondary rate limit.'), headers };
    // As many as are sent before the first answer tells to wait; which that are is a matter of moments.
    const isLimited = (): boolean => story.clock.now() < until;
    story.github.provider.next(isLimited, ...STREAMS.map(() => answer(refusal)));
    await pollAll(story);
    expect(await streamOf(story, ISSUES)).toMatchObject({
      nextAt: until.toISOString(),
      failure: { category: 'RATE_LIMIT', retryAt: until.toISOString() },
    });
    expect((await rowOf(story, ISSUES)).failures).toBe(0);
    expect(await poll(story, 39 * MINUTE)).toBe(0);
    expect(await poll(story, 2 * MINUTE)).toBe(STREAMS.length);
    expect(await streamOf(story, ISSUES)).toMatchObject({ failure: null });
  });

  it('doubles with every failure up to the longest, and is as before after a success', async () => {
    const story = await pollStory();
    const refused = answer(githubError(422));
    story.github.provider.next(isListOf('issues'), refused, refused, refused, refused);
    const waits: number[] = [];
    for (let failures = 1; failures <= 4; failures++) {
      await poll(story, HOUR);
      const { nextAt } = await streamOf(story, ISSUES);
      waits.push(Math.round((Date.parse(nextAt!) - story.clock.now().getTime()) / 1000));
    }
    expect(waits.map((seconds) => Math.round(seconds / 10) * 10)).toEqual([600, 1_200, 2_400, 3_600]);
    await poll(story, HOUR);
    expect(await rowOf(story, ISSUES)).toMatchObject({ failures: 0, interval_seconds: 150 });
  });
});

describe('a backfill', () => {
  const old = {
    before: (github: PollStory['github'], theirs: PollStory['clock']) => {
      for (let n = 0; n < 150; n++) github.octo.addIssue({ title: `Old ${n}` });
      theirs.advance(3 * DAY);
    },
  };

  it('finds what is older than the connection, resumes where it broke off, and leaves the live cursor alone', async () => {
    const story = await pollStory(old);
    await pollAll(story);
    expect(await signalsOf(story)).toEqual([]);
    const live = await rowOf(story, ISSUES);

    const since = new Date(story.clock.now().getTime() - 5 * DAY);
    const isBackfill = isListOf('issues');
    await story.caller.get(PollNowDocument, {
      connectionId: story.connectionId,
      backfillSince: since.toISOString(),
    });
    // The live poll comes first, and finds nothing; the backfill breaks off on its second page.
    story.github.provider.next(
      (request) => isBackfill(request) && Number(request.query['page']) > 1,
      answer(githubError(422)),
    );
    await poll(story);
    const broken = await streamOf(story, ISSUES);
    expect(broken.backfill).toMatchObject({ status: 'RUNNING', failure: { code: 'validation_failed' } });
    // A page of a hundred, less the two pull requests that are in the list as well.
    expect(await countSignals(story, 'issue_created')).toBe(98);
    expect(broken.backfill?.progress).toBeGreaterThan(0);
    expect(broken.backfill?.progress).toBeLessThan(1);

    // Asked again it goes on.
    const asked = story.github.provider.requests.length;
    await pollAll(story, since);
    expect(await countSignals(story, 'issue_created')).toBe(151);
    const isSecond = (request: FakeRequest) => isBackfill(request) && Number(request.query['page']) > 1;
    const refused = story.github.provider.requests.slice(0, asked).find(isSecond);
    const again = story.github.provider.requests.slice(asked).find(isSecond);
    expect(again?.query).toEqual(refused?.query);
    for (const { backfill } of (await pollingOf(story))!.streams) {
      expect(backfill).toMatchObject({
        since: since.toISOString(),
        status: 'DONE',
        progress: 1,
        failure: null,
      });
    }
    expect((await streamOf(story, ISSUES)).backfill?.found).toBe(151);
    expect((await rowOf(story, ISSUES)).cursor).toEqual(live.cursor);
    expect((await pollingOf(story))?.gaps).toBe(0);
    expect(await poll(story)).toBe(0);
  });

  it('comes behind the live polls, in the lane that leaves the others room', async () => {
    const story = await pollStory(old);
    await story.caller.get(PollNowDocument, {
      connectionId: story.connectionId,
      backfillSince: new Date(story.clock.now().getTime() - 5 * DAY).toISOString(),
    });
    const { polls } = story.app.app.services;
    await polls.runDue(1, AbortSignal.timeout(1));
    const rows = await story.app.database.query<{ mode: string; fence: string }>(
      'select mode, max(fence)::text as fence from poll_streams group by mode order by mode',
    );
    expect(rows).toEqual([
      { mode: 'BACKFILL', fence: '0' },
      { mode: 'LIVE', fence: '1' },
    ]);
    while ((await polls.runDue(10)) > 0);
    const used = await story.app.database.query(
      `select distinct purpose from secret_accesses where purpose <> 'verify' order by purpose`,
    );
    expect(used).toEqual([{ purpose: 'backfill' }, { purpose: 'poll' }]);
  });
});

describe('the gap detector', () => {
  it('counts what a poll found and no webhook told of in time', async () => {
    const story = await pollStory();
    await pollAll(story);
    const { octo } = story.github;
    for (const title of ['Told before', 'Told in time', 'Told too late', 'Never told'])
      octo.addIssue({ title });
    await deliver(story, 'opened', 4);
    await pollAll(story);
    await deliver(story, 'opened', 5);
    expect((await pollingOf(story))?.gaps).toBe(0);
    story.clock.advance(6 * MINUTE);
    await deliver(story, 'opened', 6);
    await pollAll(story);
    expect((await pollingOf(story))?.gaps).toBe(2);
    await pollAll(story);
    expect((await pollingOf(story))?.gaps).toBe(2);
    const metrics = await (await fetch(`${story.app.url}/metrics`)).text();
    expect(metrics).toMatch(/^tributary_poll_gaps_total\{provider="github"\} 2$/m);
  });

  it('counts nothing where there are no webhooks', async () => {
    const story = await pollStory();
    await story.app.database.query(`update connections set capabilities = '{POLLING}'`);
    await pollAll(story);
    story.github.octo.addIssue({ title: 'Only polled' });
    await pollAll(story);
    await poll(story, HOUR);
    expect((await pollingOf(story))?.gaps).toBe(0);
    expect(await story.app.database.query('select * from poll_findings')).toEqual([]);
  });
});

describe('a connection that is not ACTIVE', () => {
  it('is not polled until it is again, and goes on from where it was', async () => {
    const story = await pollStory();
    await pollAll(story);
    const { cursor } = await rowOf(story, ISSUES);
    await story.caller.get(SuspendDocument, { connectionId: story.connectionId });
    story.github.octo.addIssue({ title: 'While suspended' });
    const asked = story.github.provider.requests.length;
    expect(await poll(story, DAY)).toBe(0);
    expect(story.github.provider.requests).toHaveLength(asked);
    expect((await streamOf(story, ISSUES)).nextAt).toBeNull();

    await story.caller.get(ResumeDocument, { connectionId: story.connectionId });
    expect((await rowOf(story, ISSUES)).cursor).toEqual(cursor);
    expect(await poll(story)).toBe(STREAMS.length);
    expect(await countSignals(story, 'issue_created')).toBe(2);
  });

  it('writes nothing more of a poll that is under way', async () => {
    const story = await pollStory();
    const held = hold();
    story.github.provider.next(isListOf('issues'), held.behavior);
    const under = pollAll(story);
    await held.waits;
    await story.caller.get(SuspendDocument, { connectionId: story.connectionId });
    held.release();
    await under;
    expect(await countSignals(story, 'issue_created')).toBe(0);
    expect((await rowOf(story, ISSUES)).cursor).toBeNull();
  });
});

describe('polling of a connection', () => {
  it('begins by itself, spread over its first interval, and keeps its cursors whatever changes', async () => {
    const story = await pollStory();
    const { polls } = story.app.app.services;
    const polling = await pollingOf(story);
    expect(polling).toMatchObject({ isOn: true, minSeconds: 60, maxSeconds: 3_600, gaps: 0 });
    expect(polling?.streams.map(({ name }) => name)).toEqual(STREAMS);
    const due = polling!.streams.map(({ nextAt }) => Date.parse(nextAt!) - story.clock.now().getTime());
    expect(new Set(due).size).toBe(STREAMS.length);
    for (const ms of due) expect(ms).toBeLessThanOrEqual(300_000);
    await pollAll(story);
    const before = await rowOf(story, ISSUES);

    await story.caller.get(RotateDocument, {
      input: {
        connectionId: story.connectionId,
        what: 'CREDENTIAL',
        credential: { token: story.github.token },
      },
    });
    await story.app.database.query(`update pollings set connector_version = '0.0.1'`);
    expect(await polls.enroll()).toBe(1);
    expect(await polls.enroll()).toBe(0);
    expect(await rowOf(story, ISSUES)).toEqual(before);
    await story.app.database.query(
      `update connections set settings = '{}', updated_at = now() + interval '1 hour'`,
    );
    await polls.enroll();
    expect(await rowOf(story, ISSUES)).toEqual({ ...before, due_at: null });
  });

  it('can be switched off, and on again', async () => {
    const story = await pollStory();
    await setPolling(story, { isOn: false });
    expect(await poll(story, DAY)).toBe(0);
    await setPolling(story, { isOn: true });
    expect(await poll(story)).toBe(STREAMS.length);
    const [receipt] = await story.app.database.query(
      `select result from receipts where operation like '%set_polling'`,
    );
    expect(receipt).toEqual({ result: { is_on: false, min_seconds: 60, max_seconds: 3_600 } });
  });

  it('refuses what can’t be', async () => {
    const story = await pollStory();
    const { caller, connectionId, github } = story;
    const stranger = await story.app.caller('globex');
    const codeOf = async (asked: ReturnType<typeof caller.ask>) => (await asked).errors[0]?.extensions.code;
    const input = { connectionId, isOn: false };
    expect(await codeOf(stranger.ask(PollNowDocument, { connectionId }))).toBe('NOT_FOUND');
    expect(await codeOf(stranger.ask(SetPollingDocument, { input }))).toBe('NOT_FOUND');
    expect(await codeOf(stranger.ask(PollingDocument, { connectionId }))).toBe('NOT_FOUND');
    const reader = await story.app.caller('acme', 'integrations:read');
    expect(await codeOf(reader.ask(SetPollingDocument, { input }))).toBe('FORBIDDEN');
    for (const wrong of [{ minSeconds: 29 }, { maxSeconds: 90_000 }, { minSeconds: 500, maxSeconds: 400 }]) {
      expect(await codeOf(caller.ask(SetPollingDocument, { input: { connectionId, ...wrong } }))).toBe(
        'INVALID_INPUT',
      );
    }
    const later = new Date(story.clock.now().getTime() + HOUR).toISOString();
    expect(await codeOf(caller.ask(PollNowDocument, { connectionId, backfillSince: later }))).toBe(
      'INVALID_INPUT',
    );
    expect(await pollingOf(story)).toMatchObject({ isOn: true, minSeconds: 60, maxSeconds: 3_600 });

    const other = await story.app.caller('initech');
    const empty = await connectPolled(other, github, []);
    expect(await codeOf(other.ask(PollNowDocument, { connectionId: empty.connectionId }))).toBe(
      'CONNECTION_NOT_READY',
    );
    await other.get(VerifyDocument, { connectionId: empty.connectionId });
    expect(await codeOf(other.ask(PollNowDocument, { connectionId: empty.connectionId }))).toBe(
      'UNSUPPORTED',
    );
    const deaf = {
      providerId: 'github',
      name: 'deaf',
      authMethod: 'BEARER',
      capabilities: ['WEBHOOK'],
    } as const;
    const { connect } = await other.get(ConnectDocument, {
      input: { ...deaf, capabilities: ['WEBHOOK'], credential: { token: github.token } },
    });
    const { id } = connect.connection;
    expect(await codeOf(other.ask(PollNowDocument, { connectionId: id }))).toBe('UNSUPPORTED');
    expect((await other.get(PollingDocument, { connectionId: id })).connection?.polling).toBeNull();
  });
});
