/**
 * How soon subscribers have what was acknowledged: `npx tsx bench/freshness.ts [--rate 50] [--signals 500]`, after
 * `npm run build`. One socket follows the feed of the process that takes the webhooks, another that of a second process on
 * the same database, which hears of them by NOTIFY. All times are taken by one clock, in this process. Prints a table and
 * writes nothing.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { openBenchServer } from './database.js';
import { createDeliveries } from './delivery.js';
import type { Target } from './load.js';
import { percentiles, toMarkdown } from './table.js';
import { type RunningTributary, connect, startTributary } from './tributary.js';

const { values } = parseArgs({
  options: { rate: { type: 'string', default: '50' }, signals: { type: 'string', default: '500' } },
});
const [RATE, COUNT] = [Number(values.rate), Number(values.signals)];
const PATIENCE_MS = 30_000;

/** When each delivery's signal came to a socket, by the delivery's id. */
async function follow({ address, token }: RunningTributary): Promise<ReadonlyMap<string, number>> {
  const told = new Map<string, number>();
  const socket = new WebSocket(`${address.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  socket.on('message', (data: Buffer) => {
    const at = performance.now();
    const id = /"correlationId":"([^"]+)"/.exec(data.toString())?.[1];
    if (id) told.set(id, at);
  });
  const query = 'subscription { signalReceived { correlationId cursor } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  sockets.push(socket);
  return told;
}

/** Sends one, and answers its id and when it was acknowledged. */
async function send(url: string, next: ReturnType<typeof createDeliveries>) {
  const { headers, body } = next();
  const sent = performance.now();
  const { status } = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  if (status !== 202) throw new Error(`A webhook was answered ${status}.`);
  return { id: headers['x-github-delivery'] ?? '', sent, acknowledged: performance.now() };
}

/** Until a first signal has come everywhere: from then on nothing is missed. */
async function warmUp(url: string, next: ReturnType<typeof createDeliveries>): Promise<void> {
  const { id } = await send(url, next);
  await until(() => all.every((told) => told.has(id)));
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('a signal did not come');
    await delay(1);
  }
}

async function measure({ urls: [url = ''], secret }: Target): Promise<void> {
  const next = createDeliveries('pull-request', secret, 0);
  await warmUp(url, next);
  const began = performance.now();
  const sendings: ReturnType<typeof send>[] = [];
  for (let n = 0; n < COUNT; n += 1) {
    await delay(Math.max(0, began + (n * 1_000) / RATE - performance.now()));
    sendings.push(send(url, next));
  }
  const deliveries = await Promise.all(sendings);
  await until(() => all.every((told) => deliveries.every(({ id }) => told.has(id))));
  const acks = percentiles(deliveries.map(({ sent, acknowledged }) => acknowledged - sent));
  const behind = all.map((told, index) => [
    `acknowledged to told, ${index === 0 ? 'the same process' : 'another, by NOTIFY'}`,
    ...percentiles(deliveries.map(({ id, acknowledged }) => (told.get(id) ?? Number.NaN) - acknowledged)),
  ]);
  console.log(`${COUNT} webhooks of 21 kB at ${RATE} a second\n`);
  const head = ['milliseconds', 'p50', 'p95', 'p99', 'max'];
  console.log(toMarkdown([head, ['sent to acknowledged', ...acks], ...behind]));
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(undefined, folder);
const databaseUrl = await server.createDatabase('freshness');
const options = { checkout: join(import.meta.dirname, '..'), dataDir: join(folder, 'data'), databaseUrl };
const running: RunningTributary[] = [];
const sockets: WebSocket[] = [];
const all: ReadonlyMap<string, number>[] = [];
try {
  for (let n = 0; n < 2; n += 1) {
    const one = await startTributary(options);
    running.push(one);
    all.push(await follow(one));
  }
  const [first] = running;
  if (first) await measure(await connect(first, 'pull-request'));
} finally {
  for (const socket of sockets) socket.terminate();
  for (const one of running) await one.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
