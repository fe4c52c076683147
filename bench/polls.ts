/** `npm run bench:polls`: what polling thousands of connections costs a worker. See README.md beside. */
import { fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BenchServer, openBenchServer, query } from './database.js';
import { seedPolls } from './poll-seed.js';
import { toMarkdown } from './table.js';
import { cpuSeconds, residentMebibytes, serverCpuSeconds } from './usage.js';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000,10000,50000' },
    seconds: { type: 'string', default: '120' },
    interval: { type: 'string', default: '300' },
    outage: { type: 'string', default: '30' },
    'database-url': { type: 'string' },
    'redis-url': { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);
const INTERVAL_S = Number(values.interval);
const OUTAGE_S = Number(values.outage);
/** Until what a start costs is over. */
const WARM_S = 20;
const SAMPLE_S = 5;

interface Worker {
  readonly pid: number;
  stop(): Promise<void>;
}

const HEAD = [
  'connections',
  'polls due',
  'begun',
  'failed',
  'lag s: p50 · p95 · p99 · max',
  'begun a second: mean · max',
  'RSS MiB: start · middle · end',
  'worker CPU',
  'PG CPU',
  'CPU of a poll, ms: worker · PG',
  `after ${OUTAGE_S} s without a worker: due · seconds to catch up · lag p95 after`,
];

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(values['database-url'], folder);
const provider = fork(join(import.meta.dirname, 'poll-provider.ts'), { execArgv: ['--import', 'tsx'] });
try {
  const [providerUrl] = (await once(provider, 'message')) as [string];
  const rows: string[][] = [];
  for (const connections of values.connections.split(',').map(Number)) {
    rows.push(await measure(server, providerUrl, connections));
    console.error(rows.at(-1)?.join(' | '));
  }
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `PostgreSQL ${server.version}, Node ${process.versions.node}, every ${INTERVAL_S} s, load ${load}\n`,
  );
  console.log(toMarkdown([HEAD, ...rows]));
} finally {
  provider.kill();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(
  { pid: postmaster = 0, createDatabase }: BenchServer,
  providerUrl: string,
  connections: number,
): Promise<string[]> {
  const url = await createDatabase(`polls_${connections}`);
  const masterKey = randomBytes(32);
  await seedPolls({ url, masterKey, connections, intervalSeconds: INTERVAL_S });
  const start = () => startWorker(url, providerUrl, masterKey);
  let worker = await start();
  try {
    await delay(WARM_S * 1_000);
    const [from, workerBefore, serverBefore] = [
      await timeOf(url),
      cpuSeconds(worker.pid),
      serverCpuSeconds(postmaster),
    ];
    const memory = await sampleMemory(worker.pid);
    const until = await timeOf(url);
    const used = [cpuSeconds(worker.pid) - workerBefore, serverCpuSeconds(postmaster) - serverBefore];
    const seen = await readPolls(url, from, until);
    await worker.stop();
    await delay(OUTAGE_S * 1_000);
    worker = await start();
    const after = await watchCatchUp(url);
    return [String(connections), ...toCells(seen, memory, used), after];
  } finally {
    await worker.stop();
  }
}

/** As an operator runs it. */
async function startWorker(databaseUrl: string, providerUrl: string, masterKey: Buffer): Promise<Worker> {
  const child = spawn(process.execPath, [...nodeFlags(), 'dist/src/main.js', '--role', 'worker'], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LOG_LEVEL: 'warn',
      TRIBUTARY_DATA_DIR: join(folder, 'data'),
      TRIBUTARY_MASTER_KEY: masterKey.toString('base64'),
      TRIBUTARY_PROVIDER_PAGERDUTY_BASE_URL: providerUrl,
      EGRESS_ALLOW: '127.0.0.0/8',
      DATABASE_URL: databaseUrl,
      ...(values['redis-url'] && { REDIS_URL: values['redis-url'] }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('is running') && resolve());
  });
  await Promise.race([
    ready,
    exited.then(() => {
      throw new Error('The worker did not start.');
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** `BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles"`, for whoever wants to know where the time goes. */
function nodeFlags(): string[] {
  return process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
}

async function timeOf(url: string): Promise<string> {
  const [row] = await query<{ now: string }>(url, 'select clock_timestamp()::text as now');
  return row?.now ?? '';
}

async function sampleMemory(pid: number): Promise<number[]> {
  const samples = [residentMebibytes(pid)];
  for (let second = 0; second < SECONDS; second += SAMPLE_S) {
    await delay(SAMPLE_S * 1_000);
    samples.push(residentMebibytes(pid));
  }
  return samples;
}

interface Seen {
  readonly due: number;
  readonly begun: number;
  readonly failed: number;
  readonly lags: readonly number[];
  readonly most: number;
}

/** Of the time from one moment to another: what was due, what began, how late, and the fullest second. */
async function readPolls(url: string, from: string, until: string): Promise<Seen> {
  const [row] = await query<Seen>(
    url,
    `with begun as (
       select due_at, began_at, extract(epoch from began_at - due_at)::float8 as lag from bench_polls
       where began_at >= '${from}' and began_at < '${until}')
     select (select count(*) from bench_polls where due_at >= '${from}' and due_at < '${until}')::int
            + (select count(*) from poll_streams where due_at >= '${from}' and due_at < '${until}'
               and lease_until is null)::int as due,
            (select count(*) from begun)::int as begun,
            (select count(*) from poll_streams where failures > 0)::int as failed,
            (select percentile_cont(array[0.5, 0.95, 0.99, 1]) within group (order by lag) from begun) as lags,
            (select max(n) from (select count(*)::int as n from begun group by floor(extract(epoch from began_at))) s) as most`,
  );
  if (!row) throw new Error('The figures did not come.');
  return row;
}

/** From the worker's start until nothing is late any more, and how it is then. */
async function watchCatchUp(url: string): Promise<string> {
  const late = `select count(*)::int as n from poll_streams where due_at < now() - interval '2 s' and lease_until is null`;
  const [from, startedAt] = [await timeOf(url), performance.now()];
  const [waiting] = await query<{ n: number }>(url, late);
  for (;;) {
    const [row] = await query<{ n: number }>(url, late);
    if (row?.n === 0) break;
    if (performance.now() - startedAt > 120_000) return `${waiting?.n} · not in 120 s`;
    await delay(250);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const then = await timeOf(url);
  await delay(WARM_S * 1_000);
  const { lags } = await readPolls(url, then, await timeOf(url));
  const { most } = await readPolls(url, from, then);
  return `${waiting?.n} · ${seconds.toFixed(1)} (at most ${most} a second) · ${lags?.[1]?.toFixed(2)}`;
}

function toCells(
  { due, begun, failed, lags, most }: Seen,
  memory: readonly number[],
  [app = 0, database = 0]: readonly number[],
): string[] {
  const at = (index: number): string => (memory[index] ?? Number.NaN).toFixed(0);
  const share = (seconds: number): string => `${((seconds / SECONDS) * 100).toFixed(0)} %`;
  const each = (seconds: number): string => ((seconds / begun) * 1_000).toFixed(1);
  return [
    String(due),
    String(begun),
    String(failed),
    lags.map((lag) => lag.toFixed(2)).join(' · '),
    `${(begun / SECONDS).toFixed(1)} · ${most}`,
    [at(0), at(Math.floor(memory.length / 2)), at(memory.length - 1)].join(' · '),
    share(app),
    share(database),
    `${each(app)} · ${each(database)}`,
  ];
}
