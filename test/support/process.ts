import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { toCluster } from '../../src/core/embedded-postgres/cluster.js';
import { ensureDatabase } from '../../src/core/embedded-postgres/database.js';
import { isServerOf, readPidFile } from '../../src/core/embedded-postgres/pid-file.js';
import { stopServer } from '../../src/core/embedded-postgres/server.js';

/** How a process ended, and all it printed. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it said to its operator on standard error: the lines that are no log entries. */
  readonly messages: readonly string[];
}

/** The program as an operator runs it, in a process of its own. */
export interface Launched {
  readonly pid: number;
  readonly ended: Promise<Exit>;
  /** Resolves once what was printed so far matches; throws when the process ends without that. */
  waitForOutput(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  send(signal: NodeJS.Signals): void;
}

/** One that takes requests. */
export interface TributaryProcess extends Launched {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The development token of its banner; empty where it prints none. */
  readonly token: string;
  readonly banner: string;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** kill -9. */
  kill(): Promise<Exit>;
}

/** The program, compiled as `npm start` does it. */
export interface Program {
  /** Path of the compiled main.ts. */
  readonly main: string;
  /** Starts it and does not wait for it. Killed when the test ends. */
  launch(options: LaunchOptions): Launched;
  /** Starts it and waits for its banner. */
  start(options: LaunchOptions): Promise<TributaryProcess>;
  remove(): Promise<void>;
}

export interface LaunchOptions {
  readonly dataDir: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const BANNER = /^Tributary is running [^]*\n\n$|^Tributary (?:api|worker) is running .*\n$/;

/** A data dir that is not there yet. When the test ends it is removed, and with it a PostgreSQL that still runs there. */
export async function useDataDir(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'tributary-process-'));
  // As most folders are: PostgreSQL's user can pass. A closed one is a story of embedded-postgres.test.ts.
  await chmod(parent, 0o755);
  const dataDir = join(parent, 'data');
  onTestFinished(async () => {
    const pid = await findPostgres(dataDir);
    if (pid) await stopServer(toCluster(dataDir), pid);
    await rm(dirname(dataDir), { recursive: true });
  });
  return dataDir;
}

/** Process id of the embedded PostgreSQL that runs on this data dir. */
export async function findPostgres(dataDir: string): Promise<number | undefined> {
  const cluster = toCluster(dataDir);
  const file = await readPidFile(cluster);
  return file && (await isServerOf(cluster, file.pid)) ? file.pid : undefined;
}

/** Superuser URL of the embedded PostgreSQL that runs on this data dir. */
export async function embeddedDatabaseUrl(dataDir: string): Promise<string> {
  const cluster = toCluster(dataDir);
  const file = await readPidFile(cluster);
  if (!file) throw new Error(`no PostgreSQL runs in ${dataDir}`);
  return ensureDatabase(cluster, file.port);
}

/** Compiled once for many starts: each then costs a third of what it does through tsx. */
export async function buildProgram(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-build-'));
  const main = join(folder, 'src/main.js');
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  const flags = ['--outDir', folder, '--sourceMap', 'false', '--noCheck'];
  const args = [tsc, '-p', join(project, 'tsconfig.build.json'), ...flags];
  // Whether the types are right is not the question here, and answering it takes three quarters of the time.
  const failure = await run(process.execPath, args).then(() => '', String);
  if (!existsSync(main)) throw new Error(failure);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  return {
    main,
    launch: (options) => launch(main, options),
    start: (options) => start(launch(main, options)),
    remove: () => rm(folder, { recursive: true }),
  };
}

function launch(main: string, { dataDir, args = [], env = {} }: LaunchOptions): Launched {
  // A test that ran out of time goes on unseen: what it started now, nobody would end.
  if (!existsSync(dirname(dataDir))) throw new Error('The test of this data dir is over.');
  const { PATH, HOME } = process.env;
  // Nothing else of ours: a developer's DATABASE_URL must not reach it.
  const inherited = { PATH, HOME, NODE_COMPILE_CACHE: join(main, '../../compile-cache') };
  const child = spawn(process.execPath, [main, ...args], {
    cwd: project,
    env: { ...inherited, PORT: '0', TRIBUTARY_DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // "close" rather than "exit": only then is all it printed here.
  const ended = once(child, 'close').then(([code, signal]) => toExit(code, signal, output));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });

  return {
    pid: child.pid!,
    ended,
    async waitForOutput(stream, pattern) {
      for (;;) {
        const match = pattern.exec(output[stream]);
        if (match) return match;
        await Promise.race([once(child[stream], 'data'), ended.then(failEarly)]);
      }
    },
    send: (signal) => void child.kill(signal),
  };
}

function toExit(code: unknown, signal: unknown, output: { stdout: string; stderr: string }): Exit {
  const lines = output.stderr.split('\n').filter((line) => line !== '');
  return {
    code: code as Exit['code'],
    signal: signal as Exit['signal'],
    ...output,
    messages: lines.filter((line) => !line.startsWith('{')),
  };
}

function failEarly({ code, signal, stdout, stderr }: Exit): never {
  throw new Error(`The process ended early (${code ?? signal}).\n${stdout}${stderr}`);
}

async function start(launched: Launched): Promise<TributaryProcess> {
  const [banner] = await launched.waitForOutput('stdout', BANNER);
  const signalAndWait = (signal: NodeJS.Signals): Promise<Exit> => {
    launched.send(signal);
    return launched.ended;
  };
  return {
    ...launched,
    banner,
    url: /https?:\/\/[^/\s]+:\d+/.exec(banner)?.[0] ?? '',
    token: /Token +(\S+)/.exec(banner)?.[1] ?? '',
    stop: (signal = 'SIGTERM') => signalAndWait(signal),
    kill: () => signalAndWait('SIGKILL'),
  };
}
