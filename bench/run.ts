/** `npm run bench`: see README.md beside this file for what is measured and how. Writes nothing but to the terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Contender, startContender, startFloors } from './contenders.js';
import { type BenchServer, openBenchServer, readStored } from './database.js';
import type { Sort } from './delivery.js';
import { startGenerator } from './load.js';
import { type Row, runRounds } from './rounds.js';
import { measureStarts } from './starts.js';
import { median, toStartsTable, toTable } from './table.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32,128' },
    starts: { type: 'string', default: '3' },
    'database-url': { type: 'string' },
    against: { type: 'string' },
    send: { type: 'string', default: 'pull-request' },
    processes: { type: 'string', default: '1' },
  },
});

const SORT: Sort = options.send === 'chat-message' ? 'chat-message' : 'pull-request';
const HERE = resolve(import.meta.dirname, '..');

/** What was taken and must be let go of, in the order it was taken. */
const releases: (() => Promise<void> | void)[] = [];

try {
  await main();
} finally {
  for (const release of releases.toReversed()) await release();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  releases.push(() => rmSync(folder, { recursive: true, force: true }));
  const server = await openBenchServer(options['database-url'], folder);
  releases.push(() => server.close());
  console.log(`Node ${process.versions.node}, PostgreSQL ${server.version}, ${cpus().length} cores\n`);
  const contenders = await startContenders(server, folder);
  const rows = await measure(contenders, server);
  console.log(`\n${toTable(rows)}\n`);
  console.log(`${await describeStored(contenders)}\n`);
  const lost = rows.filter((row) => !isComplete(row));
  for (const { name, connections, sent, acknowledged, stored } of lost)
    console.error('NOT COMPLETE', { name, connections, sent, acknowledged, ...stored });
  if (lost.length > 0) process.exitCode = 1;
  const count = Number(options.starts);
  if (count > 0) console.log(toStartsTable(await measureStarts(HERE, folder, count)));
}

async function startContenders(server: BenchServer, folder: string): Promise<Contender[]> {
  const contenders = await startFloors(server, SORT);
  releases.push(...contenders.map(({ stop }) => stop));
  const common = { server, folder, sort: SORT };
  const ours = options.processes.split(',').map((count) => {
    const name = count === '1' ? 'tributary' : `tributary × ${count}`;
    return { ...common, name, checkout: HERE, processes: Number(count) };
  });
  const against = options.against
    ? [{ ...common, name: 'against', checkout: resolve(options.against), processes: 1 }]
    : [];
  for (const one of [...ours, ...against]) {
    const contender = await startContender(one);
    releases.push(contender.stop);
    contenders.push(contender);
  }
  return contenders;
}

async function measure(contenders: readonly Contender[], server: BenchServer): Promise<Row[]> {
  const generator = startGenerator();
  releases.push(generator.stop);
  const rows: Row[] = [];
  for (const connections of options.connections.split(',').map(Number)) {
    const [rounds, seconds] = [Number(options.rounds), Number(options.seconds)];
    console.log(`${rounds} rounds of ${seconds} s at ${connections} connections …`);
    const base = { generator, contenders, sort: SORT, connections, rounds, seconds };
    const full = await runRounds({ ...base, postgresPid: server.pid });
    const rate = median(full.find(({ name }) => name === 'tributary')?.rates ?? []) / 2;
    console.log(`and at ${rate.toFixed(0)} requests a second, half of what Tributary took …`);
    rows.push(...full, ...(await runRounds({ ...base, postgresPid: server.pid, rate })));
  }
  return rows;
}

/** Everything sent was acknowledged, and everything acknowledged is there, with its signal. */
function isComplete({ sent, acknowledged, stored }: Row): boolean {
  return (
    sent === acknowledged && (stored === null || (stored.deliveries === sent && stored.signals === sent))
  );
}

/** Shows that floor and Tributary store the same. */
async function describeStored(contenders: readonly Contender[]): Promise<string> {
  const lines = contenders.map(async ({ name, databaseUrl }) => {
    if (!databaseUrl) return [];
    const { bodyBytes, contentBytes } = await readStored(databaseUrl);
    return [`${name}: ${bodyBytes} bytes of body, ${contentBytes} bytes of content a delivery`];
  });
  return `Stored by ${(await Promise.all(lines)).flat().join('; ')}.`;
}
