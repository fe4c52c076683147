import { execFile } from 'node:child_process';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.js';
import { issueDevelopmentToken } from '../../src/core/auth.js';
import { scopes } from '../../src/core/caller.js';
import { systemClock } from '../../src/core/clock.js';
import { type TestCaller, createCaller } from '../support/app.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type Program, type TributaryProcess, useDataDir } from '../support/process.js';
import { type OwnPostgres, type Restartable, usePostgres, useRedis } from '../support/story-servers.js';

const run = promisify(execFile);

/** A process of Tributary and every line that it hangs on, each of which can fail. */
export interface Node {
  /** To PostgreSQL. */
  readonly database: FaultProxy;
  /** To Redis. */
  readonly redis: FaultProxy;
  /** From callers to it. */
  readonly front: FaultProxy;
  kill(): Promise<void>;
  start(): Promise<void>;
  send(signal: NodeJS.Signals): void;
}

/** Two API processes and a worker over one PostgreSQL and one Redis. */
export interface World {
  readonly apis: readonly [Node, Node];
  readonly worker: Node;
  readonly postgres: OwnPostgres;
  readonly redis: Restartable;
  readonly token: string;
  readonly caller: TestCaller;
  /** The disk that PostgreSQL has for itself; undefined where this user may mount none. */
  readonly disk: Disk | undefined;
}

/** A small file system of its own. */
export interface Disk {
  readonly folder: string;
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** A day: a clock that jumps by an hour must not end it. */
const TOKEN_SECONDS = 86_400;
const DISK_MEBIBYTES = 400;

/** Everything of it is ended when the running test ends. */
export async function startWorld(program: Program, wantsDisk: boolean): Promise<World> {
  const disk = wantsDisk ? await mountDisk() : undefined;
  const [dataDir, redis, postgres] = [await useDataDir(), await useRedis(), await usePostgres(disk?.folder)];
  const node = (role: 'api' | 'worker') => startNode(program, { dataDir, role, redis, postgres });
  // The first one migrates and makes the keys.
  const first = await node('api');
  const [second, worker] = await Promise.all([node('api'), node('worker')]);
  const config = readConfig({ TRIBUTARY_DATA_DIR: dataDir });
  const claims = { tenantId: 'dev', subject: 'ada', scope: scopes.join(' '), lifetimeSeconds: TOKEN_SECONDS };
  const token = await issueDevelopmentToken(config, claims, systemClock);
  const caller = createCaller(`http://127.0.0.1:${first.front.port}`, token);
  return { apis: [first, second], worker, postgres, redis, token, caller, disk };
}

interface NodeOptions {
  readonly dataDir: string;
  readonly role: 'api' | 'worker';
  readonly redis: Restartable;
  readonly postgres: OwnPostgres;
}

const CLOCK = `--import=${join(import.meta.dirname, 'clock.mjs')}`;

async function startNode(program: Program, { dataDir, role, redis, postgres }: NodeOptions): Promise<Node> {
  let running: TributaryProcess | undefined;
  const database = await useProxy(() => portOf(postgres.url));
  const toRedis = await useProxy(() => portOf(redis.url));
  // Port 1 refuses, as the port of a process that is gone does.
  const front = await useProxy(() => (running ? portOf(running.url) : 1));
  const env = {
    DATABASE_URL: through(postgres.url, database),
    REDIS_URL: through(redis.url, toRedis),
    EGRESS_ALLOW: '127.0.0.0/8',
    NODE_OPTIONS: CLOCK,
  };
  const start = async () => void (running = await program.start({ dataDir, args: ['--role', role], env }));
  await start();
  return {
    database,
    redis: toRedis,
    front,
    start,
    async kill() {
      const killed = running;
      running = undefined;
      await killed?.kill();
    },
    send: (signal) => running?.send(signal),
  };
}

async function useProxy(port: () => number): Promise<FaultProxy> {
  const proxy = await startFaultProxy(port);
  onTestFinished(() => proxy.close());
  return proxy;
}

const portOf = (url: string): number => Number(new URL(url).port);

function through(url: string, { port }: FaultProxy): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

/** A disk in memory. Only root may mount one: elsewhere there is none, and the ledger says so. */
async function mountDisk(): Promise<Disk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-disk-'));
  const ballast = join(folder, 'ballast');
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEBIBYTES}m,mode=755`, 'tmpfs', folder]);
  } catch {
    await rmdir(folder);
    return undefined;
  }
  onTestFinished(async () => {
    await run('umount', ['--lazy', folder]);
    await rmdir(folder);
  });
  return {
    folder,
    async fill() {
      const more = Buffer.alloc(DISK_MEBIBYTES * 1024 * 1024);
      await expect(writeFile(ballast, more)).rejects.toMatchObject({ code: 'ENOSPC' });
    },
    free: () => rm(ballast, { force: true }),
  };
}
