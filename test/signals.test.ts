import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { migrations } from '../src/migrations/index.js';
import { createFeed } from '../src/signal/feed.js';
import { type SignalFilter, matches } from '../src/signal/filter.js';
import { createJournal } from '../src/signal/journal.js';
import { Signal } from '../src/signal/signal.entity.js';
import { createSignalService, signalCursor } from '../src/signal/signals.js';
import { type Caller, scopes } from '../src/core/caller.js';
import { toCursor } from '../src/core/page.js';
import { useTestDatabase } from './support/database.js';
import { journalEntry } from './support/journal.js';

const caller: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'c' };

const connections = [randomUUID(), randomUUID()];
const providers = ['github', 'example'];
const types = ['push', 'pr_opened', 'provider_event'];
const repositories = ['acme/one', 'acme/two', undefined];
const days = ['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z', '2026-11-03T00:00:00.000Z'];

async function open() {
  const database = await useTestDatabase();
  const log = createLog('silent');
  const metrics = createMetrics();
  const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
  const feed = await createFeed({ db, log, metrics });
  onTestFinished(async () => {
    await feed.close();
    await db.close();
  });
  return { signals: createSignalService(db, feed), journal: createJournal({ pool: db.doors, log, metrics }) };
}

/** Every combination of the fields a filter can name. */
function* combinations() {
  for (const connection of connections)
    for (const provider of providers)
      for (const type of types)
        for (const repository of repositories)
          for (const occurredAt of days) yield { connection, provider, type, repository, occurredAt };
}

const filters: fc.Arbitrary<SignalFilter> = fc.record(
  {
    connectionIds: fc.subarray([...connections, randomUUID(), 'no uuid']),
    providerIds: fc.subarray([...providers, 'other']),
    types: fc.subarray([...types, 'other']),
    kinds: fc.subarray(['event', 'metric'] as const),
    repository: fc.constantFrom('acme/one', 'acme/two', 'acme/three'),
    since: fc.constantFrom(...days.map((day) => new Date(day))),
    until: fc.constantFrom(...days.map((day) => new Date(day))),
    correlationId: fc.constantFrom('event-0', 'event-1', 'none'),
  },
  { requiredKeys: [] },
);

describe('signals', () => {
  it('are filtered alike in the table, in memory and by who has missed them, for any filter', async () => {
    const { signals, journal } = await open();
    const entries = [...combinations()].map(({ connection, provider, type, repository, occurredAt }, n) => {
      const entry = journalEntry('acme', connection, `event-${n}`);
      const [signal] = entry.signals;
      if (!signal) throw new Error('an entry has a signal');
      return {
        ...entry,
        signals: [{ ...signal, provider_id: provider, type, repository, occurred_at: occurredAt }],
      };
    });
    await Promise.all(entries.map((entry) => journal.append(entry)));
    const all = (await signals.list(caller, {}, { first: 200 })).nodes;
    expect(all).toHaveLength(108);
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const found = (await signals.list(caller, filter, { first: 200 })).nodes.map(({ id }) => id);
        expect(found).toEqual(all.filter((signal) => matches(filter, signal)).map(({ id }) => id));
        const missed = await signals.subscribe(caller, filter, toCursor('signals', '0'));
        for (const id of found) expect((await missed.next()).value.id).toBe(id);
        await missed.return?.();
      }),
      { numRuns: 60 },
    );
  });

  it('page in sequence order, each once, whatever the page size', async () => {
    const { signals, journal } = await open();
    const connection = randomUUID();
    for (let n = 0; n < 25; n += 1) await journal.append(journalEntry('acme', connection, `event-${n}`));
    for (const first of [1, 7, 25, 200]) {
      const seen: string[] = [];
      let after: string | undefined;
      for (let hasNext = true; hasNext;) {
        const { nodes, pageInfo } = await signals.list(caller, {}, { first, after });
        seen.push(...nodes.map(({ correlationId }) => correlationId ?? ''));
        hasNext = pageInfo.hasNextPage;
        after = pageInfo.endCursor ?? undefined;
      }
      expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `event-${n}`));
    }
  });

  it('go on live where a page ended: one cursor for both', async () => {
    const { signals, journal } = await open();
    const connection = randomUUID();
    for (let n = 0; n < 3; n += 1) await journal.append(journalEntry('acme', connection, `event-${n}`));
    const { pageInfo, nodes } = await signals.list(caller, {}, { first: 2 });
    expect(pageInfo.endCursor).toBe(nodes[1] && signalCursor(nodes[1]));
    const stream = await signals.subscribe(caller, {}, pageInfo.endCursor ?? undefined);
    expect((await stream.next()).value.correlationId).toBe('event-2');
    await stream.return?.();
  });

  it('refuse foreign cursors, sizes and endless filters with a code that says so', async () => {
    const { signals } = await open();
    await expect(signals.list(caller, {}, { first: 10, after: 'x' })).rejects.toMatchObject({
      code: 'INVALID_CURSOR',
    });
    await expect(signals.list(caller, {}, { first: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const types101 = Array.from({ length: 101 }, String);
    await expect(signals.list(caller, { types: types101 }, { first: 1 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(signals.subscribe(caller, {}, 'x')).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    await expect(signals.require(caller, 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(signals.require(caller, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
