import { type Contender, FLOOR } from './contenders.js';
import { type Stored, readStored } from './database.js';
import type { Sort } from './delivery.js';
import type { Generator } from './load.js';
import { cpuSeconds, residentMebibytes, serverCpuSeconds } from './usage.js';

/** All rounds of one contender at one number of connections. */
export interface Row {
  readonly name: string;
  readonly connections: number;
  /** As many requests as it answers, and not a given number a second. */
  readonly isFull: boolean;
  /** These three with the warm-up. */
  sent: number;
  acknowledged: number;
  /** What came into its database; null for the floor that stores nothing. */
  stored: Pick<Stored, 'deliveries' | 'signals'> | null;
  /** Requests a second, round by round. */
  readonly rates: number[];
  /** Rate of the round by the rate of the storing floor in the same turn. */
  readonly ratios: number[];
  /** Milliseconds, of all rounds. */
  readonly latencies: number[];
  appSeconds: number;
  databaseSeconds: number;
  mebibytes: number;
}

export interface RoundsOptions {
  readonly generator: Generator;
  readonly sort: Sort;
  /** Requests a second, the same for all; left out: as many as each answers. */
  readonly rate?: number;
  readonly contenders: readonly Contender[];
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Undefined: the database's CPU can't be seen. */
  readonly postgresPid: number | undefined;
}

const WARM_UP_REQUESTS = 5_000;
/** Numbers the deliveries of the whole run. */
let delivered = 0;

/** Warms every contender up, then gives each its turn in every round, so that what the machine does meets all of them. */
export async function runRounds(options: RoundsOptions): Promise<Row[]> {
  const { contenders, connections, rounds, seconds } = options;
  const before = await Promise.all(contenders.map(countStored));
  const isFull = options.rate === undefined;
  const warm = contenders.map(({ name }) => emptyRow(name, connections, isFull));
  await runTurn(options, 0, warm, () => WARM_UP_REQUESTS);
  const rows = warm.map(({ name, sent, acknowledged }) => ({
    ...emptyRow(name, connections, isFull),
    sent,
    acknowledged,
  }));
  for (let round = 0; round < rounds; round += 1) {
    await runTurn(options, round, rows, (index) => {
      const rate = options.rate ?? rows[index]?.rates.at(-1) ?? warm[index]?.rates[0] ?? 0;
      return Math.max(connections, Math.round(rate * seconds));
    });
  }
  const after = await Promise.all(contenders.map(countStored));
  for (const [index, row] of rows.entries()) row.stored = difference(before[index], after[index]);
  return rows;
}

/** Another one begins in each turn, so that none always follows the same neighbor. */
async function runTurn(
  options: RoundsOptions,
  turn: number,
  rows: readonly Row[],
  amountOf: (index: number) => number,
): Promise<void> {
  for (const place of rows.keys()) {
    const index = (turn + place) % rows.length;
    const [contender, row] = [options.contenders[index], rows[index]];
    if (contender && row) await runRound(options, contender, row, amountOf(index));
  }
  const floor = rows.find(({ name }) => name === FLOOR)?.rates.at(-1) ?? Number.NaN;
  for (const row of rows) row.ratios.push((row.rates.at(-1) ?? 0) / floor);
}

async function runRound(
  { generator, sort, connections, postgresPid, rate }: RoundsOptions,
  { pids, target }: Contender,
  row: Row,
  amount: number,
): Promise<void> {
  const readDatabase = () => (postgresPid ? serverCpuSeconds(postgresPid) : Number.NaN);
  const readApp = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const [appBefore, databaseBefore] = [readApp(), readDatabase()];
  const load = { ...target, sort, connections, amount, from: delivered, ...(rate && { rate }) };
  const result = await generator.run(load);
  delivered += amount;
  row.appSeconds += readApp() - appBefore;
  row.databaseSeconds += readDatabase() - databaseBefore;
  const mebibytes = pids.reduce((sum, pid) => sum + residentMebibytes(pid), 0);
  row.mebibytes = Math.max(row.mebibytes, mebibytes);
  row.sent += result.sent;
  row.acknowledged += result.acknowledged;
  row.rates.push(result.acknowledged / result.seconds);
  for (const latency of result.latencies) row.latencies.push(latency);
}

function emptyRow(name: string, connections: number, isFull: boolean): Row {
  const counts = { sent: 0, acknowledged: 0, stored: null, appSeconds: 0, databaseSeconds: 0, mebibytes: 0 };
  return { name, connections, isFull, ...counts, rates: [], ratios: [], latencies: [] };
}

async function countStored({ databaseUrl }: Contender): Promise<Stored | null> {
  return databaseUrl ? readStored(databaseUrl) : null;
}

function difference(before?: Stored | null, after?: Stored | null): Row['stored'] {
  if (!before || !after) return null;
  return { deliveries: after.deliveries - before.deliveries, signals: after.signals - before.signals };
}
