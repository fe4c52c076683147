import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig, Pool, type PoolConfig, escapeLiteral } from 'pg';
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

/** Copies the template, by default one that is migrated; a few tens of milliseconds. */
export async function createTestDatabase(template = inject('templateDatabase')): Promise<TestDatabase> {
  const name = `${inject('templateDatabase')}_${randomBytes(6).toString('hex')}`;
  const server = inject('postgresUrl');
  await administer(server, async (client) => {
    await client.query(`create database ${name} template ${template}`);
    // The disk is not what is tested here: only a crash of the server would show the difference.
    await client.query(`alter database ${name} set synchronous_commit = off`);
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  return databaseAt(url.href, () => administer(server, (client) => dropDatabase(client, name)));
}

/** Long enough for connections that were said goodbye to. */
const GOODBYE_MS = 2_000;

/**
 * With force, for what a killed process left; but first without, since a pool calls itself ended while its connections
 * still close, and what is thrown out then is an error that nobody listens to any more.
 */
async function dropDatabase(client: Client, name: string): Promise<void> {
  const connected = `select 1 from pg_stat_activity where datname = '${name}'`;
  const deadline = Date.now() + GOODBYE_MS;
  while ((await client.query(connected)).rowCount && Date.now() < deadline) await delay(10);
  await client.query(`drop database if exists ${name} with (force)`);
}

/** One on a server of the caller's own. */
export function databaseAt(url: string, drop: () => Promise<void>): TestDatabase {
  const looks = createPool({ connectionString: url, idleTimeoutMillis: 1_000, allowExitOnIdle: true });
  return {
    url,
    query: (sql, values) => look(looks, sql, values),
    endLeases: async (leftMs = 0) => void (await look(looks, END_LEASES, [leftMs])),
    async drop() {
      await looks.end();
      await drop();
    },
  };
}

/** The same, dropped when the running test ends. */
export async function useTestDatabase(template?: string): Promise<TestDatabase> {
  const database = await createTestDatabase(template);
  onTestFinished(() => database.drop());
  return database;
}

/** The way in for a superuser who has this password, until the running test ends. */
export async function useSuperuser(url: string, password: string): Promise<string> {
  const name = `owner_${randomBytes(6).toString('hex')}`;
  await administerServer(`create role ${name} superuser login password ${escapeLiteral(password)}`);
  onTestFinished(async () => void (await administerServer(`drop role ${name}`)));
  return Object.assign(new URL(url), { username: name, password }).href;
}

/** One statement by the server's superuser. */
const administerServer = (sql: string) => administer(inject('postgresUrl'), (client) => client.query(sql));

/** A connection of the running test's own. */
export async function useClient(config: ClientConfig): Promise<Client> {
  const client = createClient(config);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Connections of the running test's own. */
export function usePool(config: ClientConfig): Pool {
  const pool = createPool(config);
  onTestFinished(() => pool.end());
  return pool;
}

/** What is cut off fails the next query as well: without a listener it would end the whole run of tests. */
function createClient(config: ClientConfig): Client {
  return new Client(config).on('error', () => {});
}

function createPool(config: PoolConfig): Pool {
  return new Pool(config).on('error', () => {});
}

/** Every look begins with a session like new, and one that failed leaves none behind. */
async function look<T extends object>(pool: Pool, sql: string, values?: unknown[]): Promise<T[]> {
  const client = await pool.connect();
  let isLikeNew = false;
  try {
    const { rows } = await client.query<T>(sql, values);
    await client.query('discard all');
    isLikeNew = true;
    return rows;
  } finally {
    client.release(!isLikeNew);
  }
}

/** Over a connection that is made for it and ended after it. */
export async function administer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
