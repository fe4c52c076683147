import { Client } from 'pg';
import type { FloorRow } from './floor-row.js';

/** The columns and indexes of Tributary's two tables; a sequence without the lock that makes it follow the commits. */
export const FLOOR_TABLES = `
  create table deliveries (
    id uuid primary key, tenant_id text not null, connection_id uuid not null, provider_id text not null,
    event_id text not null, event_type text not null, api_version text, content_type text not null,
    received_at timestamptz(3) not null, body bytea not null, signal_ids uuid[] not null, failure text,
    unique (connection_id, event_id)
  );
  alter table deliveries alter column body set storage external;
  create sequence signal_sequence as bigint;
  create table signals (
    sequence bigint primary key default nextval('signal_sequence'), id uuid not null unique, tenant_id text not null,
    connection_id uuid not null, provider_id text not null, delivery_id uuid not null, environment text not null,
    kind text not null, type text not null, occurred_at timestamptz(3) not null, ingested_at timestamptz(3) not null,
    correlation_id text, repository text, schema_version text not null, content jsonb not null
  );
  create index deliveries_tenant on deliveries (tenant_id, id);
  create index deliveries_dead on deliveries (tenant_id, id) where failure is not null;
  create index deliveries_received on deliveries (connection_id, received_at, id);
  create index deliveries_kept on deliveries (received_at) where body is not null;
  create index signals_tenant on signals (tenant_id, sequence);
  create index signals_connection on signals (connection_id, sequence) include (tenant_id);
  create index signals_correlation on signals (tenant_id, correlation_id, sequence);
  create index signals_type on signals (tenant_id, type, sequence);
`;

const MAX_BATCH = 256;
const LANES = 2;
const CONNECTION_ID = '018f0000-0000-7000-8000-000000000000';

interface Waiting {
  readonly row: FloorRow;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Group commit at its plainest: what came while a flush was in flight goes with the next, one prepared multi-row
 * statement for both tables, two connections. Resolves after the commit.
 */
export function createFloorJournal(databaseUrl: string): (row: FloorRow) => Promise<void> {
  const idle = Array.from({ length: LANES }, () => connect(databaseUrl));
  let waiting: Waiting[] = [];

  async function pump(lane: Promise<Client>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const size = batchSize(waiting.length);
      const batch = waiting.slice(0, size);
      waiting = waiting.slice(size);
      try {
        await insert(
          await lane,
          batch.map(({ row }) => row),
        );
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    idle.push(lane);
  }

  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      const lane = idle.pop();
      if (lane) void pump(lane);
    });
}

/** Powers of two only: so that a handful of statements is prepared, and each is soon planned for good. */
function batchSize(available: number): number {
  return 2 ** Math.floor(Math.log2(Math.min(available, MAX_BATCH)));
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  return client;
}

async function insert(client: Client, rows: readonly FloorRow[]): Promise<void> {
  await client.query({
    name: `insert-${rows.length}`,
    text: statementFor(rows.length),
    values: rows.flatMap(valuesOf),
  });
}

const statements: string[] = [];

function statementFor(rows: number): string {
  return (statements[rows] ??= `
    with stored as (insert into deliveries values ${tuples(rows, DELIVERY)} on conflict do nothing)
    insert into signals (id, tenant_id, connection_id, provider_id, delivery_id, environment, kind, type, occurred_at,
                         ingested_at, correlation_id, repository, schema_version, content)
    values ${tuples(rows, SIGNAL)} on conflict do nothing`);
}

/** Places in what {@link valuesOf} gives for a row; what both tables have is sent once. */
const DELIVERY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const SIGNAL = [13, 2, 3, 4, 1, 14, 15, 16, 17, 9, 5, 18, 19, 20];
const VALUES = 20;

function tuples(rows: number, places: readonly number[]): string {
  return Array.from(
    { length: rows },
    (_, row) => `(${places.map((place) => `$${row * VALUES + place}`).join()})`,
  ).join();
}

function valuesOf(row: FloorRow): unknown[] {
  const { id, signalId, eventId, eventType, receivedAt, occurredAt, repository, body, content } = row;
  const { providerId, signalType } = row;
  const delivery = [
    id,
    'dev',
    CONNECTION_ID,
    providerId,
    eventId,
    eventType,
    null,
    'application/json',
    receivedAt,
  ];
  const signal = [signalId, 'dev', 'event', signalType, occurredAt, repository, '1.0.0', content];
  return [...delivery, body, `{${signalId}}`, null, ...signal];
}
