/**
 * `tsx bench/scheduler.ts`: one Agenda job for each connection beside a few that claim due rows, in one run on one
 * PostgreSQL. Prints a table and writes nothing. About two minutes; docs/decisions/claimed-rows.md has the figures.
 *
 * Both do the same for each connection: take a fenced lease on its row, finish it, set when it is due again. "backlog":
 * all are due at once, how long until each ran once. "steady": they are spread over five minutes, ten seconds of that.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PostgresBackend } from '@agendajs/postgres-backend';
import { Agenda } from 'agenda';
import { Pool } from 'pg';
import { migrate } from '../src/core/db.js';
import { workDue } from '../src/core/due.js';
import { createLog } from '../src/core/log.js';
import { createScheduler } from '../src/core/scheduler/index.js';
import { migrations } from '../src/migrations/index.js';
import { openBenchServer } from './database.js';
import { serverCpuSeconds } from './usage.js';

const INTERVAL_S = 300;
const STEADY_MS = 8_000;
const BACKLOG_LIMIT_MS = 12_000;
const CONCURRENCY = 20;
const LEASE_S = 30;

const { values: options } = parseArgs({ options: { 'database-url': { type: 'string' } } });
const log = createLog('error');

/** A connection's row, claimed. */
interface Claimed {
  readonly id: string;
  readonly fence: string;
  readonly lagSeconds: number;
}

/** One way to run what is due; counts a lag for every row that ran. */
interface Contender {
  readonly name: string;
  /** Starts it on the rows of `polls`; answers what stops it. */
  start(database: Database, ran: (lagSeconds: number) => void): Promise<() => Promise<void>>;
}

interface Database {
  readonly url: string;
  readonly pool: Pool;
}

interface Measured {
  readonly runs: number;
  readonly seconds: number;
  readonly lags: Float64Array;
  readonly appSeconds: number;
  readonly databaseSeconds: number;
}

/** In the form that was fastest when measured by itself: five times as many locks as places, ten looks a second. */
const jobPerConnection: Contender = {
  name: 'a job per connection',
  async start({ url, pool }, ran) {
    const store = new Pool({ connectionString: url, options: '-c search_path=jobs', max: 16 });
    await store.query(
      `insert into agenda_jobs (name, next_run_at, repeat_interval, data)
       select 'poll', due_at, $1, jsonb_build_object('key', id) from public.polls`,
      [String(INTERVAL_S * 1_000)],
    );
    await store.query('vacuum analyze agenda_jobs');
    const backend = new PostgresBackend({ pool: store, ensureSchema: false, disableNotifications: true });
    const agenda = new Agenda({
      backend,
      processEvery: 100,
      maxConcurrency: CONCURRENCY,
      defaultLockLimit: 5 * CONCURRENCY,
    });
    agenda.define<{ key: string }>(
      'poll',
      // oxlint-disable-next-line typescript/no-misused-promises -- of Agenda's two forms this is the other one
      async ({ attrs }) => {
        const [row] = await claimOne(pool, attrs.data.key);
        if (row) await finish(pool, row);
        if (row) ran(row.lagSeconds);
      },
      { concurrency: CONCURRENCY, lockLifetime: LEASE_S * 1_000 },
    );
    await agenda.start();
    return async () => {
      await agenda.drain(5_000);
      // What it still asks for is refused, and that it says by its "error" event, to nobody.
      await store.end();
    };
  },
};

const claimedRows: Contender = {
  name: 'two that claim rows',
  async start({ url, pool }, ran) {
    const scheduler = await createScheduler({ databaseUrl: url, log });
    scheduler.define({
      name: 'poll',
      every: { seconds: 1, lanes: 2 },
      concurrency: 2,
      run: async ({ signal }) => {
        await workDue<Claimed>({
          claim: (limit) => claimSome(pool, limit),
          async work(row) {
            await finish(pool, row);
            ran(row.lagSeconds);
          },
          failed: (_, error) => log.error({ err: error }, 'poll'),
          concurrency: CONCURRENCY / 2,
          leaseMs: LEASE_S * 1_000,
          signal,
        });
      },
    });
    await scheduler.start();
    return async () => {
      await scheduler.drain(5_000);
      await scheduler.close();
    };
  },
};

const TAKE = `lease_until = now() + ${LEASE_S} * interval '1 s', fence = fence + 1, attempts = attempts + 1`;
const FREE = `due_at <= now() + interval '5 ms' and (lease_until is null or lease_until <= now())`;
const CLAIMED = `id, fence, extract(epoch from clock_timestamp() - due_at)::float8 as "lagSeconds"`;

async function claimOne(pool: Pool, id: string): Promise<Claimed[]> {
  const text = `update polls set ${TAKE} where id = $1 and ${FREE} returning ${CLAIMED}`;
  return (await pool.query<Claimed>({ name: 'one', text, values: [id] })).rows;
}

async function claimSome(pool: Pool, limit: number): Promise<Claimed[]> {
  const text = `update polls set ${TAKE} where id in
    (select id from polls where ${FREE} order by due_at limit $1 for update skip locked) returning ${CLAIMED}`;
  return (await pool.query<Claimed>({ name: 'some', text, values: [limit] })).rows;
}

async function finish(pool: Pool, { id, fence }: Claimed): Promise<void> {
  const text = `update polls set due_at = due_at + ${INTERVAL_S} * interval '1 s', lease_until = null, attempts = 0
    where id = $1 and fence = $2`;
  const { rowCount } = await pool.query({ name: 'finish', text, values: [id, fence] });
  if (rowCount !== 1) throw new Error(`${id} was taken over`);
}

/** Fresh rows: due at once, or spread evenly over the interval; from when a job for each has been stored as well. */
async function prepare({ pool }: Database, count: number, spreadSeconds: number): Promise<void> {
  await pool.query('truncate polls, jobs.agenda_jobs, jobs.leases');
  await pool.query(
    `insert into polls (id, due_at)
     select gen_random_uuid(), now() + (1 + $1 / 15000.0 + $2 * n::float8 / $1) * interval '1 s'
     from generate_series(1, $1::int) n`,
    [count, spreadSeconds],
  );
  await pool.query('vacuum analyze polls');
}

async function measure(
  contender: Contender,
  database: Database,
  postmaster: number | undefined,
  isOver: (runs: number, elapsedMs: number) => boolean,
): Promise<Measured> {
  const lags: number[] = [];
  const stop = await contender.start(database, (lagSeconds) => void lags.push(lagSeconds));
  const cpuBefore = process.cpuUsage();
  const databaseBefore = postmaster ? serverCpuSeconds(postmaster) : Number.NaN;
  const startedAt = performance.now();
  while (!isOver(lags.length, performance.now() - startedAt)) await delay(20);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const databaseSeconds = postmaster ? serverCpuSeconds(postmaster) - databaseBefore : Number.NaN;
  await stop();
  return {
    runs: lags.length,
    seconds,
    lags: Float64Array.from(lags).toSorted(),
    appSeconds: (cpu.user + cpu.system) / 1e6,
    databaseSeconds,
  };
}

function toCells(load: string, count: number, name: string, measured: Measured): string[] {
  const { runs, seconds, lags, appSeconds, databaseSeconds } = measured;
  const at = (share: number) =>
    runs > 0 ? ((lags[Math.ceil(runs * share) - 1] ?? 0) * 1_000).toFixed(0) : '–';
  const each = (total: number) => (runs > 0 ? ((total / runs) * 1e6).toFixed(0) : '–');
  const share = (total: number) => `${((total / seconds) * 100).toFixed(0)} %`;
  return [
    load,
    String(count),
    name,
    String(runs),
    (runs / seconds).toFixed(0),
    at(0.5),
    at(0.95),
    each(appSeconds),
    each(databaseSeconds),
    share(appSeconds + databaseSeconds),
  ];
}

const HEAD = [
  'load',
  'connections',
  'way',
  'runs',
  'runs/s',
  'lag p50 ms',
  'lag p95 ms',
  'app CPU µs',
  'PG CPU µs',
  'of one core',
];

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  const server = await openBenchServer(options['database-url'], folder);
  const url = await server.createDatabase('scheduler');
  const pool = new Pool({ connectionString: url, max: CONCURRENCY });
  // Dropping the database ends connections that are only just being closed.
  pool.on('error', () => {});
  const cells: string[][] = [];
  try {
    await migrate(url, migrations, createLog('silent'));
    await pool.query(`
      create table polls (id uuid primary key, due_at timestamptz not null, lease_until timestamptz,
        fence bigint not null default 0, attempts integer not null default 0) with (fillfactor = 80);
      create index on polls (due_at)`);
    console.log(`Node ${process.versions.node}, PostgreSQL ${server.version}, ${cpus().length} cores\n`);
    const database = { url, pool };
    for (const count of [1_000, 10_000, 50_000]) {
      for (const contender of [jobPerConnection, claimedRows]) {
        await prepare(database, count, 0);
        const isDone = (runs: number, ms: number) => runs >= count || ms > BACKLOG_LIMIT_MS;
        const backlog = await measure(contender, database, server.pid, isDone);
        await prepare(database, count, INTERVAL_S);
        const steady = await measure(contender, database, server.pid, (_, ms) => ms > STEADY_MS);
        cells.push(toCells('backlog', count, contender.name, backlog));
        cells.push(toCells('steady', count, contender.name, steady));
        console.error(
          cells
            .slice(-2)
            .map((row) => row.join('  '))
            .join('\n'),
        );
      }
    }
    const rows = cells.toSorted(([a = ''], [b = '']) => a.localeCompare(b));
    const table = [HEAD, HEAD.map(() => '---'), ...rows];
    console.log(table.map((row) => `| ${row.join(' | ')} |`).join('\n'));
  } finally {
    await pool.end();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  // Agenda's timers outlive it.
  process.exit();
}

await main();
