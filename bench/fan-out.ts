/**
 * One signal to many subscribers: Tributary beside bare graphql-ws, which executes each subscription by itself, and beside
 * raw frames. `npx tsx bench/fan-out.ts [--subscribers 1000] [--rate 20] [--signals 100] [--documents 1]`, after
 * `npm run build`. Prints a table and writes nothing. With `--documents` above 1 subscribers differ in what they ask.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { SIGNALS } from '../src/client/index.js';
import { firstMessage } from './child.js';
import { createDeliveries } from './delivery.js';
import { toMarkdown } from './table.js';
import { connect, startTributary } from './tributary.js';
import { cpuSeconds } from './usage.js';

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '20' },
    signals: { type: 'string', default: '100' },
    documents: { type: 'string', default: '1' },
  },
});
const [SUBSCRIBERS, RATE, COUNT, DOCUMENTS] = [
  Number(values.subscribers),
  Number(values.rate),
  Number(values.signals),
  Number(values.documents),
];

/** As in our image; graphql.js and what else looks at it is for each as it is for the others. */
const env = { NODE_ENV: 'production' };

/** Someone who tells one signal to everybody, in a process of its own. */
interface Teller {
  readonly name: string;
  readonly pid: number;
  /** `ws://…` */
  readonly socketUrl: string;
  readonly token: string;
  readonly query: string;
  /** Resolves when it has the signal. */
  tell(): Promise<void>;
  stop(): Promise<void>;
}

/** As large as what Tributary makes of the published pull request, with the same fields. */
const PLAIN = {
  id: 'i'.repeat(36),
  cursor: 'c'.repeat(16),
  sequence: '1',
  type: 'pr_opened',
  correlationId: 'd'.repeat(36),
  occurredAt: '2026-11-21T12:00:00.000Z',
  payload: { text: 'x'.repeat(900) },
  resource: { repository: 'acme/x', branch: 'main', prId: '1', commit: 'f'.repeat(40) },
  evidence: [{ type: 'pull_request', url: 'https://github.com/acme/x/pull/1', title: 'A change' }],
};

async function startFloor(name: string): Promise<Teller> {
  const child = fork(new URL('fan-out-floor.ts', import.meta.url), [name], {
    env: { ...process.env, ...env },
  });
  const port = await firstMessage<number>(child);
  const query = SIGNALS.replace(/\(\$filter[^)]*\)/, '').replace(/\(filter[^)]*\)/, '');
  return {
    name,
    pid: child.pid ?? 0,
    socketUrl: `ws://127.0.0.1:${port}/graphql`,
    token: '',
    query,
    tell: () => post(`http://127.0.0.1:${port}/`, {}, Buffer.from(JSON.stringify(PLAIN))),
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function startOurs(folder: string): Promise<Teller> {
  const running = await startTributary({ checkout: join(import.meta.dirname, '..'), dataDir: folder, env });
  const { urls, secret } = await connect(running, 'pull-request');
  const [url = ''] = urls;
  const next = createDeliveries('pull-request', secret, 0);
  return {
    name: 'tributary',
    pid: running.pid,
    token: running.token,
    query: SIGNALS,
    socketUrl: `${running.address.replace('http', 'ws')}/graphql`,
    tell() {
      const { headers, body } = next();
      return post(url, headers, body);
    },
    stop: () => running.stop(),
  };
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  if (response.status !== 202)
    throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}

/** Counts what all of them are told. They take the text and do not parse it: the client is not what is measured. */
async function subscribeAll({ socketUrl, token, query }: Teller) {
  const state = { told: 0, bytes: 0 };
  const sockets: WebSocket[] = [];
  for (let n = 0; n < SUBSCRIBERS; n += 1) {
    const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    await once(socket, 'message');
    socket.on('message', (data: Buffer) => {
      if (!data.includes('"next"')) return;
      state.told += 1;
      state.bytes += data.length;
    });
    // A blank more or less makes it another document.
    const text = query + ' '.repeat(n % DOCUMENTS);
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: text } }));
    sockets.push(socket);
  }
  return { state, close: () => sockets.forEach((socket) => socket.terminate()) };
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !isSo(); waited += 1) {
    if (waited > 120_000) throw new Error(`gave up on ${what}`);
    await delay(1);
  }
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;

async function measure(teller: Teller): Promise<string[]> {
  const { state, close } = await subscribeAll(teller);
  // The first signals find out when all have subscribed.
  for (let before = -1; state.told - before !== SUBSCRIBERS;) {
    before = state.told;
    await teller.tell();
    await delay(500);
  }
  const [cpu, began, told, bytes] = [cpuSeconds(teller.pid), performance.now(), state.told, state.bytes];
  const latencies: number[] = [];
  for (let n = 1; n <= COUNT; n += 1) {
    const sent = performance.now();
    await teller.tell();
    await until(() => state.told >= told + n * SUBSCRIBERS, `signal ${n} of ${teller.name}`);
    latencies.push(performance.now() - sent);
    await delay(Math.max(0, began + (n * 1_000) / RATE - performance.now()));
  }
  const seconds = (performance.now() - began) / 1_000;
  const micros = ((cpuSeconds(teller.pid) - cpu) / (COUNT * SUBSCRIBERS)) * 1e6;
  close();
  const size = (state.bytes - bytes) / (COUNT * SUBSCRIBERS);
  return [
    teller.name,
    String(SUBSCRIBERS),
    (COUNT / seconds).toFixed(1),
    median(latencies).toFixed(1),
    micros.toFixed(1),
    size.toFixed(0),
    String(state.told - told),
  ];
}

const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
const rows = [
  ['server', 'subscribers', 'signals/s', 'all told, p50 ms', 'CPU µs a delivery', 'bytes', 'delivered'],
];
for (const start of [() => startFloor('frames'), () => startFloor('graphql-ws'), () => startOurs(folder)]) {
  const teller = await start();
  try {
    rows.push(await measure(teller));
  } finally {
    await teller.stop();
  }
}
process.stdout.write(`${toMarkdown(rows)}\n`);
await rm(folder, { recursive: true });
