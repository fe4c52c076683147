import type { Pool } from 'pg';
import { DatabaseError } from 'pg';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { toStorableJson } from '../core/storable.js';
import type { SignalRecord } from './envelope.js';

/** A webhook request as the journal keeps it. */
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

export interface JournalDeps {
  readonly pool: Pool;
  readonly log: Log;
  readonly metrics: Metrics;
}

const MAX_BATCH_ENTRIES = 256;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const MAX_WAITING_ENTRIES = 10_000;
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
/** One flush waits for its commit while the next is sent: the server has its input at hand when the lock comes free. */
const LANES = 2;

interface Waiting {
  readonly entry: JournalEntry;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

/**
 * Group commit: what arrives while a flush is in flight joins the next one. An entry that comes when nothing is in
 * flight is sent at once; there is no timer and no artificial delay.
 */
export function createJournal({ pool, log, metrics }: JournalDeps): Journal {
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let flights = 0;
  let idle: (() => void)[] = [];

  function takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { entry } of waiting) {
      bytes += entry.body.length;
      if (count > 0 && (bytes > MAX_BATCH_BYTES || count >= MAX_BATCH_ENTRIES)) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= batch.reduce((sum, { entry }) => sum + entry.body.length, 0);
    metrics.journalQueue.set(waiting.length);
    return batch;
  }

  /** Keeps a lane busy until nothing waits. */
  async function fly(): Promise<void> {
    flights += 1;
    // Requests read from the sockets in the same turn of the event loop belong to the same flush.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await flush(takeBatch());
    flights -= 1;
    if (flights === 0) for (const resolve of idle.splice(0)) resolve();
  }

  async function flush(batch: readonly Waiting[]): Promise<void> {
    metrics.journalBatch.observe(batch.length);
    try {
      settle(
        batch,
        await write(
          pool,
          batch.map(({ entry }) => entry),
        ),
      );
    } catch (error) {
      if (batch.length > 1 && isRefusedByDatabase(error)) {
        // One entry the database won't take must not take its neighbours down.
        for (const one of batch) await flush([one]);
        return;
      }
      log.error({ err: error, entries: batch.length }, 'journal: nothing of this flush was stored');
      for (const { reject } of batch) reject(toStorageError(error));
    }
  }

  return {
    append(entry) {
      if (waiting.length >= MAX_WAITING_ENTRIES || waitingBytes >= MAX_WAITING_BYTES) {
        return Promise.reject(unavailable('More is waiting to be stored than fits.'));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        waitingBytes += entry.body.length;
        metrics.journalQueue.set(waiting.length);
        if (flights < LANES) void fly();
      });
    },
    drain: () => (flights === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}

interface KnownRow {
  readonly index: number;
  readonly delivery_id: string;
  readonly signal_ids: readonly string[];
}

async function write(pool: Pool, entries: readonly JournalEntry[]): Promise<Map<number, KnownRow>> {
  const { rows } = await pool.query<KnownRow>({
    name: 'journal_append',
    text: 'select index, delivery_id, signal_ids from journal_append($1::jsonb, $2::jsonb, $3)',
    values: toAppendArguments(entries),
  });
  return new Map(rows.map((row) => [row.index, row]));
}

/** Entries as `journal_append` takes them: deliveries, signals, and all bodies in one. */
export function toAppendArguments(entries: readonly JournalEntry[]): [string, string, Buffer] {
  return [
    toStorableJson(deliveriesOf(entries)),
    toStorableJson(signalsOf(entries)),
    Buffer.concat(entries.map(({ body }) => body)),
  ];
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

function signalsOf(entries: readonly JournalEntry[]): object[] {
  return entries.flatMap(({ signals }) => signals).map((signal, index) => ({ ...signal, index }));
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

/** The statement itself was refused (class 22: data, 23: constraint, 54: limits), rather than not carried out. */
function isRefusedByDatabase(error: unknown): boolean {
  return error instanceof DatabaseError && /^(22|23|54)/.test(error.code ?? '');
}

function toStorageError(error: unknown): unknown {
  return isRefusedByDatabase(error)
    ? error
    : unavailable('The database did not confirm the write.', { cause: error });
}

function unavailable(message: string, options?: ErrorOptions): TributaryError {
  return new TributaryError('STORAGE_UNAVAILABLE', message, { retry_after_seconds: 1 }, options);
}
