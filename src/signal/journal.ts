import type { Pool } from 'pg';
import { TributaryError } from '../core/errors.js';
import type { Hints } from '../core/hints.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { toStorableJson } from '../core/storable.js';
import { inSpan } from '../core/trace.js';
import type { Delivery } from './delivery.entity.js';
import type { SignalRecord } from './envelope.js';

/** An event as the journal keeps it. */
export interface DeliveryRecord {
  readonly id: string;
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly provider_id: string;
  /** Unique per connection: the replay guard. */
  readonly event_id: string;
  readonly event_type: string;
  readonly api_version: string | undefined;
  readonly content_type: string;
  readonly received_at: string;
  /** Why there are no signals: set on a dead letter. */
  readonly failure: string | undefined;
  readonly via: Delivery['via'];
}

export interface JournalEntry {
  readonly delivery: DeliveryRecord;
  /** Compressed and sealed. */
  readonly body: Buffer;
  readonly signals: readonly SignalRecord[];
}

/** What is in the journal now. For a duplicate: what the first of its kind left there. */
export interface Appended {
  readonly deliveryId: string;
  readonly signalIds: readonly string[];
  readonly isDuplicate: boolean;
}

export interface Journal {
  /**
   * Resolves once the entry is committed, and only then. Throws STORAGE_UNAVAILABLE when it was not stored: the
   * database is away, or more is waiting than may wait.
   */
  append(entry: JournalEntry): Promise<Appended>;
  /** Resolves when everything accepted so far is settled. */
  drain(): Promise<void>;
}

/** Where hints at new signals are given. */
export const SIGNAL_HINTS = 'tributary_signals';

export interface JournalDeps {
  readonly pool: Pool;
  /** How others are told of new signals, if not by NOTIFY with every commit. */
  readonly hints?: Pick<Hints, 'canGive' | 'give'> | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bounds?: JournalBounds;
}

/** In bytes as they are sent: bodies, and signals as JSON. */
export interface JournalBounds {
  /** Of one flush, unless a single entry is larger. */
  readonly batchBytes: number;
  /** Of all that waits: beyond it nothing more is taken. */
  readonly waitingBytes: number;
}

const MAX_BATCH_ENTRIES = 256;
const MAX_WAITING_ENTRIES = 10_000;
const BOUNDS: JournalBounds = { batchBytes: 16 * 1024 * 1024, waitingBytes: 128 * 1024 * 1024 };
/** One flush waits for its commit while the next is sent: the server has its input at hand when the lock comes free. */
const LANES = 2;

interface Waiting {
  readonly entry: JournalEntry;
  /** The entry's signals, as JSON each: made once, to be measured and to be sent. */
  readonly signals: readonly string[];
  readonly bytes: number;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

/**
 * Group commit: what arrives while a flush is in flight joins the next one. An entry that comes when nothing is in
 * flight is sent at once; there is no timer and no artificial delay.
 */
export function createJournal({ pool, hints, log, metrics, bounds = BOUNDS }: JournalDeps): Journal {
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let flights = 0;
  /** Entries of the flushes that are under way. */
  let inFlight = 0;
  let idle: (() => void)[] = [];

  function takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const one of waiting) {
      bytes += one.bytes;
      if (count > 0 && (bytes > bounds.batchBytes || count >= MAX_BATCH_ENTRIES)) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= batch.reduce((sum, one) => sum + one.bytes, 0);
    metrics.journalQueue.set(waiting.length);
    return batch;
  }

  /**
   * Beside another, a flush goes only when as many wait as that one has: a smaller one would wait for the same lock, and
   * cost the database as much.
   */
  const isWorthAFlush = (): boolean => waiting.length > 0 && waiting.length >= inFlight;

  /** Keeps a lane busy until nothing waits, or too little for two. */
  async function fly(): Promise<void> {
    flights += 1;
    // Who takes the same step belongs to the same flush; requests of one turn take it in a row, see src/core/turn.ts.
    await Promise.resolve();
    while (isWorthAFlush()) {
      const batch = takeBatch();
      inFlight += batch.length;
      await flush(batch);
      inFlight -= batch.length;
    }
    flights -= 1;
    if (flights === 0) for (const resolve of idle.splice(0)) resolve();
  }

  async function flush(batch: readonly Waiting[]): Promise<void> {
    metrics.journalBatch.observe(batch.length);
    const giver = hints?.canGive() ? hints : undefined;
    try {
      const known = await write(pool, batch, giver === undefined);
      settle(batch, known);
      if (hasNews(batch, known)) giver?.give(SIGNAL_HINTS);
    } catch (error) {
      if (batch.length > 1 && refusalOf(error) !== undefined) {
        // One entry the database won't take must not take its neighbours down.
        for (const one of batch) await flush([one]);
        return;
      }
      log.error(
        { err: refusalOf(error) ?? error, entries: batch.length },
        'journal: nothing of this flush was stored',
      );
      for (const { reject } of batch) reject(toStorageError(error));
    }
  }

  function enqueue(entry: JournalEntry): Promise<Appended> {
    if (waiting.length >= MAX_WAITING_ENTRIES || waitingBytes >= bounds.waitingBytes) {
      return Promise.reject(unavailable('More is waiting to be stored than fits.'));
    }
    return new Promise((resolve, reject) => {
      const signals = entry.signals.map(toStorableJson);
      const bytes = signals.reduce((sum, text) => sum + Buffer.byteLength(text), entry.body.length);
      waiting.push({ entry, signals, bytes, resolve, reject });
      waitingBytes += bytes;
      metrics.journalQueue.set(waiting.length);
      if (flights < LANES && isWorthAFlush()) void fly();
    });
  }

  return {
    append: (entry) => inSpan('journal append', { attributes: placeOf(entry) }, () => enqueue(entry)),
    drain: () => (flights === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}

function placeOf({ delivery, signals }: JournalEntry) {
  return {
    'tributary.provider': delivery.provider_id,
    'tributary.connection_id': delivery.connection_id,
    'tributary.delivery_id': delivery.id,
    'tributary.signals': signals.length,
  };
}

interface KnownRow {
  readonly index: number;
  readonly delivery_id: string;
  readonly signal_ids: readonly string[];
}

async function write(
  pool: Pool,
  batch: readonly Waiting[],
  isNotifying: boolean,
): Promise<Map<number, KnownRow>> {
  const { rows } = await pool.query<KnownRow>({
    name: 'journal_append',
    text: 'select index, delivery_id, signal_ids from journal_append($1::jsonb, $2::jsonb, $3, $4)',
    values: [
      ...toArguments(
        batch.map(({ entry }) => entry),
        batch.flatMap(({ signals }) => signals),
      ),
      isNotifying,
    ],
  });
  return new Map(rows.map((row) => [row.index, row]));
}

/** What `journal_append` takes first: deliveries, signals, and all bodies in one. */
type AppendArguments = [deliveries: string, signals: string, bodies: Buffer];

/** Entries as `journal_append` takes them. */
export function toAppendArguments(entries: readonly JournalEntry[]): AppendArguments {
  return toArguments(
    entries,
    entries.flatMap(({ signals }) => signals.map(toStorableJson)),
  );
}

function toArguments(entries: readonly JournalEntry[], signals: readonly string[]): AppendArguments {
  return [
    toStorableJson(deliveriesOf(entries)),
    toNumberedArray(signals),
    Buffer.concat(entries.map(({ body }) => body)),
  ];
}

/** Objects that are JSON already, with their place in the array. They are not parsed for it. */
function toNumberedArray(objects: readonly string[]): string {
  return `[${objects.map((text, index) => `{"index":${index},${text.slice(1)}`).join(',')}]`;
}

function deliveriesOf(entries: readonly JournalEntry[]): object[] {
  let bodyStart = 1; // SQL counts from one
  return entries.map(({ delivery, body, signals }, index) => {
    const row = {
      ...delivery,
      index,
      body_start: bodyStart,
      body_length: body.length,
      signal_ids: signals.map(({ id }) => id),
    };
    bodyStart += body.length;
    return row;
  });
}

function hasNews(batch: readonly Waiting[], known: ReadonlyMap<number, KnownRow>): boolean {
  return batch.some(({ signals }, index) => signals.length > 0 && !known.has(index));
}

function settle(batch: readonly Waiting[], known: ReadonlyMap<number, KnownRow>): void {
  for (const [index, { entry, resolve }] of batch.entries()) {
    const earlier = known.get(index);
    resolve({
      deliveryId: earlier?.delivery_id ?? entry.delivery.id,
      signalIds: earlier?.signal_ids ?? entry.signals.map(({ id }) => id),
      isDuplicate: earlier !== undefined,
    });
  }
}

/**
 * Why the database refuses these rows themselves (class 22: data, 23: constraint, 54: limits); undefined for an error
 * of any other kind, after which the same rows may well be stored. What PostgreSQL says may quote the event, so only
 * its code is told.
 */
export function refusalOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(22|23|54)\w{3}$/.test(code) ? `The database refuses its signals (SQLSTATE ${code}).` : undefined;
}

function toStorageError(error: unknown): unknown {
  return refusalOf(error) !== undefined
    ? error
    : unavailable('The database did not confirm the write.', { cause: error });
}

function unavailable(message: string, options?: ErrorOptions): TributaryError {
  return new TributaryError('STORAGE_UNAVAILABLE', message, { retry_after_seconds: 1 }, options);
}
