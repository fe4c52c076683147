/**
 * How soon subscribers have what was acknowledged: `npx tsx bench/freshness.ts [--rate 50] [--signals 500]`, after
 * `npm run build`. One socket follows the feed of the process that takes the webhooks, another that of a second process on
 * the same database, which hears of them by Redis; and the same beside it without a Redis, by NOTIFY. Each gets every second
 * webhook of the rate, so that both are measured on the same machine. All times are taken by one clock, in this process.
 * Prints a table and writes nothing.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { findOrStartRedis } from '../test/support/redis-server.js';
import { openBenchServer } from './database.js';
import { type SignedDelivery, createDeliveries } from './delivery.js';
import { percentiles, toMarkdown } from './table.js';
import { type RunningTributary, connect, startTributary } from './tributary.js';

const { values } = parseArgs({
  options: { rate: { type: 'string', default: '50' }, signals: { type: 'string', default: '500' } },
});
const [RATE, COUNT] = [Number(values.rate), Number(values.signals)];
const PATIENCE_MS = 30_000;

/** Two processes that tell each other of new signals in one way. */
interface Way {
  readonly name: string;
  readonly url: string;
  next(): SignedDelivery;
  /** What came to the socket of the process that takes the webhooks, and of the other. */
  readonly told: readonly ReadonlyMap<string, number>[];
}

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

async function start(name: string, databaseUrl: string, env: Readonly<Record<string, string>>): Promise<Way> {
  const options = {
    checkout: join(import.meta.dirname, '..'),
    dataDir: join(folder, name),
    databaseUrl,
    env,
  };
  const first = await startTributary(options);
  running.push(first);
  const second = await startTributary(options);
  running.push(second);
  const told = [await follow(first), await follow(second)];
  const { urls, secret } = await connect(first, 'pull-request');
  return { name, url: urls[0] ?? '', next: createDeliveries('pull-request', secret, 0), told };
}

/** Sends one, and answers its id and when it was acknowledged. */
async function send({ url, next }: Way) {
  const { headers, body } = next();
  const sent = performance.now();
  const { status } = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  if (status !== 202) throw new Error(`A webhook was answered ${status}.`);
  return { id: headers['x-github-delivery'] ?? '', sent, acknowledged: performance.now() };
}

/** Until a first signal has come everywhere: from then on nothing is missed. */
async function warmUp(way: Way): Promise<void> {
  const { id } = await send(way);
  await until(() => way.told.every((told) => told.has(id)));
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('a signal did not come');
    await delay(1);
  }
}

async function measure(ways: readonly Way[]): Promise<void> {
  for (const way of ways) await warmUp(way);
  const began = performance.now();
  const sendings = ways.map((): ReturnType<typeof send>[] => []);
  for (let n = 0; n < COUNT * ways.length; n += 1) {
    await delay(Math.max(0, began + (n * 1_000) / RATE - performance.now()));
    const way = ways[n % ways.length];
    if (way) sendings[n % ways.length]?.push(send(way));
  }
  const rows = await Promise.all(
    ways.map(async (way, n) => toRows(way, await Promise.all(sendings[n] ?? []))),
  );
  console.log(`${COUNT} webhooks of 21 kB in each way, at ${RATE} a second in all\n`);
  console.log(toMarkdown([['milliseconds', 'p50', 'p95', 'p99', 'max'], ...rows.flat()]));
}

async function toRows({ name, told }: Way, deliveries: readonly Awaited<ReturnType<typeof send>>[]) {
  await until(() => told.every((one) => deliveries.every(({ id }) => one.has(id))));
  const behind = told.map((one, index) => [
    `${name}: acknowledged to told, ${index === 0 ? 'the same process' : 'another'}`,
    ...percentiles(deliveries.map(({ id, acknowledged }) => (one.get(id) ?? Number.NaN) - acknowledged)),
  ]);
  const acks = percentiles(deliveries.map(({ sent, acknowledged }) => acknowledged - sent));
  return [[`${name}: sent to acknowledged`, ...acks], ...behind];
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const running: RunningTributary[] = [];
const sockets: WebSocket[] = [];
const server = await openBenchServer(undefined, folder);
const redis = await findOrStartRedis();
try {
  const byRedis = await start('Redis', await server.createDatabase('by_redis'), { REDIS_URL: redis.url });
  const byNotify = await start('NOTIFY', await server.createDatabase('by_notify'), {});
  await measure([byRedis, byNotify]);
} finally {
  for (const socket of sockets) socket.terminate();
  for (const one of running) await one.stop();
  await redis.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
