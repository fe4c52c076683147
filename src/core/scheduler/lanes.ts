import type { JobParameters } from 'agenda';
import type { Definition } from './job.js';
import type { Lease } from './lease.js';

/** A job that this process has locked in the store. */
export interface Locked {
  readonly job: JobParameters;
  /** When the lock was asked for, by `performance.now()`. */
  readonly lockedSince: number;
  /** Of the run before, when the lane was kept. */
  readonly lease: Lease | undefined;
}

/** Lanes that this process keeps between their runs. */
export interface Lanes {
  /** Whether its lock lasts for another run in this process. */
  mayKeep(lane: Locked): boolean;
  /** Its body has ended; when it runs again, Agenda says next. */
  leave(lane: Locked): void;
  /** Keeps a lane that has left, as Agenda would write it down; false for any other job. */
  settle(job: JobParameters): Promise<boolean>;
  /** One that is due by then, to run here. */
  take(name: string, until: number): Promise<Locked | undefined>;
  has(name: string, until: number): boolean;
  /** Lets others have one whose turn has come. */
  letGo(name: string): Promise<void>;
  /** Lets others have all of them, and keeps none from now on. */
  end(): Promise<void>;
}

/** Agenda looks so often. What is due within the next look is fetched ahead, so this is not how late it is. */
export const LOOK_MS = 500;
/** How much of a lock may be over when a run of a kept lane begins. */
const KEPT = 0.5;
const LOCK = 1;

/**
 * A lane that runs every few seconds stays where it is between its runs, locked and with its lease, for half a lock:
 * what it costs then is its body. After that it is written back, and whoever looks first goes on with it.
 */
export function createLanes(
  definitionOf: (name: string) => Definition,
  unlock: (lane: Locked) => Promise<void>,
): Lanes {
  const leaving = new Map<string, Locked>();
  const kept = new Map<string, Locked>();
  let isOver = false;

  /** Whether no more than such a share of the lock is over, now and after a while. */
  function lasts({ job, lockedSince }: Locked, share: number, furtherMs = 0): boolean {
    return performance.now() - lockedSince + furtherMs <= definitionOf(job.name).lockMs * share;
  }

  function find(name: string, until: number): Locked | undefined {
    return [...kept.values()].find(
      ({ job }) => job.name === name && (job.nextRunAt?.getTime() ?? 0) <= until,
    );
  }

  /** Whoever stood still for so long that others may have it leaves it to them. */
  async function letGo(lane: Locked): Promise<void> {
    kept.delete(idOf(lane.job));
    if (lasts(lane, LOCK)) await unlock(lane);
  }

  return {
    mayKeep(lane) {
      const { every } = definitionOf(lane.job.name).job;
      const everyMs = (every?.seconds ?? 0) * 1_000;
      // More often, it would be first at every look, and another lane would never have its turn.
      return !isOver && everyMs >= LOOK_MS && lasts(lane, KEPT, everyMs);
    },
    leave(lane) {
      leaving.set(idOf(lane.job), lane);
    },
    async settle(job) {
      const lane = leaving.get(idOf(job));
      if (!lane) return false;
      leaving.delete(idOf(job));
      const { lockedAt } = lane.job;
      const settled = { ...lane, job: { ...job, ...(lockedAt && { lockedAt }) } };
      if (isOver) await unlock(settled);
      else kept.set(idOf(job), settled);
      return true;
    },
    async take(name, until) {
      const lane = find(name, until);
      if (!lane) return undefined;
      if (!lasts(lane, KEPT)) {
        await letGo(lane);
        return undefined;
      }
      kept.delete(idOf(lane.job));
      return lane;
    },
    has: (name, until) => find(name, until) !== undefined,
    async letGo(name) {
      const lane = find(name, Date.now());
      if (lane) await letGo(lane);
    },
    async end() {
      isOver = true;
      await Promise.all([...kept.values()].map(letGo));
    },
  };
}

export function idOf({ _id }: JobParameters): string {
  return String(_id);
}
