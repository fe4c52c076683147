/**
 * Does what README tells a newcomer to do, on a fresh data directory and a free port: `npm start`, the three examples,
 * Ctrl-C; and a stop as a supervisor does it. Fails when one of them does not do what README says.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PATIENCE_MS = 120_000;
const STOP_MS = 30_000;

async function findFreePort(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return String(port);
}

/** A process whose output is waited for. In a group of its own, as a terminal has it, so that Ctrl-C reaches all of it. */
function run(args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn('npm', args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => void (output += chunk));
  async function sees(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = pattern.exec(output);
      if (found) return found;
      if (Date.now() > deadline || hasEnded(child)) {
        throw new Error(`npm ${args.join(' ')} never said ${String(pattern)}. It said:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { child, sees };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Ctrl-C: the terminal sends it to the whole group. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGINT');
  await ended;
}

function requireThat(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
  process.stdout.write(`${what}: yes\n`);
}

/** Neither the server nor its PostgreSQL is there, now or soon. */
async function isStopped(): Promise<boolean> {
  const deadline = Date.now() + STOP_MS;
  for (;;) {
    const answers = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    const left = globSync('**/postmaster.pid', { cwd: dataDir });
    if (!answers && left.length === 0) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'tributary-start-'));
const port = await findFreePort();
const env = { ...process.env, PORT: port, TRIBUTARY_DATA_DIR: dataDir, DATABASE_URL: '', LOG_LEVEL: 'warn' };
const children: ChildProcess[] = [];
try {
  const server = run(['start'], env);
  children.push(server.child);
  const [, token = ''] = await server.sees(/Token +(\S+)/);
  requireThat((await fetch(`http://127.0.0.1:${port}/readyz`)).ok, 'npm start gets ready and shows a token');
  const withToken = { ...env, TRIBUTARY_TOKEN: token };

  const exec = promisify(execFile);
  const providers = await exec('npm', ['run', '-s', 'example:providers'], { env });
  requireThat(providers.stdout.includes('"github"'), 'example:providers lists GitHub');

  const watcher = run(['run', '-s', 'example:watch'], withToken);
  children.push(watcher.child);
  await watcher.sees(/Watching/);
  // The subscription begins a moment after the line: a delivery may be sent before it, so several are.
  const sending = setInterval(
    () => void exec('npm', ['run', '-s', 'example:webhook'], { env }).catch(() => {}),
    2_000,
  );
  await watcher.sees(/pr_opened/).finally(() => clearInterval(sending));
  requireThat(true, 'example:webhook makes a signal and example:watch prints it');

  await interrupt(watcher.child);
  await interrupt(server.child);
  requireThat(await isStopped(), 'Ctrl-C stops it, and the PostgreSQL it started');

  const again = run(['start'], env);
  children.push(again.child);
  await again.sees(/Token/);
  again.child.kill('SIGTERM');
  requireThat(await isStopped(), 'so does a SIGTERM to npm alone, as from a supervisor');
} finally {
  for (const child of children) await interrupt(child);
  rmSync(dataDir, { recursive: true, force: true });
}
