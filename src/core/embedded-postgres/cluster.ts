import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Programs } from './binaries.js';
import { EmbeddedPostgresError } from './error.js';
import { readOptional, syncFolder } from './files.js';
import type { Owner } from './owner.js';

/** The paths of one cluster. */
export interface Cluster {
  dir: string;
  password: string;
  log: string;
}

export const SUPERUSER = 'postgres';

const run = promisify(execFile);

export function toCluster(dataDir: string): Cluster {
  const dir = join(dataDir, 'postgres');
  return { dir, password: `${dir}.password`, log: `${dir}.log` };
}

/** A cluster is made beside its place and renamed, so a start that was cut short leaves nothing half made there. */
export async function ensureCluster(cluster: Cluster, programs: Programs): Promise<void> {
  await removeDrafts(cluster);
  if (existsSync(join(cluster.dir, 'PG_VERSION'))) return handOver(cluster.dir, programs.owner);
  const draft = await mkdtemp(draftPrefix(cluster));
  await handOver(draft, programs.owner);
  await writePassword(cluster.password, programs.owner);
  await initCluster(draft, cluster.password, programs);
  await moveIntoPlace(draft, cluster.dir);
}

export async function requirePassword({ dir, password }: Cluster): Promise<string> {
  const found = await readOptional(password);
  if (found) return found;
  throw new EmbeddedPostgresError(
    `${password} is missing: restore it, or move ${dir} away to begin with an empty database.`,
  );
}

/** Written anew for each initdb and never after it. The owner must be able to read it: initdb runs as the owner. */
async function writePassword(path: string, owner: Owner | undefined): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true });
  if (owner) await chown(path, owner.uid, owner.gid);
}

/** Collation by code point with Unicode-aware case: the same on every machine, whatever its C library. */
async function initCluster(dir: string, password: string, { initdb }: Programs): Promise<void> {
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const access = [`--username=${SUPERUSER}`, `--pwfile=${password}`, '--auth=scram-sha-256'];
  const { file, args, options } = initdb(['-D', dir, ...access, ...locale, '--no-instructions']);
  await run(file, args, options).catch((cause: Error) => {
    throw new EmbeddedPostgresError(`PostgreSQL's initdb failed: ${cause.message}`, { cause });
  });
}

/** Synced, or a power cut could bring the draft's name back after deliveries were accepted, and a start removes drafts. */
async function moveIntoPlace(draft: string, dir: string): Promise<void> {
  await rename(draft, dir).catch((cause: Error) => {
    const message = `${dir} is in the way and is no PostgreSQL cluster: move it elsewhere.`;
    throw new EmbeddedPostgresError(message, { cause });
  });
  await syncFolder(dirname(dir));
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
