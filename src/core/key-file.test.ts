import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readOrCreateKeyFile } from './key-file.js';

const PROCESSES = 8;
const MODULE = join(import.meta.dirname, 'key-file.ts');
const run = promisify(execFile);

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-key-file-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** Waits for a moment that all of them share, so that they really meet. */
async function readInProcess(path: string, at: number, shell = 'exec "$0" "$@"'): Promise<string> {
  const script = `import { readOrCreateKeyFile } from ${JSON.stringify(MODULE)};
    while (Date.now() < ${at});
    process.stdout.write(readOrCreateKeyFile(${JSON.stringify(path)}, () => 'key ' + process.pid));`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script];
  // The cache of tsx is made of files, too.
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
  return (await run('sh', ['-c', shell, ...node], { env })).stdout;
}

describe('a key file', () => {
  it('is made once, for its owner only, in a folder made for it', () => {
    const path = join(tempDir(), 'data', 'some.key');
    expect(readOrCreateKeyFile(path, () => 'first')).toBe('first');
    expect(readOrCreateKeyFile(path, () => 'second')).toBe('first');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is the same for all processes that start at once, and nothing is left beside it', async () => {
    const dir = tempDir();
    const path = join(dir, 'some.key');
    const at = Date.now() + 3_000;
    const keys = await Promise.all(Array.from({ length: PROCESSES }, () => readInProcess(path, at)));
    expect(keys[0]).toMatch(/^key \d+$/);
    expect(new Set(keys)).toEqual(new Set([readFileSync(path, 'utf8')]));
    expect(readdirSync(dir)).toEqual(['some.key']);
  });

  it('of another process that was quicker is taken', () => {
    const path = join(tempDir(), 'some.key');
    const key = readOrCreateKeyFile(path, () => readOrCreateKeyFile(path, () => 'quicker') && 'slower');
    expect(key).toBe('quicker');
  });

  it('does not exist before its text does: a crash while writing leaves no empty key', async () => {
    const path = join(tempDir(), 'some.key');
    // A file may be made, and the first byte written to it ends the process.
    await expect(readInProcess(path, 0, 'ulimit -f 0; exec "$0" "$@"')).rejects.toThrow('Command failed');
    expect(existsSync(path)).toBe(false);
    expect(readOrCreateKeyFile(path, () => 'whole')).toBe('whole');
  });
});
