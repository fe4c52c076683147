import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  DeadLettersDocument,
  ExecuteActionDocument,
  type ExecuteActionInput,
  RedriveDocument,
  SignalsDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { LEASE_MS } from '../src/action/settle.js';
import { connectors } from '../connectors/index.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer, loseAnswer } from './support/fake-behavior.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import type { Hook } from './support/github.js';
import { type Mendable, connectExample, createMendable, failFor, sendIssue } from './support/mendable.js';

const ISSUES = 'POST /v1/projects/{project}/issues';
const COMMENTS = 'POST /v1/projects/{project}/issues/{issue}/comments';
const refused = answer({ status: 422, body: { error: { message: 'No such label' } } });
const unavailable = answer({ status: 503, body: { error: { message: 'down' } } });
const createIssue = { createIssue: { project: 'DEMO', title: 'It drips' } };
const addComment = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'On it.' } };

interface Story {
  readonly app: TestApp;
  readonly caller: TestCaller;
  readonly clock: TestClock;
  readonly mendable: Mendable;
  readonly provider: FakeExample['provider'];
  readonly hook: Hook;
  /** A second process. */
  beside(): Promise<TestCaller>;
}

/** A connection to a fake Example that works both ways. */
async function story(): Promise<Story> {
  const [clock, mendable] = [createTestClock(), createMendable()];
  const { provider, token } = await startFakeExample(clock);
  onTestFinished(() => provider.close());
  const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url };
  const options = { clock, env, connectors: [...connectors, mendable.connector] };
  const app = await useTestApp(options);
  const caller = await app.caller();
  const hook = await connectExample(caller, token);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  const beside = async () => (await useTestApp({ ...options, beside: app })).caller();
  return { app, caller, clock, mendable, provider, hook, beside };
}

async function letters(caller: TestCaller, variables: object = {}) {
  return (await caller.get(DeadLettersDocument, variables)).deadLetters.nodes;
}

async function redrive(caller: TestCaller, input: object) {
  return (await caller.get(RedriveDocument, { input })).redrive;
}

async function execute(
  { caller, hook }: Story,
  action: ExecuteActionInput['action'],
  key: string = randomUUID(),
) {
  const input = { connectionId: hook.connectionId, idempotencyKey: key, action };
  return (await caller.get(ExecuteActionDocument, { input })).executeAction;
}

async function receiptsOf({ app }: Story, operation: string): Promise<object[]> {
  return app.database.query('select outcome, actor, result from receipts where operation = $1 order by id', [
    `integration.${operation}`,
  ]);
}

async function signalsOf(caller: TestCaller): Promise<unknown[]> {
  const { signals } = await caller.get(SignalsDocument, { first: 100 });
  return signals.nodes.map(({ payload }) => payload['title']);
}

describe('a delivery that can’t be normalised', () => {
  it('is listed with what kept it and nothing of what is in it, and redriven once the connector is mended', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const { body } = await sendIssue(s.hook, 'A-1');
    const id = body.delivery_id ?? '';
    expect(await letters(s.caller)).toEqual([
      {
        id,
        kind: 'DELIVERY',
        type: 'issue.created',
        reason: 'TypeError: A-1 is too much',
        attempts: 1,
        occurredAt: expect.any(String),
        connection: { id: s.hook.connectionId, name: expect.any(String) },
        provider: { id: 'example' },
      },
    ]);
    s.mendable.map((drafts) => drafts);
    expect((await redrive(s.caller, { ids: [id] })).letters).toEqual([
      { id, kind: 'DELIVERY', outcome: 'DONE', reason: null },
    ]);
    expect(await signalsOf(s.caller)).toEqual(['About A-1']);
    expect(await letters(s.caller)).toEqual([]);
    expect((await redrive(s.caller, { ids: [id] })).letters).toEqual([
      { id, kind: 'DELIVERY', outcome: 'SKIPPED', reason: 'It is no dead letter any more.' },
    ]);
    expect(await signalsOf(s.caller)).toEqual(['About A-1']);
    const [signal] = await s.app.database.query<{ id: string }>('select id from signals where revision = 0');
    expect(await receiptsOf(s, 'delivery.example.redrive')).toEqual([
      { outcome: 'SUCCESS', actor: 'user-of-acme', result: { attempts: 2, signals: [signal?.id] } },
    ]);
  });

  it('makes the very signal it would have made, which a later delivery of the same event does not double', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const first = await sendIssue(s.hook, 'A-1');
    s.mendable.map((drafts) => drafts);
    const second = await sendIssue(s.hook, 'A-1');
    await redrive(s.caller, { ids: [first.body.delivery_id] });
    expect(await s.app.database.query('select signal_ids as signals from deliveries')).toEqual([
      { signals: second.body.signals },
      { signals: second.body.signals },
    ]);
    expect(await signalsOf(s.caller)).toEqual(['About A-1']);
    expect(await s.app.database.query('select revision from signals')).toEqual([{ revision: 0 }]);
  });

  it('because the database refuses its signals is acknowledged, and redriven like any other', async () => {
    const s = await story();
    s.mendable.map((drafts) => drafts.map((draft) => ({ ...draft, occurredAt: new Date(8e15) })));
    const { status, body } = await sendIssue(s.hook, 'A-1');
    expect([status, body.signals]).toEqual([202, []]);
    expect(await letters(s.caller)).toMatchObject([
      {
        id: body.delivery_id,
        reason: expect.stringMatching(/^The database refuses its signals \(SQLSTATE 22/),
      },
    ]);
    s.mendable.map((drafts) => drafts);
    expect((await redrive(s.caller, { ids: [body.delivery_id] })).letters).toMatchObject([
      { outcome: 'DONE' },
    ]);
    expect(await signalsOf(s.caller)).toEqual(['About A-1']);
  });

  it('that fails again says why, and counts', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const { body } = await sendIssue(s.hook, 'A-1');
    s.mendable.map(() => {
      throw new RangeError('still');
    });
    const reason = 'RangeError: still';
    expect((await redrive(s.caller, { ids: [body.delivery_id] })).letters).toMatchObject([
      { outcome: 'FAILED', reason },
    ]);
    expect(await letters(s.caller)).toMatchObject([{ reason, attempts: 2 }]);
    expect(await receiptsOf(s, 'delivery.example.redrive')).toMatchObject([
      { outcome: 'FAILURE', result: { attempts: 2, failure: reason } },
    ]);
  });

  it('is redriven with all that match, oldest first, page by page, past those that fail again', async () => {
    const s = await story();
    const other = await connectExample(s.caller);
    s.mendable.map((drafts) => {
      throw new Error(`all ${drafts.length}`);
    });
    for (const key of ['A-1', 'A-2', 'A-3', 'A-4', 'A-5']) await sendIssue(s.hook, key);
    await sendIssue(other, 'B-1');
    s.mendable.map(failFor('A-2'));
    const filter = { kind: 'DELIVERY', connectionId: s.hook.connectionId };
    const outcomes: string[] = [];
    let after: string | null | undefined;
    for (const count of [2, 2, 1]) {
      const page = await redrive(s.caller, { filter, first: 2, ...(after && { after }) });
      expect(page.letters).toHaveLength(count);
      outcomes.push(...page.letters.map(({ outcome }) => outcome));
      after = page.endCursor;
    }
    expect(after).toBeNull();
    expect(outcomes).toEqual(['DONE', 'FAILED', 'DONE', 'DONE', 'DONE']);
    expect(await signalsOf(s.caller)).toEqual(['About A-1', 'About A-3', 'About A-4', 'About A-5']);
    expect(await letters(s.caller, { filter })).toHaveLength(1);
  });

  it('whose body was deleted stays listed, and is in nobody’s way', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const { body } = await sendIssue(s.hook, 'A-1');
    s.mendable.map((drafts) => drafts);
    s.clock.advance(31 * 24 * 60 * 60_000);
    await s.app.app.services.deliveries.purge(10);
    const later = await s.app.caller();
    expect(await letters(later)).toHaveLength(1);
    expect((await redrive(later, { ids: [body.delivery_id] })).letters).toMatchObject([
      { outcome: 'SKIPPED', reason: 'Its body was deleted when its time was over.' },
    ]);
    expect(await redrive(later, { filter: {} })).toEqual({ letters: [], endCursor: null });
  });

  it('is redriven once when two processes do it at once', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const { body } = await sendIssue(s.hook, 'A-1');
    s.mendable.map((drafts) => drafts);
    const there = await s.beside();
    const input = { ids: [body.delivery_id] };
    const both = await Promise.all(
      [s.caller, there, s.caller, there].map((caller) => redrive(caller, input)),
    );
    const outcomes = both.flatMap((result) => result.letters.map(({ outcome }) => outcome)).toSorted();
    expect(outcomes).toEqual(['DONE', 'SKIPPED', 'SKIPPED', 'SKIPPED']);
    expect(await s.app.database.query('select attempts from deliveries')).toEqual([{ attempts: 2 }]);
    expect(await receiptsOf(s, 'delivery.example.redrive')).toHaveLength(1);
  });
});

describe('an action that came to nothing', () => {
  it('is redriven under its own id, with one effect, and a receipt for each time it was settled', async () => {
    const s = await story();
    s.provider.next(ISSUES, refused);
    const key = randomUUID();
    const { id } = await execute(s, createIssue, key);
    expect(await letters(s.caller)).toMatchObject([
      { id, kind: 'ACTION', type: 'createIssue', reason: 'No such label', attempts: 1 },
    ]);
    expect((await redrive(s.caller, { ids: [id] })).letters).toEqual([
      { id, kind: 'ACTION', outcome: 'DONE', reason: null },
    ]);
    expect((await redrive(s.caller, { filter: {} })).letters).toEqual([]);
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([{ outcome: 'SKIPPED' }]);
    expect(await execute(s, createIssue, key)).toMatchObject({
      id,
      status: 'SUCCEEDED',
      redrives: 1,
      attempts: 1,
    });
    expect(s.provider.effects.get('issue')).toBe(1);
    expect(await receiptsOf(s, 'action.example.redrive')).toMatchObject([
      { outcome: 'SUCCESS', result: { previous_status: 'FAILED', redrives: 1 } },
    ]);
    expect(await receiptsOf(s, 'action.example.create_issue')).toMatchObject([
      { outcome: 'FAILURE' },
      { outcome: 'SUCCESS' },
    ]);
    const { data } = await s.caller.ask<{ action: object }, object>(
      `{ action(id: "${id}") { receipt { outcome } } }`,
    );
    expect(data).toEqual({ action: { receipt: { outcome: 'SUCCESS' } } });
  });

  it('is redriven once when two processes do it at once', async () => {
    const s = await story();
    s.provider.next(ISSUES, refused);
    const { id } = await execute(s, createIssue);
    const there = await s.beside();
    const both = await Promise.all([s.caller, there].map((caller) => redrive(caller, { ids: [id] })));
    const outcomes = both.flatMap((result) => result.letters.map(({ outcome }) => outcome)).toSorted();
    expect(outcomes).toEqual(['DONE', 'SKIPPED']);
    expect(s.provider.effects.get('issue')).toBe(1);
  });

  it('may have been done, and is looked for before anything is sent; never while a request may be on its way', async () => {
    const s = await story();
    s.provider.next(ISSUES, loseAnswer());
    let isDown = true;
    const looks = Array.from({ length: 100 }, () => unavailable);
    s.provider.next(({ method }) => isDown && method === 'GET', ...looks);
    const { id } = await execute(s, createIssue);
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      s.clock.advance(LEASE_MS + 1);
      await s.app.database.endLeases();
      await s.app.app.services.actions.recover();
    }
    expect(await letters(s.caller)).toMatchObject([{ id, reason: 'down', attempts: 5 }]);
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([
      { outcome: 'SKIPPED', reason: expect.stringContaining('may still be on its way') },
    ]);
    isDown = false;
    s.clock.advance(10 * LEASE_MS);
    await s.app.database.endLeases();
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([{ outcome: 'DONE' }]);
    expect(s.provider.effects.get('issue')).toBe(1);
  });

  it('gets a key of its own at a provider that remembers what it refused, but not where it may have been done', async () => {
    const s = await story();
    const keys = () => s.provider.requests.flatMap(({ headers }) => headers['idempotency-key'] ?? []);
    s.provider.next(COMMENTS, refused, ...Array.from({ length: 5 }, () => loseAnswer()));
    const { id } = await execute(s, addComment);
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([{ outcome: 'PENDING' }]);
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      s.clock.advance(LEASE_MS + 1);
      await s.app.database.endLeases();
      await s.app.app.services.actions.recover();
    }
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    expect(await letters(s.caller)).toMatchObject([{ id, attempts: 5 }]);
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([{ outcome: 'DONE' }]);
    const [first, ...later] = keys();
    expect(first).toBe(id);
    expect(later).toHaveLength(6);
    expect(new Set(later).size).toBe(1);
    expect(later).not.toContain(id);
    expect(s.provider.effects.get('comment')).toBe(1);
  });

  it('whose process died over the redrive is taken up by another', async () => {
    const s = await story();
    s.provider.next(ISSUES, refused);
    const { id } = await execute(s, createIssue);
    // As a kill leaves it between the redrive's commit and the attempt.
    await s.app.database.query(
      `update actions set status = 'RETRYING', attempts = 0, redrives = 1, settled_at = null, lease_until = now() where id = $1`,
      [id],
    );
    s.clock.advance(1_000);
    const { actions } = s.app.app.services;
    expect(await Promise.all([actions.recover(), actions.recover()])).toEqual(expect.arrayContaining([0, 1]));
    expect(s.provider.effects.get('issue')).toBe(1);
    expect(await letters(s.caller)).toEqual([]);
  });

  it('stays as it is where its connection takes no actions', async () => {
    const s = await story();
    s.provider.next(ISSUES, refused);
    const { id } = await execute(s, createIssue);
    await s.app.database.query(`update connections set status = 'SUSPENDED'`);
    expect((await redrive(s.caller, { ids: [id] })).letters).toMatchObject([
      { outcome: 'SKIPPED', reason: expect.stringContaining('SUSPENDED') },
    ]);
    expect(await letters(s.caller)).toMatchObject([{ id, attempts: 1 }]);
  });
});

describe('dead letters', () => {
  it('of both kinds are one list, newest first, with cursors and filters', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      made.unshift((await sendIssue(s.hook, 'A-1')).body.delivery_id ?? '');
      s.provider.next(ISSUES, refused);
      made.unshift((await execute(s, createIssue)).id);
    }
    const seen: string[] = [];
    let after: string | null | undefined;
    do {
      const { deadLetters } = await s.caller.get(DeadLettersDocument, { first: 4, ...(after && { after }) });
      seen.push(...deadLetters.nodes.map(({ id }) => id));
      after = deadLetters.pageInfo.hasNextPage ? deadLetters.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(made);
    const of = async (filter: object) => (await letters(s.caller, { filter })).map(({ id }) => id);
    expect(await of({ kind: 'ACTION' })).toEqual(made.filter((_, n) => n % 2 === 0));
    expect(await of({ kind: 'DELIVERY', providerId: 'example' })).toEqual(made.filter((_, n) => n % 2 === 1));
    expect(await of({ providerId: 'github' })).toEqual([]);
    expect(await of({ connectionId: randomUUID() })).toEqual([]);
    expect(await of({ until: '2020-01-01T00:00:00Z' })).toEqual([]);
    expect(await of({ since: '2020-01-01T00:00:00Z' })).toEqual(made);
  });

  it('are for auditors to see and for admins to redrive, of their own tenant', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    const { body } = await sendIssue(s.hook, 'A-1');
    const input = { ids: [body.delivery_id] };
    const auditor = await s.app.caller('acme', 'integrations:audit');
    expect((await auditor.ask('{ deadLetters { nodes { id } } }')).data).toEqual({
      deadLetters: { nodes: [{ id: body.delivery_id }] },
    });
    await expect(redrive(auditor, input)).rejects.toThrow('FORBIDDEN');
    const reader = await s.app.caller('acme', 'integrations:read');
    await expect(letters(reader)).rejects.toThrow('FORBIDDEN');
    const stranger = await s.app.caller('globex');
    expect(await letters(stranger)).toEqual([]);
    await expect(redrive(stranger, input)).rejects.toThrow('NOT_FOUND');
    await expect(redrive(stranger, { ids: ['no id'] })).rejects.toThrow('NOT_FOUND');
    const filter = { connectionId: s.hook.connectionId };
    await expect(redrive(stranger, { filter })).rejects.toThrow('NOT_FOUND');
    await expect(redrive(s.caller, {})).rejects.toThrow('INVALID_INPUT');
    await expect(redrive(s.caller, { ...input, filter })).rejects.toThrow('INVALID_INPUT');
    expect(await letters(s.caller)).toMatchObject([{ attempts: 1 }]);
  });
});
