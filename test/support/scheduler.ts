import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import { expect, onTestFinished } from 'vitest';
import { createLog } from '../../src/core/log.js';
import {
  type KeyedJob,
  type RunReport,
  type Scheduler,
  type SchedulerOptions,
  createScheduler,
} from '../../src/core/scheduler/index.js';
import { type TestDatabase, useTestDatabase } from './database.js';

/** A kind of job store, and how to come by an empty one. */
export interface StoreKind {
  readonly name: 'PostgreSQL' | 'MongoDB';
  open(): Promise<TestStore>;
}

export interface TestStore {
  readonly database: TestDatabase;
  readonly urls: Pick<SchedulerOptions, 'databaseUrl' | 'mongodbUrl'>;
  /** Names of the jobs in it. */
  jobs(): Promise<string[]>;
  /** What an operator does who loses it. */
  empty(): Promise<void>;
}

export const postgresStore: StoreKind = {
  name: 'PostgreSQL',
  async open() {
    const database = await useTestDatabase();
    return {
      database,
      urls: { databaseUrl: database.url },
      jobs: async () => (await database.query<{ name: string }>(JOBS)).map(({ name }) => name),
      empty: async () => void (await database.query('delete from jobs.agenda_jobs')),
    };
  },
};

const JOBS = 'select name from jobs.agenda_jobs order by name';

/** In a database of its own on the server of MONGODB_URL. */
export const mongoStore: StoreKind = {
  name: 'MongoDB',
  async open() {
    const database = await useTestDatabase();
    const url = new URL(process.env['MONGODB_URL'] ?? '');
    url.pathname = `/tributary_test_${randomBytes(6).toString('hex')}`;
    const client = await MongoClient.connect(url.href);
    onTestFinished(async () => {
      await client.db().dropDatabase();
      await client.close();
    });
    const jobs = client.db().collection<{ name: string }>('tributary_jobs');
    return {
      database,
      urls: { databaseUrl: database.url, mongodbUrl: url.href },
      jobs: async () => (await jobs.find().sort({ name: 1 }).toArray()).map(({ name }) => name),
      empty: async () => void (await jobs.deleteMany({})),
    };
  },
};

/** Whether a MongoDB can be had: the one of MONGODB_URL. */
export async function hasMongo(): Promise<boolean> {
  const url = process.env['MONGODB_URL'];
  if (!url) return false;
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** A scheduler with what it did, stopped when the test ends. */
export interface TestScheduler extends Scheduler {
  readonly reports: readonly RunReport[];
}

export async function useScheduler(
  urls: TestStore['urls'],
  options: Partial<SchedulerOptions> = {},
): Promise<TestScheduler> {
  const reports: RunReport[] = [];
  const log = createLog('silent');
  const observe = (report: RunReport) => void reports.push(report);
  const scheduler = await createScheduler({ log, observe, ...urls, ...options });
  onTestFinished(async () => {
    await scheduler.drain(0);
    await scheduler.close();
  });
  return Object.assign(scheduler, { reports });
}

/** A job that expects nothing and only does what it is told. */
export function keyed<Data>(
  job: Pick<KeyedJob<Data>, 'name' | 'run'> & Partial<KeyedJob<Data>>,
): KeyedJob<Data> {
  return { expected: async () => [], exhausted: async () => {}, ...job };
}

/** A body that stays until it is let go; it takes no notice of its signal. */
export function createStay() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const started: string[] = [];
  onTestFinished(() => resolve());
  return {
    started,
    leave: resolve,
    run: async ({ key }: { readonly key: string }) => {
      started.push(key);
      await promise;
    },
  };
}

/** A worker in a process of its own: test/support/scheduler-worker.ts. */
export interface Worker {
  /** Lines it printed so far. */
  readonly lines: readonly string[];
  /** Waits for a line. */
  said(line: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export function startWorker(databaseUrl: string, behavior: string): Worker {
  const script = fileURLToPath(new URL('scheduler-worker.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, databaseUrl, behavior], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    lines,
    async said(line) {
      await expect.poll(() => lines).toContain(line);
    },
    signal: (signal) => void child.kill(signal),
    ended,
  };
}
