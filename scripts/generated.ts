import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a generated file; with `--check` compares it instead, and ends with code 1 and the command to run when it is
 * stale.
 */
export function writeOrCheck(path: string, content: string, command: string): void {
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return;
  }
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  process.stderr.write(`${path} is stale: run "${command}" and commit it.\n`);
  process.exitCode = 1;
}
