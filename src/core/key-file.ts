import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrorCode } from './data-dir.js';

/**
 * The text of a key file, made with mode 0600 when it isn't there. Two processes that start at once end up with the
 * same key: only one file can get the name, and the loser reads the winner's.
 */
export function readOrCreateKeyFile(path: string, make: () => string): string {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) create(path, make());
  return readFileSync(path, 'utf8');
}

/** The name appears only when the whole text is on disk: whoever finds it, at whatever moment, finds a whole key. */
function create(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, path);
  } catch (error) {
    if (!isErrorCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
