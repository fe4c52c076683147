import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDataDir, ensureDataDir, isAlive, isRoot } from './data-dir.js';

let parent: string;
let dataDir: string;
let children: ChildProcess[];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tributary-data-dir-'));
  dataDir = join(parent, 'data');
  children = [];
});

afterEach(async () => {
  await Promise.all(children.map(end));
  rmSync(parent, { recursive: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another process that claims the data dir, says so, and lives until it is killed. */
async function startHolder(): Promise<ChildProcess> {
  const module = new URL('data-dir.ts', import.meta.url).href;
  const script = `import { claimDataDir } from '${module}';
    try { claimDataDir(process.argv[1]); console.log('claimed'); } catch (error) { console.log(error.code); }
    setInterval(() => {}, 60_000);`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function readAnswer(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return chunk.toString().trim();
}

const lockPath = () => join(dataDir, 'tributary.pid');

describe('ensureDataDir', () => {
  it('makes a folder that other users cannot list', () => {
    const path = ensureDataDir(dataDir);
    expect(statSync(path).mode & 0o777).toBe(isRoot() ? 0o711 : 0o700);
  });

  it('leaves the mode of an existing folder alone', () => {
    chmodSync(ensureDataDir(dataDir), 0o700);
    expect(statSync(ensureDataDir(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('says what to do when it cannot write', () => {
    writeFileSync(dataDir, 'a file in the way');
    expect(() => ensureDataDir(dataDir)).toThrow(
      expect.objectContaining({
        code: 'DATA_DIR_NOT_WRITABLE',
        message: expect.stringContaining('TRIBUTARY_DATA_DIR') as string,
      }),
    );
  });
});

describe('claimDataDir', () => {
  it('writes our pid, and removes it on release', () => {
    const release = claimDataDir(dataDir);
    expect(readFileSync(lockPath(), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    release();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('may be claimed again by its holder; the first claim is the one to release', () => {
    const release = claimDataDir(dataDir);
    claimDataDir(dataDir)();
    expect(readdirSync(dataDir)).toEqual(['tributary.pid']);
    release();
    release();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('refuses while another process lives, names it, and takes over once it was killed', async () => {
    const holder = await startHolder();
    expect(await readAnswer(holder)).toBe('claimed');
    expect(() => claimDataDir(dataDir)).toThrow(
      expect.objectContaining({
        code: 'DATA_DIR_IN_USE',
        message: expect.stringContaining(`process ${holder.pid}.`) as string,
      }),
    );
    await end(holder);
    claimDataDir(dataDir)();
  });

  it.skipIf(process.platform !== 'linux')(
    'takes over the lock of a process whose pid was reused (needs /proc)',
    async () => {
      const holder = await startHolder();
      await readAnswer(holder);
      writeFileSync(lockPath(), `${holder.pid}\n1\n`);
      claimDataDir(dataDir)();
      expect(isAlive(holder.pid!)).toBe(true);
    },
  );

  it.each(['', 'not a pid', '0\n', '-1\n'])('takes over a lock that says %j', (content) => {
    ensureDataDir(dataDir);
    writeFileSync(lockPath(), content);
    claimDataDir(dataDir)();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('does not release a lock that became another’s', () => {
    const release = claimDataDir(dataDir);
    writeFileSync(lockPath(), `1\n1\n`);
    release();
    expect(readdirSync(dataDir)).toEqual(['tributary.pid']);
  });

  it('gives a stale lock to one of several starters', async () => {
    ensureDataDir(dataDir);
    writeFileSync(lockPath(), '999999999\n1\n');
    const starters = await Promise.all(Array.from({ length: 4 }, startHolder));
    const answers = await Promise.all(starters.map(readAnswer));
    expect(answers.toSorted()).toEqual(['DATA_DIR_IN_USE', 'DATA_DIR_IN_USE', 'DATA_DIR_IN_USE', 'claimed']);
    expect(readdirSync(dataDir)).toEqual(['tributary.pid']);
  });
});
