import type { JobParameters, JobRepository } from 'agenda';
import type { Log } from '../log.js';
import type { Definition } from './job.js';
import { type Locked, createLanes, idOf } from './lanes.js';
import type { Lease } from './lease.js';
import { createLook } from './look.js';
import type { Store } from './store.js';

/** A place of its name, taken by a job that was handed out to Agenda. */
interface Slot extends Locked {
  readonly since: number;
  isRunning: boolean;
}

export interface Entry {
  /** Undefined for a job that a dead process left behind. */
  readonly dueAt: Date | undefined;
  /** The lane's, when it was kept. */
  readonly lease: Lease | undefined;
  /** Whether the lane's lock lasts for another run in this process. */
  mayKeep(): boolean;
  /** The body has ended: its place is free. With its lease the lane is kept. */
  leave(kept?: Lease): void;
}

export interface Gate {
  /** The store as Agenda may see it. */
  readonly repository: JobRepository;
  /** The body begins. */
  enter(job: JobParameters): Entry;
  /**
   * Whether it is worth a statement to ask for another job of the name, now that one has ended: a keyed one may wait, a
   * lane only when it was turned away meanwhile, or is kept and due by then.
   */
  mayFindMore(definition: Definition, until: number): boolean;
  /** Hands nothing out from now on, and gives back what is kept. */
  shut(): Promise<void>;
  /** No body runs, and Agenda has written down what became of the last. */
  isIdle(): boolean;
}

export interface GateDeps {
  readonly store: Pick<Store, 'repository' | 'findDue'>;
  definitionOf(name: string): Definition;
  readonly log: Log;
}

/**
 * Hands out no more jobs than can begin at once, and takes back what does not begin.
 *
 * Agenda's own limit on locks does it worse: a job that waits in its queue until its lock has run out is dropped and
 * counted as locked for ever, and when that has happened as often as the limit allows, jobs of that name never run in
 * this process again. And when it stops, it unlocks what a dead process left behind without giving it a time to run,
 * so that it never does.
 */
export function createGate({ store, definitionOf, log }: GateDeps): Gate {
  const { repository: inner } = store;
  // A run that outlives its lock still takes its place when the same job is handed out again: hence no map by id.
  const slots = new Set<Slot>();
  const asking = new Map<string, number>();
  /** Names whose jobs may wait for the end of a body. */
  const turnedAway = new Set<string>();
  const lanes = createLanes(definitionOf, unlock);
  const look = createLook((asks, until) => store.findDue(asks, until));
  const next = inner.getNextJobToRun.bind(inner);
  const save = inner.saveJobState.bind(inner);
  const remove = inner.removeJobs.bind(inner);
  let isShut = false;
  let writes = 0;

  async function counted<T>(write: Promise<T>): Promise<T> {
    writes += 1;
    return write.finally(() => (writes -= 1));
  }

  function hasRoom({ name, concurrency, lockMs }: Definition): boolean {
    let taken = asking.get(name) ?? 0;
    for (const slot of slots) {
      // What has not begun while its lock lasted never will: the process was frozen in between.
      if (!slot.isRunning && performance.now() - slot.since > lockMs) slots.delete(slot);
      else if (slot.job.name === name) taken += 1;
    }
    return taken < concurrency;
  }

  function findWaiting(id: string): Slot | undefined {
    return [...slots].find(({ job, isRunning }) => !isRunning && idOf(job) === id);
  }

  async function unlock({ job, lease }: Pick<Locked, 'job' | 'lease'>): Promise<void> {
    const { lockedAt: _, ...unlocked } = job;
    try {
      // The lease first: whoever takes the job would find it busy.
      await lease?.end('done');
      await save({ ...unlocked, nextRunAt: job.nextRunAt ?? new Date() }, undefined);
    } catch (error) {
      // Agenda does not wait for this, and a rejection that nobody hears of would end the process.
      log.warn({ err: error, job: job.name }, 'jobs: a lock was not given back; it will run out');
    }
  }

  async function giveBack(job: JobParameters): Promise<void> {
    const slot = findWaiting(idOf(job));
    if (slot) slots.delete(slot);
    await unlock({ job, lease: slot?.lease });
  }

  async function find(...[name, until, lockedBefore, ...rest]: Search): Promise<Locked | undefined> {
    const lane = await lanes.take(name, until.getTime());
    if (lane) return lane;
    const lockedSince = performance.now();
    if (!(await look({ name, lockedBefore }, until))) return undefined;
    const job = await next(name, until, lockedBefore, ...rest);
    return job && { job, lockedSince, lease: undefined };
  }

  async function writeDown(...[job, options]: Parameters<typeof save>): Promise<void> {
    // That a lane begins is written nowhere: should the process die, its lock runs out either way.
    const isBeginning = findWaiting(idOf(job)) && definitionOf(job.name).job.every;
    if (!isBeginning && !(await lanes.settle(job))) await save(job, options);
  }

  const repository: JobRepository = Object.assign(inner, {
    async getNextJobToRun(...args: Search) {
      const [name] = args;
      if (isShut) return undefined;
      if (!hasRoom(definitionOf(name))) {
        // Its turn has come, and another lane's body holds the place: somebody else may have room.
        if ([...slots].some((slot) => slot.isRunning && slot.job.name === name)) turnedAway.add(name);
        await lanes.letGo(name);
        return undefined;
      }
      turnedAway.delete(name);
      asking.set(name, (asking.get(name) ?? 0) + 1);
      try {
        const found = await find(...args);
        if (found && isShut) await unlock(found);
        if (!found || isShut) return undefined;
        slots.add(toSlot(found));
        return found.job;
      } finally {
        asking.set(name, (asking.get(name) ?? 1) - 1);
      }
    },
    saveJobState: (...args: Parameters<typeof save>) => counted(writeDown(...args)),
    removeJobs: (...args: Parameters<typeof remove>) => counted(remove(...args)),
    unlockJob: giveBack,
    async unlockJobs(ids: Parameters<JobRepository['unlockJobs']>[0]) {
      const waiting = ids.flatMap((id) => findWaiting(String(id)) ?? []);
      await Promise.all(waiting.map(({ job }) => giveBack(job)));
    },
  });

  return {
    repository,
    enter(job) {
      const slot = findWaiting(idOf(job)) ?? toSlot({ job, lockedSince: -Infinity, lease: undefined });
      slot.isRunning = true;
      slots.add(slot);
      return {
        dueAt: slot.job.nextRunAt ?? undefined,
        lease: slot.lease,
        mayKeep: () => lanes.mayKeep(slot),
        leave(lease) {
          slots.delete(slot);
          if (lease) lanes.leave({ ...slot, lease });
        },
      };
    },
    mayFindMore({ name, job }, until) {
      return !job.every || turnedAway.has(name) || lanes.has(name, until);
    },
    async shut() {
      isShut = true;
      await lanes.end();
    },
    isIdle: () => writes === 0 && ![...slots].some(({ isRunning }) => isRunning),
  };
}

function toSlot(locked: Locked): Slot {
  return { ...locked, since: performance.now(), isRunning: false };
}

type Search = Parameters<JobRepository['getNextJobToRun']>;
