import type { Pool } from 'pg';
import { v7 as uuidV7 } from 'uuid';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { isDatabaseAway } from '../core/postgres.js';
import { toStorableJson } from '../core/storable.js';

/** Who needs a secret, and what for. */
export interface Accessor {
  /** The `sub` of a caller's token, or `system` for what nobody asked for. */
  readonly actor: string;
  /** What for, lower_snake: `verify`, `action`, `webhook`, `refresh` … */
  readonly purpose: string;
  readonly correlationId: string | null;
}

/** One use of a secret in clear. */
export interface Access extends Accessor {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly field: 'credential' | 'webhook_secret';
  /** Which of the secrets that stood there one after the other; null where they are not counted. */
  readonly secretVersion: number | null;
  readonly at: Date;
}

/** Writes down every use of a secret. */
export interface AccessLog {
  /**
   * Hands the row to the next flush, which starts at once; whoever uses the secret does not wait for it. Throws
   * STORAGE_UNAVAILABLE when too many rows wait: a secret whose use can't be written down is not used.
   */
  record(access: Access): void;
  /** Resolves when every row is committed. Those that can't be are logged whole: they hold no secret. */
  drain(): Promise<void>;
}

const MAX_WAITING = 10_000;
const MAX_BATCH = 1_000;
const AGAIN_MS = 1_000;

type Row = Readonly<Record<string, unknown>>;

/** Rows that come while a flush is in flight go with the next; those of a failed one stay in front and go again. */
export function createAccessLog(pool: Pool, log: Log, metrics?: Metrics): AccessLog {
  const waiting: Row[] = [];
  let again: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  function write(rows: readonly Row[]): Promise<unknown> {
    return pool.query({
      name: 'secret_access_record',
      text: 'select secret_access_record($1)',
      values: [toStorableJson(rows)],
    });
  }

  /** One row that the database refuses for what it is must not keep all that come after it from being written. */
  async function writeOneByOne(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      try {
        await write([row]);
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        log.error({ err: error, row }, 'vault: the use of a secret could not be written down');
      }
    }
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      try {
        await write(batch);
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        await writeOneByOne(batch);
      }
      waiting.splice(0, batch.length);
    }
  }

  function start(): Promise<void> {
    clearTimeout(again);
    again = undefined;
    flushing ??= flush()
      .catch((error: unknown) => {
        log.error({ err: error, waiting: waiting.length }, 'vault: uses of secrets wait to be written down');
        again = setTimeout(() => void start(), AGAIN_MS).unref();
      })
      .finally(() => {
        flushing = undefined;
        // What came after the last look.
        if (waiting.length > 0 && !again) void start();
      });
    return flushing;
  }

  return {
    record(access) {
      if (waiting.length >= MAX_WAITING) {
        const message = 'The use of a secret can’t be written down at the moment, so it is not used.';
        throw new TributaryError('STORAGE_UNAVAILABLE', message, { retry_after_seconds: 1 });
      }
      waiting.push(toRow(access));
      metrics?.secretAccesses.inc({ field: access.field, purpose: access.purpose });
      void start();
    },
    async drain() {
      await start();
      clearTimeout(again);
      if (waiting.length > 0)
        log.error({ lost: waiting }, 'vault: uses of secrets could not be written down');
    },
  };
}

/** With an id of its own, so that a row whose commit was not heard of is not written twice. */
function toRow(access: Access): Row {
  return {
    id: uuidV7(),
    tenant_id: access.tenantId,
    connection_id: access.connectionId,
    field: access.field,
    secret_version: access.secretVersion,
    actor: access.actor,
    purpose: access.purpose,
    correlation_id: access.correlationId,
    accessed_at: access.at,
  };
}
