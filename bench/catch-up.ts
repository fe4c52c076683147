/**
 * Many signals from a cursor, as a consumer reads them that was away: by pages over HTTP and by the exported client over a
 * WebSocket, beside `COPY` and a cursor of PostgreSQL read by `pg` in this same process, of the same rows and columns.
 * `npx tsx bench/catch-up.ts [--signals 100000] [--rounds 5] [--database-url …]`, after `npm run build`. Prints a table and
 * writes nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, type Connection, type Submittable } from 'pg';
import { WebSocket } from 'ws';
import { SIGNALS, followSignals } from '../src/client/index.js';
import { toCursor } from '../src/core/page.js';
import { openBenchServer, query } from './database.js';
import { startGenerator } from './load.js';
import { seedSignals } from './seed.js';
import { toMarkdown } from './table.js';
import { type RunningTributary, ask, connect, startTributary } from './tributary.js';
import { cpuSeconds } from './usage.js';

const { values } = parseArgs({
  options: {
    signals: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    'database-url': { type: 'string' },
  },
});
const [COUNT, ROUNDS] = [Number(values.signals), Number(values.rounds)];
const CHECKOUT = join(import.meta.dirname, '..');
const FETCH = 1_000;
const PAGE = 200;
const HEAD = ['reader', 'signals/s', 'of COPY', 'of the cursor', 'server CPU µs a signal'];

/** The columns that {@link SIGNALS} is answered from. */
const COLUMNS = 'id, sequence, type, occurred_at, correlation_id, content';
const ROWS = `select ${COLUMNS} from signals where tenant_id = 'dev' order by sequence limit ${COUNT}`;
/** The same fields as by subscription. */
const FIELDS = /signalReceived\([^)]*\) \{([^]*)\}\s*\}/.exec(SIGNALS)?.[1];
const PAGES = `query ($after: Cursor) {
  signals(first: ${PAGE}, after: $after) { nodes { ${FIELDS} } pageInfo { endCursor } }
}`;

/** Reads {@link COUNT} signals and answers how many came. */
interface Reader {
  readonly name: string;
  read(): Promise<number>;
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(values['database-url'], folder);
try {
  const url = await server.createDatabase('catch_up');
  const running = await startFilled(url);
  try {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { node } = process.versions;
    console.log(`Node ${node}, PostgreSQL ${server.version}, ${cpus().length} cores, ${ROUNDS} turns\n`);
    const readers = [byCopy(client), byCursor(client), byPages(running), bySubscription(running)];
    try {
      console.log(`${toMarkdown(await measure(readers, running))}\n\nload ${loadavg()[0]?.toFixed(1)}`);
    } finally {
      await client.end();
    }
  } finally {
    await running.stop();
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Half of what is seeded is the tenant's own. */
async function startFilled(databaseUrl: string): Promise<RunningTributary> {
  const dataDir = join(folder, 'data');
  // What a tenant may ask in a minute is not what is measured.
  const env = { NODE_ENV: 'production', GRAPHQL_COST_PER_MINUTE: '0' };
  const start = () => startTributary({ checkout: CHECKOUT, dataDir, databaseUrl, env });
  const first = await start();
  const target = await connect(first, 'pull-request');
  const generator = startGenerator();
  await generator.run({ ...target, sort: 'pull-request', connections: 1, amount: 1, from: 0 });
  generator.stop();
  await first.stop();
  await seedSignals(databaseUrl, { count: 2 * COUNT, isSmall: false });
  const [row] = await query<{ bytes: number }>(
    databaseUrl,
    `select avg(pg_column_size(content))::int as bytes from signals`,
  );
  console.log(`${COUNT} signals with ${row?.bytes} bytes of content each`);
  return start();
}

/** COPY to this process, whose lines are counted and not looked at. */
function byCopy(client: Client): Reader {
  return {
    name: 'COPY',
    read: () =>
      new Promise((resolve, reject) => {
        let lines = 0;
        const copy = {
          submit: (connection: Connection) => connection.query(`copy (${ROWS}) to stdout`),
          handleCopyOutResponse() {},
          handleCopyData: () => void (lines += 1),
          handleCommandComplete() {},
          handleError: reject,
          handleReadyForQuery: () => resolve(lines),
        };
        client.query(copy as unknown as Submittable);
      }),
  };
}

/** As rows that `pg` has made objects of. */
function byCursor(client: Client): Reader {
  return {
    name: 'cursor by pg',
    async read() {
      await client.query('begin');
      await client.query(`declare reader no scroll cursor for ${ROWS}`);
      let count = 0;
      for (let last = FETCH; last > 0;) {
        const { rows } = await client.query(`fetch ${FETCH} from reader`);
        last = rows.length;
        count += last;
      }
      await client.query('commit');
      return count;
    },
  };
}

interface SignalsPage {
  readonly signals: {
    readonly nodes: readonly object[];
    readonly pageInfo: { readonly endCursor: string | null };
  };
}

function byPages(running: RunningTributary): Reader {
  return {
    name: `pages of ${PAGE} over HTTP`,
    async read() {
      let after: string | null = toCursor('signals', '0');
      let count = 0;
      while (count < COUNT && after !== null) {
        const { signals }: SignalsPage = await ask<SignalsPage>(running, PAGES, { after });
        count += signals.nodes.length;
        after = signals.pageInfo.endCursor;
      }
      return count;
    },
  };
}

function bySubscription({ address, token }: RunningTributary): Reader {
  return {
    name: 'subscription by the client',
    async read() {
      let count = 0;
      const stream = followSignals({
        url: `${address.replace('http', 'ws')}/graphql`,
        token: () => token,
        after: toCursor('signals', '0'),
        webSocketImpl: WebSocket,
      });
      for await (const _ of stream) {
        count += 1;
        if (count === COUNT) break;
      }
      return count;
    },
  };
}

/** Each once unmeasured; then another one begins in each turn. */
async function measure(readers: readonly Reader[], { pid }: RunningTributary): Promise<string[][]> {
  const rates = readers.map((): number[] => []);
  const cpu = readers.map((): number[] => []);
  for (let turn = -1; turn < ROUNDS; turn += 1) {
    for (const place of readers.keys()) {
      const index = (Math.max(turn, 0) + place) % readers.length;
      const [began, before] = [performance.now(), cpuSeconds(pid)];
      const count = await readers[index]!.read();
      if (count < COUNT) throw new Error(`${readers[index]!.name}: ${count} of ${COUNT} came`);
      if (turn < 0) continue;
      rates[index]!.push((count * 1_000) / (performance.now() - began));
      cpu[index]!.push(((cpuSeconds(pid) - before) / count) * 1e6);
    }
  }
  const relative = (index: number, to: number) =>
    spread(rates[index]!.map((rate, turn) => rate / (rates[to]![turn] ?? Number.NaN)));
  return [
    HEAD,
    ...readers.map(({ name }, index) => [
      name,
      Math.round(median(rates[index]!)).toLocaleString('en-US'),
      relative(index, 0),
      relative(index, 1),
      median(cpu[index]!).toFixed(0),
    ]),
  ];
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function spread(ratios: readonly number[]): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
