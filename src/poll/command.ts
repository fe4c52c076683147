import { z } from 'zod';
import { changeConnection } from '../connection/change.js';
import type { Connection } from '../connection/connection.entity.js';
import type { Connector } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput } from '../core/schema.js';
import { type EnrollDeps, enroll } from './enroll.js';
import { clamp } from './pace.js';
import { PolledStream, type Polling } from './poll.entity.js';

const DAY_SECONDS = 86_400;

const seconds = z
  .number()
  .int()
  .min(30, 'must be at least 30')
  .max(DAY_SECONDS, 'must be at most 86,400, a day')
  .nullish();

const setCommand = z.strictObject({
  connectionId: z.string(),
  isOn: z.boolean().nullish(),
  minSeconds: seconds,
  maxSeconds: seconds,
});

/** What `setPolling` takes. What is left out stays as it is. */
export type SetPolling = z.input<typeof setCommand>;

/** What `pollNow` takes. */
export interface PollNow {
  readonly connectionId: string;
  /** Reads again what happened since then, beside the live polls. */
  readonly backfillSince?: Date | null | undefined;
}

/** See PollService.set. */
export function setPolling(deps: EnrollDeps, caller: Caller, command: SetPolling): Promise<Connection> {
  const { connectionId, isOn, minSeconds, maxSeconds } = requireInput(setCommand, command);
  return changeConnection(deps, caller, connectionId, async ({ connection, transaction, now, attest }) => {
    const polling = await enroll(deps, transaction, connection, requirePollable(deps, connection));
    polling.isOn = isOn ?? polling.isOn;
    polling.minSeconds = minSeconds ?? polling.minSeconds;
    polling.maxSeconds = maxSeconds ?? polling.maxSeconds;
    if (polling.maxSeconds < polling.minSeconds)
      throw invalidInput('maxSeconds', 'must not be below minSeconds');
    await repace(transaction, connection, polling, now);
    const result = { is_on: polling.isOn, min_seconds: polling.minSeconds, max_seconds: polling.maxSeconds };
    attest('set_polling', 'SUCCESS', {}, result);
    return connection;
  });
}

/** See PollService.pollNow. */
export function pollNow(deps: EnrollDeps, caller: Caller, command: PollNow): Promise<Connection> {
  const { connectionId, backfillSince } = command;
  return changeConnection(deps, caller, connectionId, async ({ connection, transaction, now, attest }) => {
    if (backfillSince && backfillSince >= now) throw invalidInput('backfillSince', 'must be in the past');
    const connector = requirePollable(deps, connection);
    requireActive(connection);
    await enroll(deps, transaction, connection, connector);
    await transaction.execute(HASTEN, [now, connection.id]);
    const [row] = await transaction.execute<{ streams: number }[]>(COUNT, [connection.id]);
    if (!row?.streams) throw nothingToPoll(connector);
    if (backfillSince) {
      await transaction.execute(FORGET, [connection.id, backfillSince]);
      await transaction.execute(BACKFILL, [backfillSince, now, connection.id]);
    }
    const request = { backfill_since: backfillSince?.toISOString() ?? null };
    attest('poll_now', 'SUCCESS', request, { streams: row.streams });
    return connection;
  });
}

/** New bounds count at once: nothing waits for longer than they allow. */
async function repace(
  transaction: EntityManager,
  { id: connectionId, status }: Connection,
  polling: Polling,
  now: Date,
): Promise<void> {
  const streams = await transaction.find(PolledStream, { connectionId, mode: 'LIVE' });
  const latest = new Date(now.getTime() + polling.maxSeconds * 1000);
  for (const stream of streams) {
    stream.isResting = status !== 'ACTIVE' || !polling.isOn;
    stream.intervalSeconds = clamp(stream.intervalSeconds, polling);
    if (stream.dueAt && stream.dueAt > latest) stream.dueAt = latest;
  }
}

function requirePollable({ catalog }: EnrollDeps, { providerId, capabilities }: Connection): Connector {
  const connector = catalog.require(providerId);
  if (connector.poll && capabilities.includes('POLLING')) return connector;
  throw new TributaryError('UNSUPPORTED', 'This connection was made without the capability POLLING.');
}

function requireActive({ status }: Connection): void {
  if (status === 'ACTIVE') return;
  throw new TributaryError('CONNECTION_NOT_READY', `This connection is ${status}; polls need it ACTIVE.`, {
    status,
  });
}

function nothingToPoll({ manifest }: Connector): TributaryError {
  const message = `The settings of this connection name nothing at ${manifest.name} that could be polled.`;
  return new TributaryError('UNSUPPORTED', message);
}

const HASTEN = `
  update poll_streams set due_at = least(due_at, ?)
  where connection_id = ? and mode = 'LIVE' and due_at is not null`;

const COUNT = `
  select count(*)::int as streams from poll_streams where connection_id = ? and mode = 'LIVE' and due_at is not null`;

/** What is done, or does not go back far enough, makes room for a new one; whoever is at it can't write any more. */
const FORGET = `
  delete from poll_streams where connection_id = ? and mode = 'BACKFILL' and (status = 'DONE' or since > ?)`;

/** What is left goes on from where it is. */
const BACKFILL = `
  insert into poll_streams (id, tenant_id, connection_id, name, mode, title, since, due_at, is_resting,
                            interval_seconds, failures, fence, found, progress, status)
  select gen_random_uuid(), tenant_id, connection_id, name, 'BACKFILL', title, ?, ?, false, interval_seconds, 0, 0, 0,
         0, 'RUNNING'
  from poll_streams where connection_id = ? and mode = 'LIVE' and due_at is not null
  on conflict (connection_id, name, mode) do update set
    status = 'RUNNING', due_at = excluded.due_at, failures = 0, failure = null`;
