import type { Pool } from 'pg';
import { v7 as uuidV7 } from 'uuid';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { isDatabaseAway } from '../core/postgres.js';
import { toStorableJson } from '../core/storable.js';
import type { FinishedCall } from '../outbound/call.js';

/** Writes down the calls to providers, in batches and after the fact: no call waits for it. */
export interface CallLog {
  /** Keeps the call for the next flush. What does not fit is left out and counted: it is a log, and no proof. */
  record(call: FinishedCall): void;
  /** Writes what has been kept. While the database is away it is kept on. */
  flush(): Promise<void>;
}

const MAX_WAITING = 10_000;
const MAX_BATCH = 1_000;

type Row = Readonly<Record<string, unknown>>;

export function createCallLog(pool: Pool, log: Log, metrics: Metrics): CallLog {
  const waiting: Row[] = [];
  let flushing: Promise<void> | undefined;

  function leaveOut(rows: number): void {
    metrics.callsLeftOut.inc(rows);
  }

  /** A row that the database refuses for what it is must not keep all that come after it from being written. */
  async function write(rows: readonly Row[]): Promise<void> {
    try {
      await pool.query({
        name: 'provider_calls_record',
        text: 'select provider_calls_record($1::jsonb)',
        values: [toStorableJson(rows)],
      });
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      if (rows.length > 1) {
        for (const row of rows) await write([row]);
        return;
      }
      log.error({ err: error, row: rows[0] }, 'integration log: a call could not be written down');
      leaveOut(1);
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      await write(batch);
      waiting.splice(0, batch.length);
    }
  }

  return {
    record(call) {
      if (waiting.length >= MAX_WAITING) return leaveOut(1);
      waiting.push(toRow(call));
    },
    flush() {
      flushing ??= writeAll()
        .catch((error: unknown) =>
          log.warn({ err: error, waiting: waiting.length }, 'integration log: calls wait to be written down'),
        )
        .finally(() => (flushing = undefined));
      return flushing;
    },
  };
}

/** With an id of its own, so that a row whose commit was not heard of is not written twice. */
function toRow(call: FinishedCall): Row {
  return {
    id: uuidV7(),
    tenant_id: call.tenantId,
    connection_id: call.connectionId,
    provider_id: call.providerId,
    operation: call.operation,
    method: call.method,
    endpoint: call.endpoint,
    status: call.status,
    category: call.category,
    code: call.code,
    attempts: call.attempts,
    duration_ms: call.durationMs,
    correlation_id: call.correlationId,
    trace_id: call.traceId,
    limit_remaining: call.limitRemaining,
    called_at: call.at,
  };
}
