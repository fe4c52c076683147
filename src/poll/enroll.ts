import { v7 as uuidV7 } from 'uuid';
import { Connection } from '../connection/connection.entity.js';
import type { ProviderCatalog } from '../connection/catalog.js';
import type { Connector, PollStream } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import type { Log } from '../core/log.js';
import { DEFAULT_BOUNDS, firstDue, firstInterval } from './pace.js';
import { Polling } from './poll.entity.js';

export interface EnrollDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
  readonly log: Log;
}

const BATCH = 500;

/**
 * Derives what is to be polled from connections and connectors as they are: for connections that are new, and where
 * settings or connector have changed. Answers how many connections it looked at.
 */
export async function enrollDue(deps: EnrollDeps): Promise<number> {
  const { db, catalog, log } = deps;
  const manifests = catalog.list({ capability: 'POLLING' }).map(({ manifest }) => manifest);
  const { rows } = await db.doors.query<{ tenantId: string; connectionId: string }>(UNENROLLED, [
    manifests.map(({ id }) => id),
    manifests.map(({ version }) => version),
    BATCH,
  ]);
  for (const { tenantId, connectionId } of rows) {
    try {
      await db.for({ tenantId }).transactional(async (transaction) => {
        const connection = await transaction.findOneOrFail(Connection, { id: connectionId });
        await enroll(deps, transaction, connection, catalog.require(connection.providerId));
      });
    } catch (error) {
      // One connection that can't be enrolled must not keep the others waiting.
      log.error({ err: error, connectionId }, 'polls: a connection could not be enrolled');
    }
  }
  return rows.length;
}

/** Makes the rows of one connection what its connector and settings say. What is there keeps its cursor and its time. */
export async function enroll(
  { clock }: Pick<EnrollDeps, 'clock'>,
  transaction: EntityManager,
  connection: Connection,
  { manifest, poll }: Connector,
): Promise<Polling> {
  const { id, tenantId, settings, status, updatedAt } = connection;
  const { minSeconds, maxSeconds } = DEFAULT_BOUNDS;
  await transaction.execute(STORE, [id, tenantId, minSeconds, maxSeconds, manifest.version, updatedAt]);
  const polling = await transaction.findOneOrFail(Polling, { connectionId: id }, { refresh: true });
  const streams = poll?.streams(settings) ?? [];
  const now = clock.now();
  for (const stream of streams) {
    await addStream(transaction, polling, stream, status === 'ACTIVE' && polling.isOn, now);
  }
  await transaction.execute(RETIRE, [id, JSON.stringify(streams.map(({ name }) => name))]);
  return polling;
}

async function addStream(
  transaction: EntityManager,
  polling: Polling,
  { name, title }: PollStream,
  isActive: boolean,
  now: Date,
): Promise<void> {
  const { tenantId, connectionId } = polling;
  const interval = firstInterval(polling);
  const dueAt = firstDue(`${connectionId}/${name}`, interval, now);
  await transaction.execute(ADD, [
    uuidV7(),
    tenantId,
    connectionId,
    name,
    title,
    now,
    dueAt,
    !isActive,
    interval,
  ]);
}

const UNENROLLED = `
  select tenant_id as "tenantId", connection_id as "connectionId" from polls_unenrolled($1::text[], $2::text[], $3)`;

const STORE = `
  insert into pollings (connection_id, tenant_id, is_on, min_seconds, max_seconds, gaps, connector_version,
                        connection_updated_at)
  values (?, ?, true, ?, ?, 0, ?, ?)
  on conflict (connection_id) do update set
    connector_version = excluded.connector_version, connection_updated_at = excluded.connection_updated_at`;

const ADD = `
  insert into poll_streams as known (id, tenant_id, connection_id, name, mode, title, since, due_at, is_resting,
                                     interval_seconds, failures, fence, found)
  values (?, ?, ?, ?, 'LIVE', ?, ?, ?, ?, ?, 0, 0, 0)
  on conflict (connection_id, name, mode) do update set
    title = excluded.title, due_at = coalesce(known.due_at, excluded.due_at)`;

const RETIRE = `
  update poll_streams set due_at = null
  where connection_id = ? and due_at is not null and name not in (select jsonb_array_elements_text(?::jsonb))`;
