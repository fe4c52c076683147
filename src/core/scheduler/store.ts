import { MongoBackend } from '@agendajs/mongo-backend';
import { PostgresBackend } from '@agendajs/postgres-backend';
import { InMemoryNotificationChannel, type JobRepository, type NotificationChannel } from 'agenda';
import { type Collection, MongoClient } from 'mongodb';
import { Pool } from 'pg';
import { UnsupportedDatabase } from '../db.js';
import type { Log } from '../log.js';
import { connectionOf, letGo } from '../postgres.js';

/** The role of the job store and the leases: reads and writes the schema `jobs`, and nothing of a tenant. */
const JOBS_ROLE = 'tributary_jobs';
const CHANNEL = 'tributary_jobs';
const COLLECTION = 'tributary_jobs';

/** A job that is asked for: one whose lock was taken before that moment was left behind. */
export interface Ask {
  readonly name: string;
  readonly lockedBefore: Date;
}

/** Where jobs are kept. */
export interface Store {
  readonly kind: 'PostgreSQL' | 'MongoDB';
  readonly repository: JobRepository;
  /** Tells of new jobs: every process with PostgreSQL, this one only with MongoDB. */
  readonly channel: NotificationChannel;
  /** For which of these jobs there is one to take: due until then, or left behind. */
  findDue(asks: readonly Ask[], until: Date): Promise<readonly string[]>;
  /** Removes what is neither waiting nor running and would stand in the way of its key for ever. */
  prune(): Promise<void>;
  close(): Promise<void>;
}

/** Connections to the schema `jobs`: the leases need them, wherever the jobs themselves are. */
export async function openJobsPool(databaseUrl: string, log: Log): Promise<Pool> {
  const connection = connectionOf(databaseUrl, JOBS_ROLE);
  const pool = new Pool({ ...connection, options: `${connection.options} -c search_path=jobs`, max: 8 });
  // Without a listener the restart of the database would end the process.
  pool.on('error', (error) => log.warn({ error: error.message }, 'jobs: an idle connection broke'));
  const { rows } = await pool.query<{ role: string }>('select current_user as role');
  if (rows[0]?.role === JOBS_ROLE) return pool;
  await pool.end();
  throw new UnsupportedDatabase(
    `Connections of the job store run as ${rows[0]?.role} instead of ${JOBS_ROLE}.`,
  );
}

/** In MongoDB if there is a URL, else in PostgreSQL. When that fails the pool is of no use either, and is closed. */
export async function openStore(pool: Pool, mongodbUrl: string | undefined, log: Log): Promise<Store> {
  try {
    return await (mongodbUrl ? openMongoStore(mongodbUrl) : openPostgresStore(pool, log));
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** In the schema `jobs`, which src/migrations/jobs.ts made: two processes that create tables at once would fail. */
async function openPostgresStore(pool: Pool, log: Log): Promise<Store> {
  const backend = new PostgresBackend({ pool, ensureSchema: false, channelName: CHANNEL });
  await backend.connect();
  const channel = backend.notificationChannel;
  if (!channel) throw new Error('The PostgreSQL backend has no notification channel.');
  // It connects again by itself, if somebody listens to its errors.
  channel.on('error', (error) => log.warn({ error: error.message }, 'jobs: the listening connection broke'));
  return {
    kind: 'PostgreSQL',
    repository: backend.repository,
    channel,
    async findDue(asks, until) {
      const names = asks.map(({ name }) => name);
      const values = [names, asks.map(({ lockedBefore }) => lockedBefore), until];
      const { rows } = await pool.query<{ name: string }>({ name: 'jobs_due', text: FIND_DUE, values });
      return rows.map(({ name }) => name);
    },
    async prune() {
      await pool.query('delete from agenda_jobs where next_run_at is null and locked_at is null');
    },
    close: async () => {},
  };
}

/** What Agenda's own search for the next job takes, for many names; `disabled = false` so that its index serves both. */
const FIND_DUE = `
  select asked.name from unnest($1::text[], $2::timestamptz[]) as asked(name, locked_before)
  where exists (select from agenda_jobs due where due.name = asked.name and due.disabled = false
                and due.locked_at is null and due.next_run_at <= $3)
     or exists (select from agenda_jobs late where late.name = asked.name and late.disabled = false
                and late.locked_at <= asked.locked_before)`;

/** A jobs collection in the database the URL names. */
async function openMongoStore(url: string): Promise<Store> {
  const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 5_000, appName: 'tributary' });
  try {
    return await toMongoStore(client);
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function toMongoStore(client: MongoClient): Promise<Store> {
  const db = client.db();
  const backend = new MongoBackend({ mongo: db, collection: COLLECTION });
  await backend.connect();
  const jobs: Collection = db.collection(COLLECTION);
  await jobs.createIndex({ name: 1, 'data.key': 1 }, { unique: true, name: 'key' });
  return {
    kind: 'MongoDB',
    repository: backend.repository,
    channel: new InMemoryNotificationChannel(),
    findDue(asks, until) {
      const either = asks.flatMap(({ name, lockedBefore }) => [
        { name, lockedAt: null, nextRunAt: { $lte: until } },
        { name, lockedAt: { $lte: lockedBefore } },
      ]);
      return jobs.distinct('name', { disabled: { $ne: true }, $or: either });
    },
    async prune() {
      await jobs.deleteMany({ nextRunAt: null, lockedAt: null });
    },
    close: () => letGo(client.close()),
  };
}

/** Whether a job of this name and key is there already, in the words of either store. */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '23505' || error.code === 11_000);
}
