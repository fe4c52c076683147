import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';

/** A migrated, empty database of the caller's own. */
export interface TestDatabase {
  /** As the server's superuser. */
  readonly url: string;
  /** Past row-level security, to look at what really is in the tables. */
  query<T extends object = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  /** As if no more than this were left of every lease on an action, which the database's own clock tells. */
  endLeases(leftMs?: number): Promise<void>;
  drop(): Promise<void>;
}

const END_LEASES = `update actions set held_until = clock_timestamp() + $1 * interval '1 millisecond'`;

/** Copies the template; a few tens of milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `${inject('templateDatabase')}_${randomBytes(6).toString('hex')}`;
  const server = inject('postgresUrl');
  await run(server, `create database ${name} template ${inject('templateDatabase')}`);
  // The disk is not what is tested here: only a crash of the server would show the difference.
  await run(server, `alter database ${name} set synchronous_commit = off`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return databaseAt(url.href, () => dropDatabase(server, name));
}

/** Long enough for connections that were said goodbye to. */
const GOODBYE_MS = 2_000;

/**
 * With force, for what a killed process left; but first without, since a pool calls itself ended while its connections
 * still close, and what is thrown out then is an error that nobody listens to any more.
 */
async function dropDatabase(server: string, name: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    const connected = `select 1 from pg_stat_activity where datname = '${name}'`;
    const deadline = Date.now() + GOODBYE_MS;
    while ((await client.query(connected)).rowCount && Date.now() < deadline) await delay(10);
    await client.query(`drop database if exists ${name} with (force)`);
  } finally {
    await client.end();
  }
}

/** One on a server of the caller's own. */
export function databaseAt(url: string, drop: () => Promise<void>): TestDatabase {
  return {
    url,
    query: (sql, values) => run(url, sql, values),
    endLeases: async (leftMs = 0) => void (await run(url, END_LEASES, [leftMs])),
    drop,
  };
}

/** The same, dropped when the running test ends. */
export async function useTestDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

async function run<T extends object>(url: string, sql: string, values?: unknown[]): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
