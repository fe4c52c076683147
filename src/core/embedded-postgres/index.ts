/**
 * A real PostgreSQL server that needs no installation: binaries from npm, data in the data dir.
 *
 * The server is a process of its own and outlives a crash of ours. The next start adopts it. It listens on
 * 127.0.0.1 only, on a port chosen at each start, behind a random password.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ensureDataDir } from '../data-dir.js';
import { createPrograms } from './binaries.js';
import { type Cluster, ensureCluster, toCluster } from './cluster.js';
import { ensureDatabase } from './database.js';
import { type Server, type Settings, findSurvivor, startServer, stopServer } from './server.js';

export { EmbeddedPostgresError } from './error.js';

/** A running server. */
export interface EmbeddedPostgres {
  /** Superuser URL to the database "tributary", password included: keep it out of logs. */
  url: string;
  /** True when a server that survived the death of an earlier process was taken over. */
  adopted: boolean;
  /** Process id of the server. */
  pid: number;
  /** Ends connections and server, and resolves when the process is gone. Calling it again is harmless. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The cluster goes to `<dataDir>/postgres`, the server's log to `<dataDir>/postgres.log`. */
  dataDir: string;
  /** In place of ours, for a server whose data nobody will miss. A survivor keeps those it was started with. */
  settings?: Settings;
  log?: { info(obj: object, msg: string): void; warn(obj: object, msg: string): void };
}

type Log = EmbeddedPostgresOptions['log'];

const SLOW_START_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * Starts the server, or adopts the one that an earlier process left behind, and makes the database.
 * The caller holds the data dir (`claimDataDir`): two starters at once would share, and stop, one server.
 *
 * @throws {EmbeddedPostgresError} saying what to do: no binaries for this platform, no user to run as, or the end of
 * the server's log
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, settings = {} } = options;
  const cluster = toCluster(ensureDataDir(options.dataDir));
  const warnOfSlowStart = () => log?.warn({ log: cluster.log }, 'PostgreSQL is still starting');
  const slow = setTimeout(warnOfSlowStart, SLOW_START_MS);
  try {
    const programs = await createPrograms(cluster.dir);
    await ensureCluster(cluster, programs);
    return await findOrStart(cluster, () => startServer(cluster, programs, settings), log);
  } finally {
    clearTimeout(slow);
  }
}

/** A survivor that is told to stop says "ready" a moment longer: then it does not let us in, and is waited for. */
async function findOrStart(
  cluster: Cluster,
  start: () => Promise<Server>,
  log: Log,
): Promise<EmbeddedPostgres> {
  for (;;) {
    const server = (await findSurvivor(cluster)) ?? (await start());
    try {
      return await openServer(cluster, server, log);
    } catch (error) {
      if (server.child || !isGoingAway(error)) throw error;
      await delay(LOOK_AGAIN_MS);
    }
  }
}

/** Shutting down (57P03, cannot_connect_now), or gone between our look and our call. */
function isGoingAway(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return ['57P03', '57P01', 'ECONNREFUSED', 'ECONNRESET'].includes(code);
}

async function openServer(cluster: Cluster, server: Server, log: Log): Promise<EmbeddedPostgres> {
  const { pid, port, child } = server;
  const adopted = !child;
  try {
    const url = await ensureDatabase(cluster, port);
    log?.info({ pid, port, adopted }, 'PostgreSQL is ready');
    return { url, adopted, pid, stop: createStop(cluster, server, log) };
  } catch (error) {
    if (child) await stopServer(cluster, pid);
    throw error;
  }
}

function createStop(cluster: Cluster, { pid, child }: Server, log: Log): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  child?.once('exit', (code, signal) => {
    if (!stopped) log?.warn({ pid, code, signal, log: cluster.log }, 'PostgreSQL ended by itself');
  });
  return () => (stopped ??= stopServer(cluster, pid));
}
