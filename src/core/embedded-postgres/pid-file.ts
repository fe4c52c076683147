import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../data-dir.js';
import type { Cluster } from './cluster.js';
import { readOptional } from './files.js';

/** What a server tells of itself in `postmaster.pid`. */
export interface PidFile {
  pid: number;
  port: number;
  isReady: boolean;
}

const run = promisify(execFile);

/** See miscadmin.h of PostgreSQL, LOCK_FILE_LINE_*: line 1 pid, 4 port, 8 status. Written line by line while starting. */
export async function readPidFile(cluster: Cluster): Promise<PidFile | undefined> {
  const lines = (await readOptional(pathOf(cluster)))?.split('\n');
  const pid = Number(lines?.[0]);
  return pid > 0 ? { pid, port: Number(lines?.[3]), isReady: lines?.[7]?.trim() === 'ready' } : undefined;
}

/**
 * PostgreSQL refuses to start while the id in its pid file is alive in any way. It is fooled by a program that
 * got the id after a reboot, and by a killed server that nobody has reaped; we are not, and remove the file.
 * Processes of the killed server that still run stop the new one all the same, by the shared memory they hold.
 */
export async function removeStalePidFile(cluster: Cluster): Promise<void> {
  const file = await readPidFile(cluster);
  if (file && !(await isServerOf(cluster, file.pid))) await rm(pathOf(cluster), { force: true });
}

/** Whether the process is alive and is the server of this very folder: the id alone may have passed to any program. */
export async function isServerOf({ dir }: Cluster, pid: number): Promise<boolean> {
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

function pathOf({ dir }: Cluster): string {
  return join(dir, 'postmaster.pid');
}
