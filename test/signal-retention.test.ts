import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SignalsDocument } from '../schema/generated/operations.js';
import { FeedRefused, type FollowOptions, followSignals } from '../src/client/index.js';
import { systemClock } from '../src/core/clock.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { toCursor } from '../src/core/page.js';
import { entities } from '../src/entities.js';
import { migrations } from '../src/migrations/index.js';
import { type Feed, type FeedDeps, createFeed } from '../src/signal/feed.js';
import { type Journal, createJournal } from '../src/signal/journal.js';
import { type SignalRetention, createSignalRetention } from '../src/signal/retention.js';
import type { Signal } from '../src/signal/signal.entity.js';
import { createSignalService } from '../src/signal/signals.js';
import { type TestApp, startTestApp } from './support/app.js';
import { journalEntry } from './support/journal.js';
import { callerOf } from './support/receipt-exports.js';

const log = createLog('silent');
let app: TestApp;
let db: Db;
let journal: Journal;
let retention: SignalRetention;
beforeAll(async () => {
  app = await startTestApp({ env: { SIGNAL_RETENTION_DAYS: '30' } });
  db = await openDb({ url: app.database.url, entities, migrations, log });
  journal = createJournal({ pool: db.doors, log, metrics: createMetrics() });
  retention = createSignalRetention({ db, clock: systemClock, log, defaultDays: 30 });
});
afterAll(async () => {
  await db.close();
  await app.close();
});

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `signal-${from + n}`);
const cursor = (sequence: string): string => toCursor('signals', sequence);
const FROM_START = cursor('0');

/** A tenant of the test's own, with a connection. */
function begin() {
  const tenantId = `tenant-${randomUUID()}`;
  const connection = randomUUID();
  const { query } = app.database;
  return {
    tenantId,
    connection,
    caller: callerOf(tenantId),
    async tell(from: number, to: number): Promise<void> {
      for (const name of names(from, to)) await journal.append(journalEntry(tenantId, connection, name));
    },
    /** As if so many days had passed since the oldest `count` came. */
    age: (days: number, count: number) =>
      query(
        `update signals set ingested_at = ingested_at - make_interval(days => $2) where sequence in (
           select sequence from signals where tenant_id = $1 order by sequence limit $3)`,
        [tenantId, days, count],
      ),
    plan: (plan: string, days: number | null = null) =>
      query('insert into tenant_plans (tenant_id, plan, signal_days) values ($1, $2, $3)', [
        tenantId,
        plan,
        days,
      ]),
    async kept(): Promise<string[]> {
      const rows = await query<{ name: string }>(
        'select correlation_id as name from signals where tenant_id = $1 order by sequence',
        [tenantId],
      );
      return rows.map(({ name }) => name);
    },
    async sequences(): Promise<string[]> {
      const rows = await query<{ sequence: string }>(
        'select sequence::text from signals where tenant_id = $1 order by signals.sequence',
        [tenantId],
      );
      return rows.map(({ sequence }) => sequence);
    },
  };
}

/** A process of its own over the same database. */
async function openFeed(
  options: Partial<FeedDeps> & { listen?: Db['listen'] } = {},
): Promise<{ feed: Feed; signals: ReturnType<typeof createSignalService> }> {
  const { listen = db.listen, ...rest } = options;
  const feed = await createFeed({ db: { ...db, listen }, log, metrics: createMetrics(), ...rest });
  onTestFinished(() => feed.close());
  return { feed, signals: createSignalService(db, feed) };
}

async function take(stream: AsyncIterator<Signal>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    taken.push(String(value.correlationId));
  }
  return taken;
}

/** CURSOR_EXPIRED, and where to go on from. */
const expired = (oldest: string) => ({
  code: 'CURSOR_EXPIRED',
  details: { oldest_cursor: cursor(oldest) },
});

describe('signals', () => {
  it('are kept as many days as their tenant’s plan says, and go in the order of the feed', async () => {
    const [unplanned, free, own, large, younger] = [begin(), begin(), begin(), begin(), begin()];
    const tenants = [unplanned, free, own, large, younger];
    await Promise.all([free.plan('free'), own.plan('enterprise', 7), large.plan('enterprise')]);
    for (const tenant of tenants) await tenant.tell(0, 4);
    for (const tenant of tenants) await tenant.age(8, 3);
    await retention.deleteDue();
    const kept = () => Promise.all(tenants.map((tenant) => tenant.kept()));
    expect(await kept()).toEqual([names(0, 4), names(0, 4), names(3, 4), names(0, 4), names(0, 4)]);
    for (const tenant of [unplanned, free, large]) await tenant.age(23, 3);
    // Its second is not over yet, so what came behind it stays, however old it says it is.
    await app.database.query(
      `update signals set ingested_at = now() - interval '99 days' where tenant_id = $1 and correlation_id <> 'signal-1'`,
      [younger.tenantId],
    );
    await retention.deleteDue();
    expect(await kept()).toEqual([names(3, 4), names(3, 4), names(3, 4), names(0, 4), names(1, 4)]);
  });

  it('take the bodies along that they could be made of again, and nothing else of their deliveries', async () => {
    const { tenantId, connection, tell, age } = begin();
    const first = journalEntry(tenantId, connection, 'signal-0');
    await journal.append(first);
    await tell(1, 3);
    const dead = journalEntry(tenantId, connection, 'dead');
    await journal.append({ ...dead, delivery: { ...dead.delivery, failure: 'broken' }, signals: [] });
    await app.database.query(
      `insert into connection_health (connection_id, tenant_id) values ($1, $2) on conflict do nothing`,
      [connection, tenantId],
    );
    await age(31, 2);
    await retention.deleteDue();
    const bodies = `select event_id, body is not null as has_body, purged_at is not null as is_purged
      from deliveries where tenant_id = $1 order by event_id`;
    expect(await app.database.query(bodies, [tenantId])).toEqual([
      { event_id: 'dead', has_body: true, is_purged: false },
      { event_id: 'signal-0', has_body: false, is_purged: true },
      { event_id: 'signal-1', has_body: false, is_purged: true },
      { event_id: 'signal-2', has_body: true, is_purged: false },
    ]);
    const again = { ...journalEntry(tenantId, connection, 'signal-0') };
    expect(await journal.append(again)).toEqual({
      deliveryId: first.delivery.id,
      signalIds: [first.signals[0]?.id],
      isDuplicate: true,
    });
    const newest = `select newest_event_at is not null as is_known from connection_health where connection_id = $1`;
    expect(await app.database.query(newest, [connection])).toEqual([{ is_known: false }]);
    await age(31, 1);
    await retention.deleteDue();
    expect(await app.database.query(newest, [connection])).toEqual([{ is_known: true }]);
  });

  it('go in many small steps, each once, whoever else deletes at the same time', async () => {
    const { tenantId, connection, age, kept, sequences } = begin();
    const entries = names(0, 1_203).map((name) => journalEntry(tenantId, connection, name));
    await Promise.all(entries.map((entry) => journal.append(entry)));
    await age(31, 1_202);
    const last = (await sequences()).at(-2);
    const deleted = await Promise.all(
      [retention, retention, app.app.services.signalRetention].map((one) => one.deleteDue()),
    );
    expect(deleted.reduce((sum, count) => sum + count)).toBe(1_202);
    expect(await kept()).toHaveLength(1);
    const horizon = `select sequence from feed_horizons where tenant_id = $1`;
    expect(await app.database.query(horizon, [tenantId])).toEqual([{ sequence: last }]);
  });

  it('wait for nobody who is telling one anew: those before it go, the others with the next run', async () => {
    const { tell, age, kept, sequences } = begin();
    await tell(0, 6);
    await age(31, 5);
    const client = new Client({ connectionString: app.database.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query('select from signals where sequence = $1 for update', [(await sequences())[2]]);
    expect(await retention.deleteDue()).toBe(2);
    expect(await kept()).toEqual(names(2, 6));
    await client.query('commit');
    expect(await retention.deleteDue()).toBe(3);
    expect(await kept()).toEqual(names(5, 6));
  });
});

describe('a cursor', () => {
  it('is expired in pages as soon as a signal behind it is gone, whatever the filter', async () => {
    const [{ tenantId, caller, tell, age, sequences }, other] = [begin(), begin()];
    const { signals } = app.app.services;
    await tell(0, 5);
    await other.tell(0, 2);
    const [first, second, third] = await sequences();
    await age(31, 2);
    await retention.deleteDue();
    const pageOf = async (after?: string, filter = {}) => {
      const { nodes } = await signals.list(caller, filter, { first: 10, after });
      return nodes.map(({ correlationId }) => correlationId);
    };
    for (const after of [first!, '0']) {
      await expect(pageOf(cursor(after))).rejects.toMatchObject(expired(second!));
      await expect(pageOf(cursor(after), { types: ['none'] })).rejects.toMatchObject(expired(second!));
    }
    for (const after of [undefined, cursor(second!)]) expect(await pageOf(after)).toEqual(names(2, 5));
    expect(await pageOf(cursor(third!))).toEqual(names(3, 5));
    const { nodes } = await signals.list(other.caller, {}, { first: 10, after: FROM_START });
    expect(nodes).toHaveLength(2);

    const { errors } = await (
      await app.caller(tenantId)
    ).ask(SignalsDocument, { first: 1, after: cursor(first!) });
    expect(errors[0]?.extensions).toMatchObject(expired(second!));
  });

  it('is expired for who subscribes, unless nothing behind it is gone', async () => {
    const { caller, tell, age, sequences } = begin();
    const { signals } = await openFeed();
    await tell(0, 4);
    const [first, second] = await sequences();
    await age(31, 2);
    await retention.deleteDue();
    await expect(signals.subscribe(caller, {}, cursor(first!))).rejects.toMatchObject(expired(second!));
    const stream = await signals.subscribe(caller, {}, cursor(second!));
    expect(await take(stream, 2)).toEqual(names(2, 4));
    await stream.return?.();
  });

  it('expires under a subscriber who is too slow, instead of leaving a gap', async () => {
    const { caller, tell, age, sequences } = begin();
    const { signals } = await openFeed({ windowSize: 3 });
    const slow = await signals.subscribe(caller, {}, FROM_START);
    await tell(0, 1);
    expect(await take(slow, 1)).toEqual(names(0, 1));
    await tell(1, 8);
    const all = await sequences();
    // Somebody who is not slow has the process read on.
    const fast = await signals.subscribe(caller, {}, all[0] && cursor(all[0]));
    expect(await take(fast, 7)).toEqual(names(1, 8));
    await fast.return?.();
    await age(31, 4);
    await retention.deleteDue();
    await expect(slow.next()).rejects.toMatchObject(expired(all[3]!));
  });

  it('does not expire under a subscriber who waits for what has not come for long', async () => {
    const { caller, connection, tell, age, tenantId } = begin();
    const rare = randomUUID();
    const { signals } = await openFeed({ windowSize: 2 });
    const stream = await signals.subscribe(caller, { connectionIds: [rare] }, FROM_START);
    const others = await signals.subscribe(caller, { connectionIds: [connection] }, FROM_START);
    const [first, seen] = [take(stream, 1), take(others, 6)];
    await journal.append(journalEntry(tenantId, rare, 'rare-0'));
    expect(await first).toEqual(['rare-0']);
    const next = stream.next();
    await tell(0, 6);
    await seen;
    await age(31, 7);
    await retention.deleteDue();
    // In one flush, so that they are more at once than the process keeps.
    await Promise.all([1, 2, 3, 4].map((n) => journal.append(journalEntry(tenantId, rare, `rare-${n}`))));
    expect((await next).value.correlationId).toBe('rare-1');
    expect(await take(stream, 3)).toEqual(['rare-2', 'rare-3', 'rare-4']);
    await Promise.all([stream.return?.(), others.return?.()]);
  });

  it('expires under a live subscriber whose process comes too late to read', async () => {
    const [{ caller, tell, age, sequences }, other] = [begin(), begin()];
    let hear: () => void = () => {};
    const listen: Db['listen'] = (_channel, onNotify) => {
      hear = onNotify;
      return Promise.resolve(() => Promise.resolve());
    };
    const { signals } = await openFeed({ listen, selfCheckMs: 60_000 });
    await tell(0, 1);
    const stream = await signals.subscribe(caller, {}, FROM_START);
    const beside = await signals.subscribe(other.caller, {}, FROM_START);
    expect(await take(stream, 1)).toEqual(names(0, 1));
    const [next, unharmed] = [stream.next().catch((error: unknown) => error), take(beside, 1)];
    await tell(1, 4);
    await other.tell(0, 1);
    const all = await sequences();
    await age(31, 3);
    await retention.deleteDue();
    hear();
    expect(await next).toMatchObject(expired(all[2]!));
    expect(await unharmed).toEqual(names(0, 1));
    await beside.return?.();
  });

  it('from now on is behind all that ever was, also when nothing is left', async () => {
    const { caller, tell, age, sequences } = begin();
    await tell(0, 3);
    const newest = (await sequences()).at(-1);
    await age(31, 3);
    await retention.deleteDue();
    const edge = await app.database.query<{ edge: string }>('select feed_edge() as edge');
    expect(BigInt(edge[0]!.edge)).toBeGreaterThanOrEqual(BigInt(newest!));
    const { signals } = await openFeed();
    const stream = await signals.subscribe(caller, {}, cursor(newest!));
    const next = take(stream, 1);
    await tell(3, 4);
    expect(await next).toEqual(names(3, 4));
    await stream.return?.();
  });
});

describe('followSignals', () => {
  const follow = (options: FollowOptions) =>
    followSignals<{ cursor: string; correlationId: string }>(options);

  it('hands its caller the oldest cursor, and goes on from there if it shall', async () => {
    const { tenantId, tell, age, sequences } = begin();
    await tell(0, 5);
    const [, second] = await sequences();
    await age(31, 2);
    await retention.deleteDue();
    const { token } = await app.caller(tenantId);
    const options = {
      url: `${app.url.replace('http', 'ws')}/graphql`,
      token: () => token,
      after: FROM_START,
    };
    const refused = await follow(options)
      .next()
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FeedRefused);
    expect(refused).toMatchObject({ code: 'CURSOR_EXPIRED', oldestCursor: cursor(second!) });

    const asked: string[] = [];
    const stream = follow({
      ...options,
      onExpired(oldest) {
        asked.push(oldest);
        return oldest;
      },
    });
    const seen: string[] = [];
    while (seen.length < 3) seen.push((await stream.next()).value!.correlationId);
    await stream.return();
    expect(seen).toEqual(names(2, 5));
    expect(asked).toEqual([cursor(second!)]);
  });
});

interface Step {
  readonly what: 'tell' | 'forget' | 'page' | 'stream';
  readonly count: number;
  /** Who reads. */
  readonly who: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('tell', 'tell', 'forget', 'page', 'stream'),
  count: fc.integer({ min: 1, max: 8 }),
  who: fc.nat(3),
});
/** Chance alone may leave out that all is read, or that something is gone before it is. */
const toldAndRead: Step[][] = [[{ what: 'tell', count: 3, who: 0 }], [{ what: 'stream', count: 1, who: 0 }]];
const forgotten: Step[][] = [...toldAndRead, [{ what: 'forget', count: 2, who: 0 }]];
/** What is in a round happens at once; but a reader does one thing at a time, and time goes by once. */
const round = fc.uniqueArray(step, {
  minLength: 1,
  maxLength: 6,
  selector: ({ what, who }) => (what === 'tell' ? randomUUID() : what === 'forget' ? what : who),
});

describe('commits, deletions and reads in any order', () => {
  it('give each reader the same sequence or CURSOR_EXPIRED, never a gap', async () => {
    await app.database.query(`
      create table if not exists told (tenant_id text, sequence bigint);
      create or replace function note_told() returns trigger language plpgsql security definer as $$
        begin insert into public.told values (new.tenant_id, new.sequence); return null; end $$;
      create or replace trigger note_told after insert on signals for each row execute function note_told()`);
    const processes = [await openFeed({ windowSize: 3 }), await openFeed({ selfCheckMs: 10 })];
    const ends = { whole: 0, expired: 0 };

    async function play(rounds: readonly (readonly Step[])[]): Promise<void> {
      const { caller, tenantId, connection, age } = begin();
      const readers = Array.from({ length: 4 }, () => ({ seen: [] as string[], isExpired: false }));

      async function read({ what, count, who }: Step): Promise<void> {
        const { seen } = readers[who]!;
        const { signals } = processes[who % 2]!;
        const last = seen.at(-1) ?? '0';
        if (what === 'page') {
          const { nodes } = await signals.list(caller, {}, { first: count, after: cursor(last) });
          seen.push(...nodes.map(({ sequence }) => sequence));
          return;
        }
        const stream = await signals.subscribe(caller, {}, cursor(last));
        // No more than there are, so that it need not wait for others.
        const behind = 'select count(*)::int as n from signals where tenant_id = $1 and sequence > $2';
        const [left] = await app.database.query<{ n: number }>(behind, [tenantId, last]);
        for (let n = 0; n < Math.min(count, left!.n); n += 1) seen.push((await stream.next()).value.sequence);
        await stream.return?.();
      }

      async function readOrExpire(one: Step): Promise<void> {
        const reader = readers[one.who]!;
        if (reader.isExpired) return;
        try {
          await read(one);
        } catch (error) {
          if ((error as { code?: string }).code !== 'CURSOR_EXPIRED') throw error;
          reader.isExpired = true;
        }
      }

      const doings: Readonly<Record<Step['what'], (one: Step) => Promise<unknown>>> = {
        page: readOrExpire,
        stream: readOrExpire,
        tell: ({ count }) =>
          Promise.all(
            names(0, count).map(() => journal.append(journalEntry(tenantId, connection, randomUUID()))),
          ),
        async forget({ count }) {
          await age(31, count);
          await retention.deleteDue();
        },
      };
      for (const steps of rounds) await Promise.all(steps.map((one) => doings[one.what](one)));

      const rows = await app.database.query<{ sequence: string }>(
        'select sequence::text from told where tenant_id = $1 order by told.sequence',
        [tenantId],
      );
      const told = rows.map(({ sequence }) => sequence);
      for (const [who, reader] of readers.entries()) {
        await readOrExpire({ what: 'page', count: 200, who });
        expect(reader.seen).toEqual(reader.isExpired ? told.slice(0, reader.seen.length) : told);
        ends[reader.isExpired ? 'expired' : 'whole'] += 1;
      }
    }

    await fc.assert(fc.asyncProperty(fc.array(round, { minLength: 3, maxLength: 12 }), play), {
      numRuns: 12,
      examples: [[toldAndRead], [forgotten]],
    });
    expect(ends.whole).toBeGreaterThan(0);
    expect(ends.expired).toBeGreaterThan(0);
  }, 60_000);
});
