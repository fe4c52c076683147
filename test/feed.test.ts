import { randomUUID } from 'node:crypto';
import { setImmediate as immediately } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { type TailStream, createTail } from '../src/core/tail.js';
import { migrations } from '../src/migrations/index.js';
import { type Feed, type FeedDeps, createFeed } from '../src/signal/feed.js';
import { type SignalFilter, matches } from '../src/signal/filter.js';
import { type Journal, createJournal } from '../src/signal/journal.js';
import { toConditions } from '../src/signal/list.js';
import { Signal } from '../src/signal/signal.entity.js';
import { type TestDatabase, useTestDatabase } from './support/database.js';
import { journalEntry } from './support/journal.js';

const log = createLog('silent');

interface Process {
  readonly db: Db;
  readonly journal: Journal;
  readonly feed: Feed;
}

/** What one process has: a journal and a feed over the same database. */
async function open(database: TestDatabase, options: Partial<FeedDeps> = {}): Promise<Process> {
  const metrics = createMetrics();
  const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
  const feed = await createFeed({ db, log, metrics, ...options });
  onTestFinished(async () => {
    await feed.close();
    await db.close();
  });
  return { db, feed, journal: createJournal({ pool: db.doors, log, metrics }) };
}

/** A database whose NOTIFY never arrives, as if every hint were lost. */
function deaf(db: Db): Db {
  return { ...db, listen: async () => async () => {} };
}

/** Hears every other hint only, and that one late: after what came behind it. */
function hardOfHearing(db: Db): Db {
  let hints = 0;
  return {
    ...db,
    listen: (channel, hear) =>
      db.listen(channel, () => {
        hints += 1;
        if (hints % 2 === 0) setTimeout(hear, hints % 7);
      }),
  };
}

/** One by one, or with as many of what is there already as the gulps say, in turns. */
async function take(
  stream: TailStream<Signal>,
  count: number,
  gulps: readonly number[] = [0],
): Promise<Signal[]> {
  const taken: Signal[] = [];
  for (let gulp = 0; taken.length < count; gulp += 1) {
    const { value, done } = await stream.next();
    if (done) break;
    taken.push(value);
    taken.push(...stream.takeReady(Math.min(gulps[gulp % gulps.length] ?? 0, count - taken.length)));
  }
  return taken;
}

async function stored(database: TestDatabase, tenant = 'acme', connection?: string): Promise<string[]> {
  const rows = await database.query<{ sequence: string }>(
    `select sequence::text from signals
     where tenant_id = $1 and ($2::uuid is null or connection_id = $2) order by signals.sequence`,
    [tenant, connection],
  );
  return rows.map(({ sequence }) => sequence);
}

/** How a reader goes about it: cut after each of these counts, and see {@link take}. */
interface Reading {
  readonly cuts: readonly number[];
  readonly gulps: readonly number[];
}

/** Follows until `total` signals came, resumed after each cut from the last cursor seen. */
async function follow(
  feed: Feed,
  total: number,
  { cuts, gulps }: Reading,
  filter: SignalFilter = {},
): Promise<string[]> {
  const seen: string[] = [];
  for (let cut = 0; seen.length < total; cut += 1) {
    const stream = feed.subscribe({ tenantId: 'acme' }, filter, seen.at(-1) ?? '0');
    const count = Math.min(cuts[cut % cuts.length] ?? total, total - seen.length);
    const signals = await take(stream, count, gulps);
    await stream.return?.();
    if (signals.length === 0) throw new Error('the feed has ended');
    seen.push(...signals.map(({ sequence }) => sequence));
  }
  return seen;
}

describe('the feed', () => {
  it('delivers what was missed, then what is new, each once and in order', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database);
    const connection = randomUUID();
    const append = (n: number) => journal.append(journalEntry('acme', connection, String(n)));
    for (let n = 0; n < 20; n += 1) await append(n);
    const stream = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const missed = await take(stream, 20);
    const live = take(stream, 20);
    await Promise.all(Array.from({ length: 20 }, (_, n) => append(100 + n)));
    const sequences = [...missed, ...(await live)].map(({ sequence }) => sequence);
    await stream.return?.();
    expect(sequences).toEqual(await stored(database));
  });

  it('hands on together what is there, no more than is asked for, and waits for nothing', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database);
    const append = (n: number) => journal.append(journalEntry('acme', randomUUID(), String(n)));
    for (let n = 0; n < 5; n += 1) await append(n);
    const stream = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    expect(stream.takeReady(9)).toEqual([]);
    const seen = [(await stream.next()).value as Signal];
    seen.push(...stream.takeReady(2), (await stream.next()).value as Signal, ...stream.takeReady(9));
    expect(seen.map(({ sequence }) => sequence)).toEqual(await stored(database));
    expect(stream.takeReady(9)).toEqual([]);
    const asked = [stream.next(), stream.next()];
    await append(5);
    await append(6);
    for (const { value } of await Promise.all(asked)) seen.push(value as Signal);
    expect(seen.map(({ sequence }) => sequence)).toEqual(await stored(database));
    await stream.return?.();
    expect([stream.takeReady(9), await stream.next()]).toEqual([[], { done: true, value: undefined }]);
  });

  it('counts a subscriber once it has its place', async () => {
    const database = await useTestDatabase();
    const { db, journal } = await open(database);
    const metrics = createMetrics();
    const count = async () => (await metrics.subscribers.get()).values[0]?.value;
    let answer = Promise.resolve();
    const query = async (...given: Parameters<typeof db.doors.query>) => {
      await answer;
      return db.doors.query(...given);
    };
    const doors = Object.assign(Object.create(db.doors) as typeof db.doors, { query });
    const feed = await createFeed({ db: { ...db, doors }, log, metrics });
    onTestFinished(() => feed.close());
    const asked = Promise.withResolvers<void>();
    answer = asked.promise;
    const stream = feed.subscribe({ tenantId: 'acme' }, {});
    const next = stream.next();
    await immediately();
    expect(await count()).toBe(0);
    asked.resolve();
    await expect.poll(count).toBe(1);
    await journal.append(journalEntry('acme', randomUUID(), 'told'));
    expect((await next).value).toMatchObject({ correlationId: 'told' });
    await stream.return?.();
    expect(await count()).toBe(0);
  });

  it('without a cursor starts now', async () => {
    const { journal, feed } = await open(await useTestDatabase());
    const connection = randomUUID();
    await journal.append(journalEntry('acme', connection, 'before'));
    const stream = feed.subscribe({ tenantId: 'acme' }, {});
    const next = stream.next();
    // The position is taken with the first call; what is appended until a signal arrives is all later than that.
    let n = 0;
    const arrived = next.then(() => true);
    await expect
      .poll(async () => {
        await journal.append(journalEntry('acme', connection, `after-${(n += 1)}`));
        return Promise.race([arrived, Promise.resolve(false)]);
      })
      .toBe(true);
    expect((await next).value.correlationId).toMatch(/^after-/);
    await stream.return?.();
  });

  it('keeps tenants apart', async () => {
    const { journal, feed } = await open(await useTestDatabase());
    const connection = randomUUID();
    const acme = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const globex = feed.subscribe({ tenantId: 'globex' }, {}, '0');
    const both = Promise.all([take(acme, 5), take(globex, 5)]);
    for (let n = 0; n < 5; n += 1) {
      await journal.append(journalEntry('globex', connection, `globex-${n}`));
      await journal.append(journalEntry('acme', connection, `acme-${n}`));
    }
    const [seenByAcme, seenByGlobex] = await both;
    expect(seenByAcme.map(({ correlationId }) => correlationId)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `acme-${n}`),
    );
    expect(seenByGlobex.map(({ correlationId }) => correlationId)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `globex-${n}`),
    );
    await Promise.all([acme.return?.(), globex.return?.()]);
  });

  it('lets a slow subscriber read from the table what has left the window in memory', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database, { windowSize: 3 });
    const connection = randomUUID();
    const slow = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const fast = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const first = take(slow, 1);
    const all = take(fast, 50);
    for (let n = 0; n < 50; n += 1) await journal.append(journalEntry('acme', connection, String(n)));
    await all;
    const sequences = [...(await first), ...(await take(slow, 49))].map(({ sequence }) => sequence);
    expect(sequences).toEqual(await stored(database));
    await Promise.all([slow.return?.(), fast.return?.()]);
  });

  it('asks a filter once a signal, however many have it', async () => {
    const database = await useTestDatabase();
    const { db, journal } = await open(database);
    const [wanted, other] = [randomUUID(), randomUUID()];
    const asked: string[] = [];
    const tail = await createTail<Signal, SignalFilter>(
      { db, log },
      {
        entity: Signal,
        name: 'feed',
        channel: 'tributary_signals',
        toConditions,
        matches(filter, signal) {
          asked.push(`${filter.connectionIds?.join()} ${signal.correlationId}`);
          return matches(filter, signal);
        },
      },
    );
    onTestFinished(() => tail.close());
    const caller = { tenantId: 'acme' };
    const subscribe = (connectionId: string) =>
      tail.subscribe(caller, { connectionIds: [connectionId] }, '0');
    const streams = Array.from({ length: 10 }, () => subscribe(wanted));
    const elsewhere = subscribe(other);
    const first = Promise.all([...streams, elsewhere].map((stream) => take(stream, 1)));
    await journal.append(journalEntry('acme', wanted, 'first'));
    await journal.append(journalEntry('acme', other, 'first elsewhere'));
    await first;
    const next = Promise.all([...streams, elsewhere].map((stream) => take(stream, 1)));
    await expect.poll(() => asked).toContain(`${wanted} first elsewhere`);
    asked.length = 0;
    await journal.append(journalEntry('acme', other, 'second elsewhere'));
    await journal.append(journalEntry('acme', wanted, 'second'));
    const told = (await next).flat().map(({ correlationId }) => correlationId);
    expect(told).toEqual([...Array<string>(10).fill('second'), 'second elsewhere']);
    const expected = [wanted, other].flatMap((one) => [`${one} second`, `${one} second elsewhere`]);
    await expect.poll(() => asked.toSorted()).toEqual(expected.toSorted());
    for (const stream of [...streams, elsewhere]) await stream.return?.();
  });

  it('finds what no hint told of', async () => {
    const database = await useTestDatabase();
    const writer = await open(database);
    const metrics = createMetrics();
    const feed = await createFeed({ db: deaf(writer.db), log, metrics, selfCheckMs: 20 });
    onTestFinished(() => feed.close());
    const stream = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const seen = take(stream, 3);
    for (let n = 0; n < 3; n += 1) await writer.journal.append(journalEntry('acme', randomUUID(), String(n)));
    expect((await seen).map(({ sequence }) => sequence)).toEqual(await stored(database));
    await stream.return?.();
  });

  it('ends at once, even while it waits: by return and by closing the feed', async () => {
    const { journal, feed } = await open(await useTestDatabase());
    await journal.append(journalEntry('acme', randomUUID(), 'told before the wait'));
    /** The next of one that has been told all there is. */
    const wait = async () => {
      const stream = feed.subscribe({ tenantId: 'acme' }, {}, '0');
      await take(stream, 1);
      return { stream, next: stream.next() };
    };
    const returned = feed.subscribe({ tenantId: 'acme' }, {});
    const asking = returned.next();
    await returned.return?.();
    expect(await asking).toEqual({ done: true, value: undefined });
    const waiting = await wait();
    await immediately();
    await waiting.stream.return?.();
    expect(await waiting.next).toEqual({ done: true, value: undefined });
    const [closed, last] = [await wait(), feed.subscribe({ tenantId: 'acme' }, {}).next()];
    await immediately();
    await feed.close();
    expect(await closed.next).toEqual({ done: true, value: undefined });
    expect(await last).toEqual({ done: true, value: undefined });
    const late = feed.subscribe({ tenantId: 'acme' }, {}, '0').next();
    expect(await late).toEqual({ done: true, value: undefined });
  });

  it('reconnects its ear after the database cut every connection', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database, { selfCheckMs: 60_000 });
    const stream = feed.subscribe({ tenantId: 'acme' }, {}, '0');
    const seen = take(stream, 2);
    await journal.append(journalEntry('acme', randomUUID(), 'before'));
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tributary' and datname = current_database()`,
    );
    await expect
      .poll(() =>
        journal.append(journalEntry('acme', randomUUID(), 'after')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect((await seen).map(({ correlationId }) => correlationId)).toEqual(['before', 'after']);
    await stream.return?.();
  });

  it('gives the same sequence whoever writes, however hints are lost or late, whatever is wanted and wherever readers are cut', async () => {
    const database = await useTestDatabase();
    const [one, two] = [await open(database, { windowSize: 7 }), await open(database)];
    const metrics = createMetrics();
    const impaired = await Promise.all(
      [deaf(one.db), hardOfHearing(two.db)].map((db) =>
        createFeed({ db, log, metrics, selfCheckMs: 10, windowSize: 5 }),
      ),
    );
    onTestFinished(async () => void (await Promise.all(impaired.map((feed) => feed.close()))));
    const feeds = [one.feed, two.feed, ...impaired];
    const [connection, wanted] = [randomUUID(), randomUUID()];
    let run = 0;
    let before: string[] = [];
    let wantedBefore = 0;
    const plan = fc.record({
      writes: fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), { minLength: 5, maxLength: 60 }),
      cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      gulps: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ writes, ...reading }) => {
        run += 1;
        const total = before.length + writes.filter(([, isAcme]) => isAcme).length;
        wantedBefore += writes.filter(([, isAcme, isWanted]) => isAcme && isWanted).length;
        const filter = { connectionIds: [wanted] };
        const readers = feeds.map((feed) => follow(feed, total, reading));
        const choosy = feeds.map((feed) => follow(feed, wantedBefore, reading, filter));
        await Promise.all(
          writes.map(([isOne, isAcme, isWanted], n) =>
            (isOne ? one : two).journal.append(
              journalEntry(isAcme ? 'acme' : 'globex', isWanted ? wanted : connection, `${run}-${n}`),
            ),
          ),
        );
        before = await stored(database);
        for (const seen of await Promise.all(readers)) expect(seen).toEqual(before);
        const chosen = await stored(database, 'acme', wanted);
        for (const seen of await Promise.all(choosy)) expect(seen).toEqual(chosen);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  it('finds the few that match in a long history, each once and in order, and then what is live', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database);
    const [wanted, other] = [randomUUID(), randomUUID()];
    const append = (repository?: string) => {
      const entry = journalEntry('acme', repository ? wanted : other, randomUUID());
      return journal.append({
        ...entry,
        signals: entry.signals.map((signal) => ({ ...signal, repository })),
      });
    };
    // More than one look at the table reads, before each of them.
    const pad = () =>
      database.query(
        `insert into signals (sequence, id, tenant_id, connection_id, provider_id, delivery_id, environment, kind, type,
                              occurred_at, ingested_at, schema_version, content)
         select nextval('signal_sequence'), gen_random_uuid(), tenant_id, connection_id, provider_id, delivery_id,
                environment, kind, type, occurred_at, ingested_at, schema_version, content
         from signals, generate_series(1, 6000) where repository is null and sequence = (select min(sequence) from signals)`,
      );
    await append();
    for (let n = 0; n < 3; n += 1) {
      await pad();
      await append('acme/rare');
    }
    await pad();
    const rare = async () => {
      const rows = await database.query<{ sequence: string }>(
        `select sequence::text from signals where repository = 'acme/rare' order by signals.sequence`,
      );
      return rows.map(({ sequence }) => sequence);
    };
    const stream = feed.subscribe({ tenantId: 'acme' }, { repository: 'acme/rare' }, '0');
    const missed = await take(stream, 3);
    const live = take(stream, 2);
    await append('acme/rare');
    await append();
    await append('acme/rare');
    const sequences = [...missed, ...(await live)].map(({ sequence }) => sequence);
    expect(sequences).toEqual(await rare());
    await stream.return?.();
  });

  it('applies a filter the same way to what was missed and to what is live', async () => {
    const database = await useTestDatabase();
    const { journal, feed } = await open(database);
    const [wanted, other] = [randomUUID(), randomUUID()];
    const append = async (n: number) => {
      await journal.append(journalEntry('acme', other, `other-${n}`));
      await journal.append(journalEntry('acme', wanted, `wanted-${n}`));
    };
    for (let n = 0; n < 5; n += 1) await append(n);
    const stream = feed.subscribe(
      { tenantId: 'acme' },
      { connectionIds: [wanted], types: ['provider_event'] },
      '0',
    );
    const seen = take(stream, 10);
    for (let n = 5; n < 10; n += 1) await append(n);
    expect((await seen).map(({ correlationId }) => correlationId)).toEqual(
      Array.from({ length: 10 }, (_, n) => `wanted-${n}`),
    );
    await stream.return?.();
  });
});
