import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { isAlive } from '../../src/core/data-dir.js';
import { startEmbeddedPostgres } from '../../src/core/embedded-postgres/index.js';
import { type TestDatabase, databaseAt } from './database.js';
import { startRedis } from './redis-server.js';

/** A server of a test's own under one address, which can be ended and started again. */
export interface Restartable {
  readonly url: string;
  end(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

/** Ended when the running test ends. */
export async function useRedis(): Promise<Restartable> {
  let server = await startRedis();
  onTestFinished(() => server.stop());
  return {
    url: server.url,
    end: (signal) => server.stop(signal),
    async start() {
      server = await startRedis(server.port);
    },
  };
}

/** SIGINT is its fast shutdown, SIGQUIT the immediate one, which leaves recovery to the next start. */
export interface OwnPostgres extends Restartable {
  readonly database: TestDatabase;
}

/** Empty; ended when the running test ends. `parent`: a folder on another disk. */
export async function usePostgres(parent = tmpdir()): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(parent, 'tributary-story-'));
  let server = await startEmbeddedPostgres({ dataDir });
  onTestFinished(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true });
  });
  const url = new URL(server.url);
  const line = await startLine(() => Number(new URL(server.url).port));
  onTestFinished(() => line.close());
  url.port = String(line.port);
  return {
    url: url.href,
    database: databaseAt(url.href, async () => {}),
    async end(signal) {
      process.kill(server.pid, signal);
      while (isAlive(server.pid)) await delay(10);
    },
    async start() {
      server = await startEmbeddedPostgres({ dataDir });
    },
  };
}

/** One port for a server that takes another at each start; and a way to it that can be cut and mended. */
export interface Line {
  readonly port: number;
  /** Nobody gets through, and whoever was is cut off. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startLine(port: () => number): Promise<Line> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port(), '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one) && other.destroy());
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      drop();
    },
    mend: () => void (isCut = false),
    async close() {
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    },
  };
}
