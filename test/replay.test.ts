import { randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  ReplaySignalsDocument,
  SignalReceivedDocument,
  type SignalReceivedSubscription,
  SignalsDocument,
} from '../schema/generated/operations.js';
import type { SignalDraft } from '../src/connector/index.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { useClient } from './support/database.js';
import type { Hook } from './support/github.js';
import { type Mendable, connectExample, createMendable, failFor, sendIssue } from './support/mendable.js';

type Received = SignalReceivedSubscription['signalReceived'];

const FROM_START = Buffer.from('signals:0').toString('base64url');
const DAY_MS = 24 * 60 * 60_000;

interface Story {
  readonly app: TestApp;
  readonly caller: TestCaller;
  readonly clock: TestClock;
  readonly mendable: Mendable;
  readonly hook: Hook;
  /** Replays all there is. */
  replay(input?: { dryRun?: boolean; first?: number; after?: string }): ReturnType<typeof replayOf>;
}

async function story(mendable = createMendable()): Promise<Story> {
  const clock = createTestClock();
  const app = await useTestApp({ clock, connectors: [mendable.connector] });
  const caller = await app.caller();
  const hook = await connectExample(caller);
  return { app, caller, clock, mendable, hook, replay: (input) => replayOf(caller, hook, clock, input) };
}

async function replayOf(caller: TestCaller, { connectionId }: Hook, clock: TestClock, input: object = {}) {
  const [from, to] = [new Date('2020-01-01'), new Date(clock.now().getTime() + DAY_MS)];
  const window = { from: from.toISOString(), to: to.toISOString() };
  return (await caller.get(ReplaySignalsDocument, { input: { connectionId, ...window, ...input } }))
    .replaySignals;
}

const retitled = (drafts: readonly SignalDraft[]): readonly SignalDraft[] =>
  drafts.map((draft) => ({ ...draft, payload: { ...draft.payload, title: 'Retold' } }));

function watch(caller: TestCaller, after = FROM_START) {
  const query = print(SignalReceivedDocument);
  return caller.socket().iterate<SignalReceivedSubscription>({ query, variables: { after } });
}

async function take(stream: ReturnType<typeof watch>, count: number): Promise<Received[]> {
  const taken: Received[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    if (value.data) taken.push(value.data.signalReceived);
  }
  return taken;
}

async function sendAll(hook: Hook, keys: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) ids.push(...((await sendIssue(hook, key)).body.signals ?? []));
  return ids;
}

const stored = ({ app }: Story) =>
  app.database.query('select id, sequence, revision, content from signals order by signals.sequence');

describe('a dry run', () => {
  it('tells exactly what today’s mapper makes different, and changes nothing', async () => {
    const s = await story();
    const [kept, retold, gone] = await sendAll(s.hook, ['A-1', 'A-2', 'A-3']);
    await sendAll(s.hook, ['A-4', 'A-5']);
    const before = await stored(s);
    s.mendable.map((drafts, event) => {
      const [draft] = drafts as [SignalDraft];
      const key = draft.canonicalKeys['issue_key'];
      if (key === 'A-2')
        return [
          {
            ...draft,
            resource: { service: 'pump' },
            payload: { ...draft.payload, title: 'New', state: undefined },
          },
        ];
      if (key === 'A-3') return [{ ...draft, identity: `${draft.identity}:renamed` }];
      if (key === 'A-4') return [draft, { ...draft, type: 'issue_assigned' }];
      return failFor('A-5')(drafts, event);
    });
    const { deliveries, changes, failures, endCursor } = await s.replay();
    expect({ deliveries, endCursor }).toEqual({ deliveries: 5, endCursor: null });
    expect(changes).toEqual([
      expect.objectContaining({
        kind: 'CHANGED',
        signalId: retold,
        type: 'issue_created',
        fields: ['payload.state', 'payload.title', 'resource.service'],
      }),
      expect.objectContaining({ kind: 'ADDED', type: 'issue_created', fields: [] }),
      expect.objectContaining({ kind: 'REMOVED', signalId: gone, type: 'issue_created', fields: [] }),
      expect.objectContaining({ kind: 'ADDED', type: 'issue_assigned' }),
    ]);
    expect(changes.map(({ signalId }) => signalId)).not.toContain(kept);
    expect(failures).toEqual([{ deliveryId: expect.any(String), reason: 'TypeError: A-5 is too much' }]);
    expect(await stored(s)).toEqual(before);
    const receipts = `select count(*)::int as n from receipts where operation like '%replay'`;
    expect(await s.app.database.query(receipts)).toEqual([{ n: 0 }]);
  });

  it('of an unchanged mapper finds nothing', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1', 'A-2']);
    expect(await s.replay()).toMatchObject({ deliveries: 2, changes: [], failures: [], endCursor: null });
  });

  it('leaves an event that came twice to the delivery that brought it first', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1', 'A-1']);
    s.mendable.map(retitled);
    expect(await s.replay()).toMatchObject({ deliveries: 2, changes: [{ kind: 'CHANGED' }] });
    s.mendable.map((drafts) => [
      ...drafts,
      ...drafts.map((draft) => ({ ...draft, type: 'issue_assigned' as const })),
    ]);
    expect(await s.replay()).toMatchObject({ deliveries: 2, changes: [{ kind: 'ADDED' }] });
  });
});

describe('a replay', () => {
  it('gives subscribers each new version once, in order, marked, under the same id', async () => {
    const s = await story();
    const ids = await sendAll(s.hook, ['A-1', 'A-2', 'A-3']);
    const stream = watch(s.caller);
    expect((await take(stream, 3)).map(({ id, revision }) => [id, revision])).toEqual(
      ids.map((id) => [id, 0]),
    );
    s.mendable.map(retitled);
    const { changes } = await s.replay({ dryRun: false });
    expect(changes.map(({ kind, fields }) => [kind, fields])).toEqual(
      ids.map(() => ['CHANGED', ['payload.title']]),
    );
    const [fourth] = await sendAll(s.hook, ['A-4']);
    const seen = await take(stream, 4);
    await stream.return?.();
    expect(seen.map(({ id, revision }) => [id, revision])).toEqual([
      ...ids.map((id) => [id, 1]),
      [fourth, 0],
    ]);
    expect(seen.map(({ payload }) => payload['title'])).toEqual(['Retold', 'Retold', 'Retold', 'Retold']);
    expect(seen[0]?.revisedAt).toEqual(expect.any(String));
    const sequences = seen.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));

    // From an old cursor in a process that has no window yet, and by pages, there is only the newest version of each.
    const other = await useTestApp({ beside: s.app, clock: s.clock, connectors: [s.mendable.connector] });
    const fromStart = await take(watch(await other.caller()), 4);
    expect(fromStart.map(({ id, revision }) => [id, revision])).toEqual(
      seen.map(({ id, revision }) => [id, revision]),
    );
    const { signals } = await s.caller.get(SignalsDocument, { first: 10 });
    expect(signals.nodes.map(({ id }) => id)).toEqual([...ids, fourth]);
  });

  it('can be repeated, and leaves a receipt each time', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1']);
    s.mendable.map(retitled);
    await s.replay({ dryRun: false });
    expect(await s.replay({ dryRun: false })).toMatchObject({ deliveries: 1, changes: [] });
    expect(await stored(s)).toMatchObject([{ revision: 1 }]);
    const receipts = `select actor, result from receipts where operation = 'integration.signal.example.replay' order by id`;
    const counts = { deliveries: 1, added: 0, changed: 1, removed: 0, failed: 0 };
    expect(await s.app.database.query(receipts)).toEqual([
      { actor: 'user-of-acme', result: counts },
      { actor: 'user-of-acme', result: { ...counts, changed: 0 } },
    ]);
  });

  it('leaves what is no longer made, and a duplicate answers what its delivery makes today', async () => {
    const s = await story();
    const deliveryId = randomUUID();
    const first = await sendIssue(s.hook, 'A-1', deliveryId);
    s.mendable.map((drafts) => drafts.map((draft) => ({ ...draft, type: 'issue_assigned' as const })));
    const { changes } = await s.replay({ dryRun: false });
    expect(changes.map(({ kind }) => kind)).toEqual(['ADDED', 'REMOVED']);
    expect(await stored(s)).toHaveLength(2);
    const again = await sendIssue(s.hook, 'A-1', deliveryId);
    expect(again.status).toBe(200);
    expect(again.body.signals).toEqual([changes[0]?.signalId]);
    expect(again.body.signals).not.toEqual(first.body.signals);
  });

  it('mends dead letters on its way', async () => {
    const s = await story();
    s.mendable.map(failFor('A-1'));
    await sendAll(s.hook, ['A-1', 'A-2']);
    s.mendable.map((drafts) => drafts);
    expect((await s.replay({ dryRun: false })).changes).toMatchObject([{ kind: 'ADDED' }]);
    expect(await s.app.database.query('select failure, attempts from deliveries order by id')).toEqual([
      { failure: null, attempts: 2 },
      { failure: null, attempts: 1 },
    ]);
  });

  it('goes page by page with its cursor', async () => {
    const s = await story();
    const ids = await sendAll(s.hook, ['A-1', 'A-2', 'A-3', 'A-4', 'A-5']);
    s.mendable.map(retitled);
    const seen: string[] = [];
    let after: string | null | undefined;
    for (const count of [2, 2, 1]) {
      const page = await s.replay({ dryRun: false, first: 2, ...(after && { after }) });
      expect(page.deliveries).toBe(count);
      seen.push(...page.changes.map(({ signalId }) => signalId));
      after = page.endCursor;
    }
    expect(after).toBeNull();
    expect(seen).toEqual(ids);
  });

  it('by two processes at once, while deliveries come in, makes one new version each and loses nothing', async () => {
    const s = await story();
    const keys = Array.from({ length: 20 }, (_, n) => `A-${n}`);
    const ids = await sendAll(s.hook, keys);
    const stream = watch(s.caller);
    const told = await take(stream, 20);
    const news = take(stream, 40);
    const other = await useTestApp({ beside: s.app, clock: s.clock, connectors: [s.mendable.connector] });
    const there = await other.caller();
    s.mendable.map(retitled);
    const [, , fresh] = await Promise.all([
      s.replay({ dryRun: false }),
      replayOf(there, s.hook, s.clock, { dryRun: false }),
      sendAll(
        s.hook,
        keys.map((key) => `B${key}`),
      ),
    ]);
    told.push(...(await news));
    await stream.return?.();
    const versions = told.map(({ id, revision }) => `${id} ${revision}`);
    const expected = [...ids.flatMap((id) => [`${id} 0`, `${id} 1`]), ...fresh.map((id) => `${id} 0`)];
    expect(versions.toSorted()).toEqual(expected.toSorted());
    const sequences = told.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  it('reads anew what somebody else normalised while it was reading', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1', 'A-2']);
    s.mendable.map(retitled);
    const other = await useClient({ connectionString: s.app.database.url });
    await other.query('begin; update deliveries set attempts = 7');
    const replaying = s.replay({ dryRun: false });
    const waiting = `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%for update%'`;
    await expect.poll(async () => s.app.database.query(waiting)).toEqual([{ n: 1 }]);
    await other.query('commit');
    expect(await replaying).toMatchObject({ deliveries: 2, failures: [] });
    const attempts = 'select attempts from deliveries';
    expect(await s.app.database.query(attempts)).toEqual([{ attempts: 8 }, { attempts: 8 }]);
  });

  it('is for admins, and for the tenant’s own connections', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1']);
    const stranger = await s.app.caller('globex');
    await expect(replayOf(stranger, s.hook, s.clock)).rejects.toThrow('NOT_FOUND');
    const reader = await s.app.caller('acme', 'integrations:read integrations:write integrations:execute');
    await expect(replayOf(reader, s.hook, s.clock)).rejects.toThrow('FORBIDDEN');
  });

  it('writes nothing of another tenant, whatever it is given', async () => {
    const s = await story();
    await sendAll(s.hook, ['A-1']);
    const [signal] = await s.app.database.query<object>('select * from signals');
    const [delivery] = await s.app.database.query<{ id: string }>(
      'select id, attempts, signal_ids from deliveries',
    );
    const client = await useClient({
      connectionString: s.app.database.url,
      options: '-c role=tributary_app',
    });
    await client.query(`set tributary.tenant = 'globex'`);
    await client.query('select journal_revise($1, $2, now())', [
      JSON.stringify([{ ...delivery, failure: 'stolen' }]),
      JSON.stringify([
        { ...signal, index: 0, content: {} },
        { ...signal, index: 1, id: randomUUID() },
        { ...signal, index: 2, content: {}, tenant_id: 'globex' },
      ]),
    ]);
    expect(await stored(s)).toMatchObject([{ revision: 0, content: { payload: { title: 'About A-1' } } }]);
    expect(await s.app.database.query('select failure from deliveries')).toEqual([{ failure: null }]);
  });
});

describe('what a provider’s manifest redacts', () => {
  it('is not in the stored body, which still makes the same signals', async () => {
    const s = await story(createMendable({ redact: [['actor', 'name']] }));
    const seen: unknown[] = [];
    s.mendable.map((drafts, event) => {
      seen.push((event.body as { actor: object }).actor);
      return drafts;
    });
    await sendAll(s.hook, ['A-1']);
    expect(await s.replay()).toMatchObject({ deliveries: 1, changes: [], failures: [] });
    expect(seen).toEqual(Array.from({ length: 2 }, () => ({ id: 'usr_7', name: '[redacted]' })));
  });
});

describe('a body whose time is over', () => {
  it('is deleted in batches; the delivery stays known, and can’t be read again', async () => {
    const s = await story();
    const deliveryId = randomUUID();
    await sendIssue(s.hook, 'A-1', deliveryId);
    await sendAll(s.hook, ['A-2', 'A-3']);
    const { deliveries } = s.app.app.services;
    s.clock.advance(29 * DAY_MS);
    expect(await deliveries.purge(2)).toBe(0);
    await sendIssue(s.hook, 'A-4', randomUUID(), s.clock.now());
    s.clock.advance(2 * DAY_MS);
    expect(await deliveries.purge(2)).toBe(3);
    const kept =
      'select count(*)::int as all, count(body)::int as bodies, count(purged_at)::int as purged from deliveries';
    expect(await s.app.database.query(kept)).toEqual([{ all: 4, bodies: 1, purged: 3 }]);
    expect((await sendIssue(s.hook, 'A-1', deliveryId, s.clock.now())).status).toBe(200);
    s.mendable.map(retitled);
    const caller = await s.app.caller();
    const left = await replayOf(caller, s.hook, s.clock);
    expect(left).toMatchObject({ deliveries: 1, changes: [{ kind: 'CHANGED' }] });
  });
});
