import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isRoot } from '../data-dir.js';
import { ALTERNATIVE, EmbeddedPostgresError } from './error.js';
import { readOptional } from './files.js';

/** The user that a cluster belongs to and its server runs as, where that is not ourselves. */
export interface Owner {
  uid: number;
  gid: number;
}

/** A program to run, in the terms of `child_process`. */
export interface Command {
  file: string;
  args: string[];
  options: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
}

type Launcher = (file: string, args: string[]) => Command;

const SYSTEM_USER = 'postgres';
/** Bit 2 of the capability sets, see capabilities(7). */
const CAP_DAC_READ_SEARCH = 1n << 2n;

const run = promisify(execFile);

/** PostgreSQL refuses to run as root, and to use a folder that is not its user's own. Undefined: we run it ourselves. */
export async function findOwner(clusterDir: string): Promise<Owner | undefined> {
  const found = existsSync(clusterDir) ? await stat(clusterDir) : undefined;
  if (isRoot()) return found && found.uid !== 0 ? found : requireSystemUser();
  if (!found || found.uid === process.getuid?.()) return undefined;
  throw new EmbeddedPostgresError(
    `${clusterDir} belongs to user ${found.uid}: start as that user or as root, ${ALTERNATIVE}.`,
  );
}

async function requireSystemUser(): Promise<Owner> {
  const found = await findSystemUser();
  if (found) return found;
  // Its outcome doesn't matter, only the user: another process may have made it at the same moment.
  const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', SYSTEM_USER];
  const failure = await run('useradd', args, { env: cleanEnv() }).then(
    () => 'useradd made none',
    (error: Error) => error.message,
  );
  const made = await findSystemUser();
  if (made) return made;
  const message = `PostgreSQL does not run as root, and the system user "${SYSTEM_USER}" could not be made (${failure}): make it, start as another user, ${ALTERNATIVE}.`;
  throw new EmbeddedPostgresError(message);
}

async function findSystemUser(): Promise<Owner | undefined> {
  try {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, SYSTEM_USER])));
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
    return { uid: uid!, gid: gid! };
  } catch {
    return undefined;
  }
}

/**
 * How to run a program that must reach these paths: as ourselves, as the owner, or as the owner with the right to
 * pass through folders that are closed to it.
 */
export async function chooseLauncher(owner: Owner | undefined, paths: string[]): Promise<Launcher> {
  const options = { cwd: '/', env: cleanEnv() };
  if (!owner) return (file, args) => ({ file, args, options });
  if (!(await canReach(owner, paths))) {
    const flags = await passThroughFlags(owner, paths);
    return (file, args) => ({ file: 'setpriv', args: [...flags, '--', file, ...args], options });
  }
  const { uid, gid } = owner;
  return (file, args) => ({ file, args, options: { ...options, uid, gid } });
}

/** Asks the system, which also knows of access lists, instead of reading the modes of all parents. */
async function canReach({ uid, gid }: Owner, paths: string[]): Promise<boolean> {
  const checks = paths.map((path) => run('test', ['-x', path], { uid, gid, cwd: '/' }));
  const results = await Promise.allSettled(checks);
  return results.every(({ status }) => status === 'fulfilled');
}

/**
 * A clone below /root, which only root may enter: the server keeps one capability of root and nothing else.
 * Reading is enough, but containers often withhold that capability from root and leave the wider one.
 * Without `no_setuid_fixup` access(2), by which PostgreSQL looks for its own files, ignores capabilities.
 * The price: a database superuser could read files that the owner may not. Tributary's queries run as no superuser.
 */
async function passThroughFlags({ uid, gid }: Owner, paths: string[]): Promise<string[]> {
  const status = (await readOptional('/proc/self/status')) ?? '';
  const held = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  const capability = held & CAP_DAC_READ_SEARCH ? 'dac_read_search' : 'dac_override';
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'];
  const rights = [`--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`];
  const flags = [...user, ...rights, '--securebits=+no_setuid_fixup'];
  const checks = paths.map((path) => run('setpriv', [...flags, '--', 'test', '-x', path], { cwd: '/' }));
  await Promise.all(checks).catch((cause: Error) => {
    throw closedFolderError(paths, cause);
  });
  return flags;
}

function closedFolderError(paths: string[], cause: Error): EmbeddedPostgresError {
  const message = `PostgreSQL's user can't reach ${paths.join(' or ')}, and setpriv does not help (${cause.message}): open their parent folders to it (chmod o+x), start as an ordinary user, ${ALTERNATIVE}.`;
  return new EmbeddedPostgresError(message, { cause });
}

/** Nothing of our own environment: it holds secrets, and PG* variables would change what the server does. */
function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`, LC_ALL: 'C', TZ: 'UTC' };
}
