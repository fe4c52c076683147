import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A Redis server for a run of tests. */
export interface RedisServer {
  url: string;
  /** Ends the server if it was started here. */
  stop(): Promise<void>;
}

/** Where Debian's package listens. */
const LOCAL_URL = 'redis://127.0.0.1:6379';
const START_MS = 10_000;

/** The server named by TEST_REDIS_URL, else a local one that answers, else `redis-server` on a free port, kept in memory. */
export async function findOrStartRedis(): Promise<RedisServer> {
  const url = process.env['TEST_REDIS_URL'];
  if (url) return { url, stop: async () => {} };
  if (await answers(LOCAL_URL)) return { url: LOCAL_URL, stop: async () => {} };
  return startRedis();
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
  // The failure itself arrives at connect(); without a listener ioredis would print it as well.
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** One of the caller's own, whose `stop` may be a kill; on the port of another, in its place. */
export interface OwnRedis extends RedisServer {
  readonly port: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export async function startRedis(given?: number): Promise<OwnRedis> {
  const port = given ?? (await findFreePort());
  const child = spawn('redis-server', toArgs(port), { stdio: 'ignore', cwd: '/' });
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error('No Redis to test with: apt-get install redis-server, or set TEST_REDIS_URL.', { cause });
  });
  const exited = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    await exited;
  };
  const url = `redis://127.0.0.1:${port}`;
  if (await isUp(url, () => child.exitCode === null)) return { url, port, stop };
  await stop();
  throw new Error(
    `redis-server did not answer on ${url}: run "redis-server ${toArgs(port).join(' ')}" to see why.`,
  );
}

/** No snapshots and no append-only file: nothing to clean up. */
function toArgs(port: number): string[] {
  return ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
}

async function isUp(url: string, isRunning: () => boolean): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  while (isRunning() && Date.now() < deadline) {
    if (await answers(url)) return true;
    await delay(20);
  }
  return false;
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
