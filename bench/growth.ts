/**
 * What a full database costs: ingest, pages and retention at so many stored signals, in turns, beside the empty one.
 * `npx tsx bench/growth.ts [--sizes 0,1000000] [--rounds 6] [--seconds 3] [--connections 64] [--database-url …]`, after
 * `npm run build`. Prints tables and writes nothing. See docs/decisions/growth.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/core/clock.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { toCursor } from '../src/core/page.js';
import { entities } from '../src/entities.js';
import { migrations } from '../src/migrations/index.js';
import { createSignalRetention } from '../src/signal/retention.js';
import { type BenchServer, openBenchServer, query } from './database.js';
import { type Target, startGenerator } from './load.js';
import { seedSignals } from './seed.js';
import { toMarkdown } from './table.js';
import { type RunningTributary, ask, connect, startTributary } from './tributary.js';
import { cpuSeconds, serverCpuSeconds } from './usage.js';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '0,1000000' },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    'database-url': { type: 'string' },
  },
});
const [ROUNDS, SECONDS, CONNECTIONS] = [
  Number(values.rounds),
  Number(values.seconds),
  Number(values.connections),
];
/** The smallest first: all are told by what it does. */
const SIZES = values.sizes.split(',').map(Number);
const CHECKOUT = join(import.meta.dirname, '..');
const WARM_UP = 5_000;
/** Where one is larger, all are filled with small rows: with bodies it is more than a usual disk has room for. */
const MOST_WHOLE = 2_000_000;
const PAGES = 40;
const SIGNALS = `query ($after: Cursor) { signals(first: 200, after: $after) { nodes { id type payload } } }`;

const INGEST_HEAD = [
  'stored',
  'GiB',
  'req/s',
  'of the empty',
  'app CPU µs',
  'PG CPU µs',
  'of the empty',
  'WAL kB',
  'whole pages',
];
const PAGES_HEAD = ['stored', 'page of 200 at the beginning, ms', 'near the end, ms'];
const DELETION_HEAD = ['stored', 'deleted', 'deleted/s', 'req/s meanwhile', 'of that without'];

/** A Tributary with a database that holds so much. */
interface Store {
  readonly size: number;
  readonly url: string;
  readonly running: RunningTributary;
  readonly target: Target;
  readonly gibibytes: number;
  /** Of the turns: requests a second; of each request seconds of CPU, bytes of WAL, and how many whole pages those hold. */
  readonly rates: number[];
  readonly appCpu: number[];
  readonly databaseCpu: number[];
  readonly log: number[];
  readonly pages: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(values['database-url'], folder);
const generator = startGenerator();
const stores: Store[] = [];
/** Numbers the deliveries of the whole run. */
let sent = 0;
/** By a machine that is too busy, such as with 503 for a statement that took too long. */
let refused = 0;
try {
  const { node } = process.versions;
  console.log(
    `Node ${node}, PostgreSQL ${server.version}, ${cpus().length} cores, ${ROUNDS} turns of ${SECONDS} s`,
  );
  for (const size of SIZES) stores.push(await fill(size));
  for (let turn = 0; turn < ROUNDS; turn += 1) await ingestInTurn(turn);
  console.log(`\n${toMarkdown([INGEST_HEAD, ...stores.map(toIngestRow)])}\n`);
  console.log(`${toMarkdown([PAGES_HEAD, ...(await readPages())])}\n`);
  const deletions: string[][] = [];
  for (const store of stores) if (store.size > 0) deletions.push(await deleteBeside(store));
  console.log(
    `${toMarkdown([DELETION_HEAD, ...deletions])}\n\n${refused} of ${sent} refused, load ${loadavg()[0]?.toFixed(1)}`,
  );
} finally {
  generator.stop();
  for (const { running } of stores) await running.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** One turn of load; answers requests a second. */
async function load({ target }: Pick<Store, 'target'>, amount: number): Promise<number> {
  const from = sent;
  sent += amount;
  const result = await generator.run({
    ...target,
    sort: 'pull-request',
    connections: CONNECTIONS,
    amount,
    from,
  });
  refused += amount - result.acknowledged;
  return result.acknowledged / result.seconds;
}

/** Its jobs would stand in the way of whoever fills the tables: it is stopped meanwhile. */
async function fill(size: number): Promise<Store> {
  const url = await server.createDatabase(`growth_${size}`);
  const start = () =>
    startTributary({ checkout: CHECKOUT, dataDir: join(folder, String(size)), databaseUrl: url });
  const first = await start();
  const asked = await connect(first, 'pull-request');
  await load({ target: asked }, WARM_UP);
  await first.stop();
  const began = performance.now();
  if (size > 0) await seedSignals(url, { count: size, isSmall: SIZES.some((one) => one > MOST_WHOLE) });
  const seconds = (performance.now() - began) / 1_000;
  const [{ bytes } = { bytes: '0' }] = await query<{ bytes: string }>(
    url,
    `select pg_total_relation_size('signals') + pg_total_relation_size('deliveries') as bytes`,
  );
  const gibibytes = Number(bytes) / 2 ** 30;
  console.log(`${grouped(size)} filled in ${seconds.toFixed(0)} s: ${gibibytes.toFixed(1)} GiB`);
  const running = await start();
  const target = { ...asked, urls: asked.urls.map((one) => running.address + new URL(one).pathname) };
  const warm = await load({ target }, WARM_UP);
  return {
    size,
    url,
    running,
    target,
    gibibytes,
    rates: [warm],
    appCpu: [],
    databaseCpu: [],
    log: [],
    pages: [],
  };
}

/** Another one begins in each turn. What the first ones fetch from the disk is part of it. */
async function ingestInTurn(turn: number): Promise<void> {
  for (const place of stores.keys()) {
    const store = stores[(turn + place) % stores.length]!;
    const [app, database] = [cpuSeconds(store.running.pid), databaseSeconds(server)];
    const written = await readLog(store);
    const amount = Math.round((store.rates.at(-1) ?? 0) * SECONDS);
    const rate = await load(store, amount);
    if (turn === 0) store.rates.length = 0;
    store.rates.push(rate);
    store.appCpu.push((cpuSeconds(store.running.pid) - app) / amount);
    store.databaseCpu.push((databaseSeconds(server) - database) / amount);
    const { bytes, pages } = await readLog(store);
    store.log.push((bytes - written.bytes) / amount);
    store.pages.push((pages - written.pages) / amount);
  }
}

/**
 * What was written to the WAL so far, and how many whole pages: the first change to one after a checkpoint writes all of
 * it. Connections tell those about once a second, so that a turn's last may count in the next.
 */
async function readLog({ url }: Store): Promise<{ bytes: number; pages: number }> {
  const [row] = await query<{ bytes: string; pages: string }>(
    url,
    `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes, wal_fpi as pages from pg_stat_wal`,
  );
  return { bytes: Number(row?.bytes), pages: Number(row?.pages) };
}

function databaseSeconds({ pid }: BenchServer): number {
  return pid === undefined ? Number.NaN : serverCpuSeconds(pid);
}

function toIngestRow({ size, gibibytes, rates, appCpu, databaseCpu, log, pages }: Store): string[] {
  const [empty] = stores;
  return [
    grouped(size),
    gibibytes.toFixed(1),
    grouped(median(rates)),
    spread(rates.map((rate, turn) => rate / (empty?.rates[turn] ?? Number.NaN))),
    micros(median(appCpu)),
    micros(median(databaseCpu)),
    spread(databaseCpu.map((cpu, turn) => cpu / (empty?.databaseCpu[turn] ?? Number.NaN))),
    (median(log) / 1_000).toFixed(1),
    median(pages).toFixed(2),
  ];
}

/** One page of each after the other, so that what the machine does meets all. */
async function readPages(): Promise<string[][]> {
  const reads = await Promise.all(
    stores.map(async ({ running, url, size }) => {
      const [{ late } = { late: '0' }] = await query<{ late: string }>(
        url,
        `select max(sequence) - 1000 as late from signals`,
      );
      return { running, size, places: ['0', late], times: [[], []] as [number[], number[]] };
    }),
  );
  for (let n = 0; n < PAGES; n += 1) {
    for (const { running, places, times } of reads) {
      for (const [index, place] of places.entries()) {
        const began = performance.now();
        await ask(running, SIGNALS, { after: toCursor('signals', place) });
        times[index]?.push(performance.now() - began);
      }
    }
  }
  return reads.map(({ size, times }) => [grouped(size), ...times.map((all) => median(all).toFixed(1))]);
}

/** Ingest while a worker deletes what is over, beside ingest alone, in turns. */
async function deleteBeside(store: Store): Promise<string[]> {
  const log = createLog('warn');
  const db = await openDb({ url: store.url, entities, migrations, log });
  const [alone, beside]: [number[], number[]] = [[], []];
  let [deleted, seconds] = [0, 0];
  try {
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      alone.push(await load(store, Math.round(median(store.rates) * SECONDS)));
      const began = performance.now();
      const stop = new AbortController();
      const deleting = deleteUntil(db, stop.signal);
      beside.push(await load(store, Math.round(median(store.rates) * SECONDS)));
      stop.abort();
      deleted += await deleting;
      seconds += (performance.now() - began) / 1_000;
    }
  } finally {
    await db.close();
  }
  const ratios = beside.map((rate, turn) => rate / (alone[turn] ?? Number.NaN));
  return [
    grouped(store.size),
    grouped(deleted),
    grouped(deleted / seconds),
    grouped(median(beside)),
    spread(ratios),
  ];
}

function deleteUntil(db: Db, stop: AbortSignal): Promise<number> {
  const log = createLog('warn');
  return createSignalRetention({ db, clock: systemClock, log, defaultDays: 30 }).deleteDue(stop);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function spread(ratios: readonly number[]): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function micros(seconds: number): string {
  return (seconds * 1e6).toFixed(0);
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
