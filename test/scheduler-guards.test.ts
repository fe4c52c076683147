import { PostgresBackend } from '@agendajs/postgres-backend';
import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { migrate } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createGate } from '../src/core/scheduler/gate.js';
import { toDefinition } from '../src/core/scheduler/job.js';
import { createScheduler } from '../src/core/scheduler/index.js';
import { migrations } from '../src/migrations/index.js';
import { useClient, usePool, useTestDatabase } from './support/database.js';
import { createStay, keyed, postgresStore, useScheduler } from './support/scheduler.js';

const silent = createLog('silent');

/** What was seen to go wrong with Agenda 6 by itself, and what keeps it from doing so here. */
describe('guards: the scheduler', () => {
  it('1: takes the next job when one has ended, not at the next look', async () => {
    const { urls, jobs } = await postgresStore.open();
    const starts: number[] = [];
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', run: async () => void starts.push(performance.now()) }));
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    for (const key of keys) await scheduler.schedule('errand', { key, data: null });
    await scheduler.start();
    await expect.poll(jobs).toEqual([]);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    // One place, so each look would give one job: every gap would be the half second between two looks.
    expect(gaps.toSorted((a, b) => a - b)[5]).toBeLessThan(400);
  });

  it('2: starts twice at once on a new database', async () => {
    const { url, query } = await useTestDatabase('template0');
    const start = async () => {
      await migrate(url, migrations, silent);
      const scheduler = await useScheduler({ databaseUrl: url });
      await scheduler.start();
      return scheduler;
    };
    await Promise.all([start(), start(), start()]);
    expect(await query(`select tablename from pg_tables where schemaname = 'jobs' order by 1`)).toEqual([
      { tablename: 'agenda_jobs' },
      { tablename: 'leases' },
    ]);
  });

  it('2: has the tables that this version of Agenda would make', async () => {
    const database = await useTestDatabase();
    await database.query('create schema theirs');
    const pool = new Pool({ connectionString: database.url, options: '-c search_path=theirs' });
    await new PostgresBackend({ pool, ensureSchema: true }).connect();
    await pool.end();
    const columns = (schema: string) =>
      database.query(
        `select column_name, data_type, character_maximum_length, is_nullable from information_schema.columns
         where table_schema = $1 and table_name = 'agenda_jobs' order by column_name`,
        [schema],
      );
    const indexes = (schema: string) =>
      database.query(
        `select replace(indexdef, $1 || '.', '') as definition from pg_indexes
         where schemaname = $1 and tablename = 'agenda_jobs' and indexname <> 'agenda_jobs_key' order by indexname`,
        [schema],
      );
    expect(await columns('jobs')).toEqual(await columns('theirs'));
    expect(await indexes('jobs')).toEqual(await indexes('theirs'));
    expect((await columns('theirs')).length).toBeGreaterThan(20);
  });

  it('3: lives on when the database ends all its connections', async () => {
    const { urls, database, jobs } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    const ran: string[] = [];
    scheduler.define(keyed({ name: 'errand', run: async ({ key }) => void ran.push(key) }));
    await scheduler.start();
    const listening = `select pid from pg_stat_activity where datname = current_database() and query like 'LISTEN%'`;
    const [before] = await database.query(listening);
    expect(before).toBeDefined();
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await expect.poll(async () => (await database.query(listening)).length).toBe(1);
    expect((await database.query(listening))[0]).not.toEqual(before);
    await scheduler.schedule('errand', { key: 'after', data: null });
    await expect.poll(jobs).toEqual([]);
    expect(ran).toEqual(['after']);
  });

  it('4: has no timers that grow with the runs and outlive them by more than half a lock', async () => {
    const { urls, jobs } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', concurrency: 5, lockSeconds: 1, run: async () => {} }));
    await scheduler.start();
    const before = timers();
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => scheduler.schedule('errand', { key, data: null })));
    await expect.poll(jobs).toEqual([]);
    await expect.poll(() => timers() - before).toBeLessThan(10);
  });

  it('5: leaves no locks on what it had not begun when a drain runs out of time', async () => {
    const stay = createStay();
    const { urls, database } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', concurrency: 2, lockSeconds: 60, run: stay.run }));
    await scheduler.start();
    for (const key of ['a', 'b', 'c', 'd', 'e']) await scheduler.schedule('errand', { key, data: null });
    await expect.poll(() => stay.started).toHaveLength(2);
    const locked = async () =>
      (
        await database.query<{ key: string }>(
          `select data ->> 'key' as key from jobs.agenda_jobs where locked_at is not null order by 1`,
        )
      ).map(({ key }) => key);
    expect(await locked()).toEqual(stay.started.toSorted());
    expect(await scheduler.drain(0)).toBe(false);
    expect(await locked()).toEqual(stay.started.toSorted());
  });

  it('7: keeps a key unique against a second process, by an index', async () => {
    const { urls, database } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', run: async () => {} }));
    await scheduler.schedule('errand', { key: 'a', data: null, at: new Date(Date.now() + 60_000) });
    const again = `insert into jobs.agenda_jobs (name, data) select name, data from jobs.agenda_jobs`;
    await expect(database.query(again)).rejects.toMatchObject({ code: '23505' });
    const [before] = await database.query('select id, next_run_at from jobs.agenda_jobs');
    await scheduler.schedule('errand', { key: 'a', data: null });
    expect(await database.query('select id, next_run_at from jobs.agenda_jobs')).toEqual([before]);
  });

  it('8: has a row for each lane of a recurring job', async () => {
    const { urls, database } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    scheduler.define({ name: 'tick', every: { seconds: 60, lanes: 3 }, run: async () => {} });
    await scheduler.repair();
    await scheduler.repair();
    const rows = await database.query<{ at: number }>(
      'select extract(epoch from next_run_at - min(next_run_at) over ())::float8 as at from jobs.agenda_jobs order by 1',
    );
    // Evenly spread, so that they don't all look at the same moment.
    expect(rows.map(({ at }) => Math.round(at / 20))).toEqual([0, 1, 2]);
  });

  it('9: tells other processes of new jobs on the channel they listen to, and of nothing else', async () => {
    const { urls, database, jobs } = await postgresStore.open();
    const listener = await useClient({ connectionString: database.url });
    const heard: unknown[] = [];
    listener.on('notification', ({ payload = '' }) => heard.push(JSON.parse(payload)));
    await listener.query('listen tributary_jobs; listen "tributary_jobs:state"');
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', run: async () => {} }));
    await scheduler.start();
    await scheduler.schedule('errand', { key: 'a', data: null });
    await expect.poll(jobs).toEqual([]);
    await database.query(`select pg_notify('tributary_jobs', '"the end"')`);
    await expect.poll(() => heard.at(-1)).toBe('the end');
    expect(heard).toEqual([expect.objectContaining({ jobName: 'errand' }), 'the end']);
  });

  it('says that it can’t start instead of ending the process when the database is away', async () => {
    const url = 'postgres://postgres@127.0.0.1:1/none';
    await expect(createScheduler({ databaseUrl: url, log: silent })).rejects.toThrow('ECONNREFUSED');
  });
});

describe('guards: the gate', () => {
  async function useGate(lockMs: number, concurrency = 1) {
    const database = await useTestDatabase();
    const pool = usePool({ connectionString: database.url, options: '-c search_path=jobs' });
    const backend = new PostgresBackend({ pool, ensureSchema: false });
    const job = keyed({ name: 'errand', concurrency, lockSeconds: lockMs / 1_000, run: async () => {} });
    const store = { repository: backend.repository, findDue: async () => ['errand'] };
    const gate = createGate({ store, definitionOf: () => toDefinition(job), log: silent });
    const deadline = new Date(Date.now() - 60_000);
    const next = () => gate.repository.getNextJobToRun('errand', new Date(), deadline, undefined, undefined);
    return { database, gate, next };
  }

  const left = `insert into jobs.agenda_jobs (name, data, locked_at, last_run_at)
                values ('errand', '{"key":"left"}', now() - interval '1 hour', now() - interval '1 hour')`;

  it('gives what a dead process left a time to run when it gives it back unbegun', async () => {
    const { database, gate, next } = await useGate(60_000);
    await database.query(left);
    const { _id: id = '', nextRunAt } = (await next()) ?? {};
    expect(nextRunAt).toBeNull();
    await gate.repository.unlockJobs([id]);
    expect(
      await database.query('select locked_at, next_run_at <= now() as due from jobs.agenda_jobs'),
    ).toEqual([{ locked_at: null, due: true }]);
  });

  it('frees the place of a job that did not begin while its lock lasted', async () => {
    const { database, gate, next } = await useGate(1_000);
    await database.query(left);
    await database.query(
      // A while ago: the database's clock tells more of the present moment than ours.
      `insert into jobs.agenda_jobs (name, data, next_run_at)
       values ('errand', '{"key":"next"}', now() - interval '1 second')`,
    );
    expect(await next()).toMatchObject({ data: { key: 'next' } });
    expect(await next()).toBeUndefined();
    await expect.poll(next).toMatchObject({ data: { key: 'left' } });
    expect(gate.isIdle()).toBe(true);
  });

  it('counts a run that outlives its lock beside the next run of the same job', async () => {
    const { database, gate, next } = await useGate(60_000, 2);
    await database.query(left);
    const overdue = gate.enter((await next())!);
    await database.query(`update jobs.agenda_jobs set locked_at = now() - interval '1 hour'`);
    const second = gate.enter((await next())!);
    overdue.leave();
    expect(gate.isIdle()).toBe(false);
    second.leave();
    expect(gate.isIdle()).toBe(true);
  });

  it('hands out nothing once it is shut, and gives back what was on its way', async () => {
    const { database, gate, next } = await useGate(60_000);
    await database.query(left);
    const onItsWay = next();
    await gate.shut();
    expect(await onItsWay).toBeUndefined();
    expect(await next()).toBeUndefined();
    expect(await database.query('select locked_at from jobs.agenda_jobs')).toEqual([{ locked_at: null }]);
  });
});

describe('roles of the job store', () => {
  it('shows the scheduler nothing of a tenant, and a request nothing of the store', async () => {
    const { query } = await useTestDatabase();
    const may = async (role: string, statement: string) =>
      query(`set role ${role}; ${statement}`).then(
        () => true,
        () => false,
      );
    expect(await may('tributary_jobs', 'select from jobs.agenda_jobs')).toBe(true);
    expect(await may('tributary_jobs', 'select from connections')).toBe(false);
    expect(await may('tributary_jobs', 'select feed_edge()')).toBe(false);
    expect(await may('tributary_jobs', 'create table jobs.other ()')).toBe(false);
    expect(await may('tributary_app', 'select from jobs.agenda_jobs')).toBe(false);
    expect(await may('tributary_app', 'select from jobs.leases')).toBe(false);
    expect(await may('tributary_app', `select job_hold('a', 'b', 1)`)).toBe(true);
  });

  it('makes a takeover wait for a transaction that holds its fence, but not a prolongation', async () => {
    const { url, query } = await useTestDatabase();
    await query(`insert into jobs.leases values ('errand', 'a', 1, 1, 'first', now())`);
    const body = await useClient({ connectionString: url });
    await body.query('begin; set local role tributary_app');
    expect((await body.query(`select job_hold('errand', 'a', 1) as held`)).rows).toEqual([{ held: true }]);
    await query(`set lock_timeout = '5s'; update jobs.leases set until = now()`);
    const takeover = `set lock_timeout = '100ms'; update jobs.leases set fence = 2`;
    await expect(query(takeover)).rejects.toMatchObject({ code: '55P03' });
    await body.query('commit');
    await query(takeover);
    expect((await body.query(`select job_hold('errand', 'a', 1) as held`)).rows).toEqual([{ held: false }]);
  });
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
