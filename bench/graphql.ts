/**
 * `npx tsx bench/graphql.ts [--rounds 6] [--seconds 3]`: what GraphQL costs here beside a plain Apollo Server that answers
 * constants, and what executeAction adds to the provider's own time. Prints tables and writes nothing.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { Client } from 'pg';
import { firstMessage } from './child.js';
import { openBenchServer } from './database.js';
import { createDeliveries } from './delivery.js';
import { median, percentiles, toMarkdown } from './table.js';
import { type Asked, ask, nodeFlags } from './tributary.js';
import { cpuSeconds, serverCpuSeconds } from './usage.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '6' }, seconds: { type: 'string', default: '3' } },
});
const [ROUNDS, SECONDS] = [Number(values.rounds), Number(values.seconds)];
const [CONNECTIONS, SIGNALS_EACH, ACTIONS, LANES] = [20, 5, 300, 16];
/** Actions before the first that counts: so long the engine still compiles what they run through. */
const WARM_UP = 1_000;

const QUERIES = {
  'providers list': `{ providers { id name description category stage authMethods capabilities
    scopes { scope reason } actions { type title idempotency } triggers { signalType title } } }`,
  [`${CONNECTIONS} connections with health and last signals`]: `{ connections(first: ${CONNECTIONS}) {
    nodes { id name status provider { id name } health { status successRate1h }
      signals(last: ${SIGNALS_EACH}) { nodes { id type occurredAt } } }
    pageInfo { endCursor hasNextPage } } }`,
} as const;

/** A server that answers the same queries. */
interface Server extends Asked {
  readonly name: string;
  readonly pid: number;
}

const children: ChildProcess[] = [];
const releases: (() => Promise<void>)[] = [];

async function start<T>(
  module: string,
  env: Record<string, string> = {},
  message?: object,
): Promise<[T, number]> {
  const isOurs = module === 'graphql-server.ts';
  const child = fork(new URL(module, import.meta.url), {
    env: { ...process.env, ...env },
    execArgv: [...process.execArgv, ...(isOurs ? nodeFlags() : [])],
  });
  children.push(child);
  if (message) child.send(message);
  return [await firstMessage<T>(child), child.pid ?? 0];
}

const CONNECT = `mutation ($input: ConnectInput!) {
  connect(input: $input) { connection { id } webhook { url secret } }
}`;

interface Connected {
  readonly connect: {
    readonly connection: { readonly id: string };
    readonly webhook: { readonly url: string; readonly secret: string };
  };
}

async function connectTo(server: Asked, providerId: string, name: string): Promise<Connected['connect']> {
  const input = { providerId, name, authMethod: 'BEARER', credential: { token: 'not-a-real-one' } };
  return (await ask<Connected>(server, CONNECT, { input })).connect;
}

/** Connections with signals, so that the lists have something to show. */
async function fill(server: Asked): Promise<void> {
  for (let n = 0; n < CONNECTIONS; n += 1) {
    const { webhook } = await connectTo(server, 'github', `bench ${n}`);
    const next = createDeliveries('pull-request', webhook.secret, n * SIGNALS_EACH);
    for (let sent = 0; sent < SIGNALS_EACH; sent += 1) {
      const { headers, body } = next();
      const { status } = await fetch(webhook.url, { method: 'POST', headers, body: new Uint8Array(body) });
      if (status !== 202) throw new Error(`A webhook was answered ${status}.`);
    }
  }
}

interface Turn {
  readonly rate: number;
  readonly micros: number;
}

async function load({ address, token, pid }: Server, query: string, seconds: number): Promise<Turn> {
  const before = cpuSeconds(pid);
  let answered = 0;
  const running = autocannon({
    url: `${address}/graphql`,
    connections: LANES,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: Buffer.from(JSON.stringify({ query })),
      },
    ],
  });
  void running.on('response', (_client, statusCode) => {
    if (statusCode !== 200) throw new Error(`A query was answered ${statusCode}.`);
    answered += 1;
  });
  await running;
  return { rate: answered / seconds, micros: ((cpuSeconds(pid) - before) / answered) * 1e6 };
}

/** In turns, so that what the machine does meets both. */
async function compare(name: string, query: string, ours: Server, floor: Server): Promise<string[]> {
  const [mine, theirs]: [Turn[], Turn[]] = [[], []];
  for (const server of [ours, floor]) await load(server, query, 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? [ours, floor] : [floor, ours];
    for (const server of order) {
      (server === ours ? mine : theirs).push(await load(server, query, SECONDS));
    }
  }
  const ratios = mine.map(({ rate }, round) => rate / (theirs[round]?.rate ?? Number.NaN));
  return [
    name,
    median(mine.map(({ rate }) => rate)).toFixed(0),
    median(theirs.map(({ rate }) => rate)).toFixed(0),
    `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
    median(mine.map(({ micros }) => micros)).toFixed(0),
    median(theirs.map(({ micros }) => micros)).toFixed(0),
  ];
}

const EXECUTE = `mutation ($input: ExecuteActionInput!) { executeAction(input: $input) { id status } }`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** One after the other, each beside a request of the provider itself. */
async function measureActions(ours: Server, provider: string, databaseUrl: string): Promise<string> {
  const { connection } = await connectTo(ours, 'example', 'acts');
  await ask(ours, 'mutation ($id: ID!) { verify(connectionId: $id) { id } }', { id: connection.id });
  const act = async () => {
    const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'It drips.' } };
    const input = { connectionId: connection.id, action, idempotencyKey: randomUUID() };
    const { executeAction } = await ask<{ executeAction: { status: string } }>(ours, EXECUTE, { input });
    if (executeAction.status !== 'SUCCEEDED') throw new Error(`An action ended as ${executeAction.status}.`);
  };
  const direct = async () => void (await (await fetch(provider, { method: 'POST', body: '{}' })).text());
  const commitTwice = await openCommits(databaseUrl);
  for (let n = 0; n < WARM_UP; n += 1) await act();
  const [acted, asked, committed]: [number[], number[], number[]] = [[], [], []];
  const [app, database] = [cpuSeconds(ours.pid), databaseSeconds()];
  for (let n = 0; n < ACTIONS; n += 1) {
    acted.push(await timed(act));
    asked.push(await timed(direct));
  }
  const spent = [cpuSeconds(ours.pid) - app, databaseSeconds() - database];
  const [appMs, databaseMs] = spent.map((seconds) => ((seconds / ACTIONS) * 1_000).toFixed(1));
  for (let n = 0; n < ACTIONS; n += 1) committed.push(await timed(commitTwice));
  const overhead = acted.map((milliseconds, n) => milliseconds - (asked[n] ?? Number.NaN));
  const table = toMarkdown([
    ['milliseconds', 'p50', 'p95', 'p99', 'max'],
    ['executeAction', ...percentiles(acted)],
    ['the provider alone', ...percentiles(asked)],
    ['the one less the other', ...percentiles(overhead)],
    ['two rows in two commits by pg', ...percentiles(committed)],
  ]);
  return `${table}\n\nCPU of an action: ${appMs} ms of ours, ${databaseMs} ms of PostgreSQL`;
}

/** The least that an action can cost there: one commit before the provider is called, and one after. */
async function openCommits(databaseUrl: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  releases.push(() => client.end());
  await client.query('create table bench_commits (id uuid primary key, content jsonb not null)');
  const insert = {
    name: 'insert',
    text: `insert into bench_commits values (gen_random_uuid(), '{"action": "addIssueComment"}')`,
  };
  return async () => {
    await client.query(insert);
    await client.query(insert);
  };
}

/** Of all that PostgreSQL has run so far. */
function databaseSeconds(): number {
  return server.pid === undefined ? Number.NaN : serverCpuSeconds(server.pid);
}

async function measure(databaseUrl: string, dataDir: string): Promise<void> {
  const [providerPort] = await start<number>('graphql-provider.ts');
  const provider = `http://127.0.0.1:${providerPort}/`;
  const places = { DATABASE_URL: databaseUrl, DATA_DIR: dataDir, PROVIDER_URL: provider };
  const [asked, pid] = await start<Asked>('graphql-server.ts', { ...places, NODE_ENV: 'production' });
  const ours = { name: 'tributary', pid, ...asked };
  await fill(ours);
  const answers = await Promise.all(Object.values(QUERIES).map((query) => ask<object>(ours, query)));
  const [port, floorPid] = await start<number>(
    'graphql-floor.ts',
    { NODE_ENV: 'production' },
    Object.assign({}, ...answers),
  );
  const floor = { name: 'floor', pid: floorPid, address: `http://127.0.0.1:${port}`, token: 'none' };
  const rows: string[][] = [];
  for (const [name, query] of Object.entries(QUERIES)) rows.push(await compare(name, query, ours, floor));
  const head = ['query', 'tributary/s', 'constants/s', 'of constants', 'CPU µs', 'CPU µs of constants'];
  console.log(`${toMarkdown([head, ...rows])}\n\n${await measureActions(ours, provider, databaseUrl)}`);
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(undefined, folder);
try {
  await measure(await server.createDatabase('graphql'), join(folder, 'data'));
} finally {
  for (const release of releases) await release();
  for (const child of children) {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  }
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
