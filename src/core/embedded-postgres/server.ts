import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Programs } from './binaries.js';
import type { Cluster } from './cluster.js';
import { EmbeddedPostgresError } from './error.js';
import { readTail } from './files.js';
import type { Command } from './owner.js';
import { isServerOf, readPidFile, removeStalePidFile } from './pid-file.js';

/** What we know of a running server. */
export interface Server {
  pid: number;
  port: number;
  /** Undefined when it was adopted. */
  child?: ChildProcess;
}

/** Of the server: by name, the value as in postgresql.conf. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Passed with `-c`, so they win over postgresql.conf and an old cluster gets them too.
 * Durability is spelled out although it is the default: an accepted delivery must survive a power cut.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '127.0.0.1', // for this machine only
  unix_socket_directories: '', // a socket's path may have 107 bytes, a data dir's path has no such limit
  max_connections: '100', // pools of the API, the worker, the jobs and the change feed, with room for psql
  shared_buffers: '256MB', // the hot part of journal and queue; taken from the system only as it fills
  max_wal_size: '2GB', // fewer checkpoints under a burst of deliveries, at the price of a longer recovery
  wal_compression: 'on', // page images after a checkpoint are most of the WAL; pglz, as this build has no lz4
  timezone: 'UTC', // where a day begins must not depend on the machine
  log_min_messages: 'log', // not the errors: they go to the client, and would show tenants' data here
  log_min_error_statement: 'panic', // nor the statement beside what is still logged
  log_checkpoints: 'off', // would be most of a log that nothing rotates
};

const POLL_MS = 10;
/** Orphans of a killed server may hold its shared memory until they notice; a port may be lost to another program. */
const RETRYABLE_START = /pre-existing shared memory block|could not bind/;
const RETRY_START_MS = 20_000;
const RETRY_PAUSE_MS = 200;

/** The server of this cluster that is still running, once it is ready. One that is just stopping is waited for. */
export async function findSurvivor(cluster: Cluster): Promise<Server | undefined> {
  const found = await waitFor(async () => {
    const file = await readPidFile(cluster);
    if (!file || !(await isServerOf(cluster, file.pid))) return 'none';
    return file.isReady ? file : undefined;
  });
  return found === 'none' ? undefined : found;
}

/** Resolves when it takes connections. */
export async function startServer(cluster: Cluster, programs: Programs, own: Settings): Promise<Server> {
  const deadline = Date.now() + RETRY_START_MS;
  for (;;) {
    try {
      return await launchServer(cluster, programs, own);
    } catch (error) {
      if (!RETRYABLE_START.test((error as Error).message) || Date.now() > deadline) throw error;
      await delay(RETRY_PAUSE_MS);
    }
  }
}

/** SIGINT is PostgreSQL's fast shutdown: transactions are rolled back, clients are cut off, data is synced. */
export async function stopServer(cluster: Cluster, pid: number): Promise<void> {
  if (await isServerOf(cluster, pid)) process.kill(pid, 'SIGINT');
  await waitFor(async () => ((await isServerOf(cluster, pid)) ? undefined : true));
}

async function launchServer(cluster: Cluster, programs: Programs, own: Settings): Promise<Server> {
  await removeStalePidFile(cluster);
  const port = await findFreePort();
  const log = await open(cluster.log, 'a+', 0o600);
  try {
    const { size } = await log.stat();
    const child = await spawnServer(
      programs.postgres(toArgs(cluster, { ...SETTINGS, ...own, port: String(port) })),
      log.fd,
    );
    if (await isReady(cluster, child)) return { pid: child.pid!, port, child };
    throw new EmbeddedPostgresError(
      `PostgreSQL did not start. The end of ${cluster.log}:\n${await readTail(cluster.log, size)}`,
    );
  } finally {
    await log.close();
  }
}

function toArgs({ dir }: Cluster, settings: Settings): string[] {
  return ['-D', dir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** In a session of its own, so that Ctrl-C reaches us alone; writing to a file, which outlives us as a pipe would not. */
async function spawnServer({ file, args, options }: Command, log: number): Promise<ChildProcess> {
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  await once(child, 'spawn');
  child.unref();
  return child;
}

/** False when it ended instead. However long a recovery after a crash takes, one of the two happens. */
async function isReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  return waitFor(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const file = await readPidFile(cluster);
    return file?.pid === child.pid && file?.isReady ? true : undefined;
  });
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Asks again until the answer is not undefined. */
async function waitFor<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    await delay(POLL_MS);
  }
}
