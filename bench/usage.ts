import { readFileSync, readdirSync } from 'node:fs';

/** Of /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  /** Its own, in user and kernel. */
  readonly seconds: number;
  /** Of its children that have ended. */
  readonly childSeconds: number;
}

/** See proc_pid_stat(5): fields 4 and 14 to 17. Undefined when the process is gone. */
function readStat(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name, field 2, may itself contain blanks and brackets.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [own = 0, system = 0, children = 0, childrenSystem = 0] = fields.slice(11, 15);
    return {
      parent: fields[1] ?? 0,
      seconds: (own + system) / TICKS_PER_SECOND,
      childSeconds: (children + childrenSystem) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}

/** CPU seconds of a process, all its threads, since it started. */
export function cpuSeconds(pid: number): number {
  return readStat(pid)?.seconds ?? 0;
}

/** The same of a PostgreSQL server with all its processes, those that have ended included. */
export function serverCpuSeconds(postmaster: number): number {
  const own = readStat(postmaster);
  const children = readdirSync('/proc')
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat?.parent === postmaster);
  return children.reduce(
    (sum, stat) => sum + (stat?.seconds ?? 0),
    (own?.seconds ?? 0) + (own?.childSeconds ?? 0),
  );
}

/** The parent of a process that runs here, such as the PostgreSQL server of one of its sessions. */
export function parentOf(pid: number): number | undefined {
  return readStat(pid)?.parent;
}

/** Memory in use, in MiB. */
export function residentMebibytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}
