import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { migrations } from '../src/migrations/index.js';
import { type Journal, type JournalBounds, createJournal } from '../src/signal/journal.js';
import { Signal } from '../src/signal/signal.entity.js';
import { type TestDatabase, useClient, useTestDatabase } from './support/database.js';
import { journalEntry } from './support/journal.js';

const log = createLog('silent');

async function open(database: TestDatabase): Promise<{ journal: Journal }> {
  const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
  onTestFinished(() => db.close());
  return { journal: createJournal({ pool: db.doors, log, metrics: createMetrics() }) };
}

/** Small enough to be filled by signals of a kilobyte each. */
async function openBounded(bounds: JournalBounds) {
  const db = await openDb({ url: (await useTestDatabase()).url, entities: [Signal], migrations, log });
  onTestFinished(() => db.close());
  const metrics = createMetrics();
  const journal = createJournal({ pool: db.doors, log, metrics, bounds });
  const connection = randomUUID();
  const entries = Array.from({ length: 30 }, (_, n) => {
    const entry = journalEntry('acme', connection, `event-${n}`);
    const content = { ...entry.signals[0]!.content, payload: { text: 'é'.repeat(500) } };
    return { ...entry, signals: entry.signals.map((signal) => ({ ...signal, content })) };
  });
  return { metrics, append: () => Promise.allSettled(entries.map((entry) => journal.append(entry))) };
}

describe('the bounds of the journal', () => {
  it('count signals, in bytes, in what may wait', async () => {
    const { append } = await openBounded({ batchBytes: 1_000_000, waitingBytes: 10_000 });
    const results = await append();
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeLessThan(30);
    expect(refused[0]).toMatchObject({ reason: { code: 'STORAGE_UNAVAILABLE' } });
    // What was stored waits no more.
    expect((await append())[0]?.status).toBe('fulfilled');
  });

  it('count signals in what is sent at once', async () => {
    const { append, metrics } = await openBounded({ batchBytes: 10_000, waitingBytes: 1_000_000 });
    expect((await append()).every(({ status }) => status === 'fulfilled')).toBe(true);
    const { values } = await metrics.journalBatch.get();
    const valueOf = (end: string) => values.find(({ metricName }) => metricName?.endsWith(end))?.value;
    expect(valueOf('_sum')).toBe(30);
    expect(valueOf('_count')).toBeGreaterThanOrEqual(4);
  });
});

describe('the journal', () => {
  it('commits many concurrent entries, each once, bodies byte for byte', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const connection = randomUUID();
    const entries = Array.from({ length: 700 }, (_, n) => journalEntry('acme', connection, `event-${n}`));
    const results = await Promise.all(entries.map((entry) => journal.append(entry)));
    expect(results.every(({ isDuplicate }) => !isDuplicate)).toBe(true);
    const stored = await database.query<{ event_id: string; body: Buffer; signal_ids: string[] }>(
      'select event_id, body, signal_ids from deliveries',
    );
    expect(stored).toHaveLength(700);
    for (const row of stored) expect(row.body.toString()).toBe(`sealed ${row.event_id}`);
    expect(await database.query('select count(distinct sequence)::int as n from signals')).toEqual([
      { n: 700 },
    ]);
  });

  it('sends a second flush beside the first only when as many wait', async () => {
    const database = await useTestDatabase();
    const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
    onTestFinished(() => db.close());
    const metrics = createMetrics();
    const journal = createJournal({ pool: db.doors, log, metrics });
    const connection = randomUUID();
    const append = (...names: string[]) =>
      names.map((name) => journal.append(journalEntry('acme', connection, name)));
    const flushes = async () => {
      const { values } = await metrics.journalBatch.get();
      return values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;
    };
    // What every flush waits for.
    const holder = await useClient({ connectionString: database.url });
    await holder.query('select pg_advisory_lock(7236001)');
    const first = append('a', 'b', 'c');
    await expect.poll(flushes).toBe(1);
    const next = append('d', 'e');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(await flushes()).toBe(1);
    next.push(...append('f'));
    await expect.poll(flushes).toBe(2);
    // A third lane there is not, however many wait.
    const last = append('g', 'h', 'i', 'j', 'k', 'l', 'm');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(await flushes()).toBe(2);
    await holder.query('select pg_advisory_unlock(7236001)');
    await Promise.all([...first, ...next, ...last]);
    expect(await flushes()).toBe(3);
    expect(await database.query('select count(*)::int as n from signals')).toEqual([{ n: 13 }]);
  });

  it('answers a repeated event with what the first of it left, also within one flush', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const connection = randomUUID();
    const [first, second] = await Promise.all([
      journal.append(journalEntry('acme', connection, 'same')),
      journal.append(journalEntry('acme', connection, 'same')),
    ]);
    const third = await journal.append(journalEntry('acme', connection, 'same'));
    expect(first?.isDuplicate).toBe(false);
    expect(second).toEqual({ ...first, isDuplicate: true });
    expect(third).toEqual({ ...first, isDuplicate: true });
    expect(await database.query('select count(*)::int as n from signals')).toEqual([{ n: 1 }]);
  });

  it('takes the same event of two connections as two', async () => {
    const { journal } = await open(await useTestDatabase());
    const entries = [randomUUID(), randomUUID()].map((connection) =>
      journalEntry('acme', connection, 'same'),
    );
    const results = await Promise.all(entries.map((entry) => journal.append(entry)));
    expect(results.map(({ isDuplicate }) => isDuplicate)).toEqual([false, false]);
  });

  it('stores a signal that came another way only once', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const connection = randomUUID();
    const [one, other] = [
      journalEntry('acme', connection, 'webhook'),
      journalEntry('acme', connection, 'poll'),
    ];
    const sameSignal = {
      ...other,
      signals: other.signals.map((signal) => ({ ...signal, id: one.signals[0]?.id ?? '' })),
    };
    await journal.append(one);
    const second = await journal.append(sameSignal);
    expect(second).toMatchObject({ isDuplicate: false, signalIds: [one.signals[0]?.id] });
    expect(await database.query('select count(*)::int as n from signals')).toEqual([{ n: 1 }]);
  });

  it('keeps an entry the database refuses from taking its neighbours down', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const connection = randomUUID();
    const good = [1, 2, 3].map((n) => journalEntry('acme', connection, `good-${n}`));
    const bad = journalEntry('acme', 'not-a-uuid', 'bad');
    const results = await Promise.allSettled([...good, bad].map((entry) => journal.append(entry)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect(await database.query('select count(*)::int as n from deliveries')).toEqual([{ n: 3 }]);
  });

  it('stores texts that jsonb refuses: NUL and unpaired surrogates, in values and in keys', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const entry = journalEntry('acme', randomUUID(), 'odd');
    const payload = { value: 'a\0b \ud83d c', 'key\0': 1, backslash: '\\u0000', emoji: '😀' };
    const signals = entry.signals.map((signal) => ({ ...signal, content: { ...signal.content, payload } }));
    await journal.append({ ...entry, signals });
    const [row] = await database.query<{ content: { payload: object } }>('select content from signals');
    expect(row?.content.payload).toEqual({ value: 'a�b � c', 'key�': 1, backslash: '\\u0000', emoji: '😀' });
  });

  it('gives sequences in the order of commits, over two processes', async () => {
    const database = await useTestDatabase();
    const journals = [await open(database), await open(database)];
    const reader = await useClient({ connectionString: database.url });
    const connection = randomUUID();
    const writing = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      // Reads only what is beyond the highest it has seen: a lower sequence that appears later would be lost.
      while (!writing.signal.aborted || seen.length < 600) {
        const { rows } = await reader.query(
          'select sequence::int from signals where sequence > $1 order by sequence',
          [seen.at(-1) ?? 0],
        );
        seen.push(...rows.map((row: { sequence: number }) => row.sequence));
      }
    })();
    await Promise.all(
      journals.flatMap(({ journal }, writer) =>
        Array.from({ length: 300 }, (_, n) =>
          journal.append(journalEntry('acme', connection, `${writer}-${n}`)),
        ),
      ),
    );
    writing.abort();
    await reading;
    expect(seen).toHaveLength(600);
  });

  it('says that nothing was stored when the database is away, and stores again when it is back', async () => {
    const database = await useTestDatabase();
    const { journal } = await open(database);
    const connection = randomUUID();
    await journal.append(journalEntry('acme', connection, 'before'));
    await database.query('alter table deliveries rename to hidden');
    await expect(journal.append(journalEntry('acme', connection, 'meanwhile'))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      details: { retry_after_seconds: 1 },
    });
    await database.query('alter table hidden rename to deliveries');
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tributary' and datname = current_database()`,
    );
    await expect
      .poll(() =>
        journal.append(journalEntry('acme', connection, 'after')).then(
          ({ isDuplicate }) => isDuplicate,
          () => null,
        ),
      )
      .not.toBeNull();
  });
});
