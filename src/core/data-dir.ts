/**
 * The data dir: the one folder where an installation keeps what must survive a restart
 * (the embedded database, a development key). One process owns it at a time.
 */
import { accessSync, constants, linkSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The data dir can't be used; the message says what to do. */
export class DataDirError extends Error {
  override name = 'DataDirError';

  constructor(
    readonly code: 'DATA_DIR_IN_USE' | 'DATA_DIR_NOT_WRITABLE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Makes the data dir when it is missing and returns its real, absolute path.
 *
 * A new folder is closed to other users. When we are root it gets 0711 instead of 0700: PostgreSQL refuses to
 * run as root, so its user must be able to pass through to its own folder. It still can't list this one, and
 * every secret in it is a file of mode 0600. A folder that is already there keeps its mode.
 *
 * @throws {DataDirError} `DATA_DIR_NOT_WRITABLE`
 */
export function ensureDataDir(dataDir: string): string {
  const path = resolve(dataDir);
  try {
    mkdirSync(path, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot write to the data dir ${path} (${reason}). Give user ${process.getuid?.()} access to it, or name another folder in TRIBUTARY_DATA_DIR.`;
    throw new DataDirError('DATA_DIR_NOT_WRITABLE', message, { cause });
  }
}

/**
 * Claims the data dir for this process by the file `tributary.pid` and returns the function that releases it.
 * The lock of a process that has ended is taken over. Claiming again in the same process changes nothing.
 *
 * Process ids are only known within one machine or container: a data dir on a volume that two containers
 * share is not protected.
 *
 * @throws {DataDirError} `DATA_DIR_IN_USE` when another live process holds it
 */
export function claimDataDir(dataDir: string): () => void {
  const lock = join(ensureDataDir(dataDir), 'tributary.pid');
  const claim = describeProcess(process.pid);
  while (!createLock(lock, claim)) {
    const holder = readLock(lock);
    if (holder === claim) return () => {};
    if (isHeld(holder)) throw inUseError(dataDir, holder);
    removeStaleLock(lock);
  }
  return () => releaseLock(lock, claim);
}

/** Whether a process runs under this id. One that has ended but was not yet reaped by its parent doesn't. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isErrorCode(error, 'EPERM');
  }
  return readProcessStat(pid)?.state !== 'Z';
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether a system call failed with this code, such as `ENOENT`. */
export function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** A link appears with its content, so nobody ever reads a lock that is half written. */
function createLock(lock: string, claim: string): boolean {
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, claim);
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if (isErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

function readLock(lock: string): string {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return '';
    throw error;
  }
}

/** After a reboot the id may belong to any program: only the same start time makes it the same process. */
function isHeld(holder: string): boolean {
  const pid = toPid(holder);
  if (!(pid > 0) || !isAlive(pid)) return false;
  return !readProcessStat(pid) || describeProcess(pid) === holder;
}

/** Two starters may find the same stale lock: the slower one has moved the fresh lock of the faster one and puts it back. */
function removeStaleLock(lock: string): void {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (isHeld(readLock(aside))) linkSync(aside, lock);
  } catch (error) {
    if (!isErrorCode(error, 'ENOENT') && !isErrorCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseLock(lock: string, claim: string): void {
  if (readLock(lock) === claim) rmSync(lock, { force: true });
}

function inUseError(dataDir: string, holder: string): DataDirError {
  const message = `The data dir ${resolve(dataDir)} is in use by process ${toPid(holder)}. Stop that process, or give this one another TRIBUTARY_DATA_DIR.`;
  return new DataDirError('DATA_DIR_IN_USE', message);
}

/** Two lines: process id and, where the system tells it, start time in clock ticks since boot. */
function describeProcess(pid: number): string {
  return `${pid}\n${readProcessStat(pid)?.startTime ?? ''}\n`;
}

function toPid(holder: string): number {
  return Number.parseInt(holder, 10);
}

/** Linux only; elsewhere, and for processes hidden from us, undefined. See proc_pid_stat(5): fields 3 and 22. */
function readProcessStat(
  pid: number,
): { state: string | undefined; startTime: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name, field 2, may itself contain blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], startTime: fields[19] };
  } catch {
    return undefined;
  }
}
