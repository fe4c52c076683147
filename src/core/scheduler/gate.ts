import type { JobParameters, JobRepository } from 'agenda';
import type { Log } from '../log.js';
import type { Definition } from './job.js';

/** A place of its name, taken by a job that was handed out to Agenda. */
interface Slot {
  readonly job: JobParameters;
  readonly since: number;
  isRunning: boolean;
}

export interface Entry {
  /** Undefined for a job that a dead process left behind. */
  readonly dueAt: Date | undefined;
  /** The body has ended: its place is free. */
  leave(): void;
}

export interface Gate {
  /** The store as Agenda may see it. */
  readonly repository: JobRepository;
  /** The body begins. */
  enter(job: JobParameters): Entry;
  /** Hands nothing out from now on. */
  shut(): void;
  /** No body runs, and Agenda has written down what became of the last. */
  isIdle(): boolean;
}

/**
 * Hands out no more jobs than can begin at once, and takes back what does not begin.
 *
 * Agenda's own limit on locks does it worse: a job that waits in its queue until its lock has run out is dropped and
 * counted as locked for ever, and when that has happened as often as the limit allows, jobs of that name never run in
 * this process again. And when it stops, it unlocks what a dead process left behind without giving it a time to run,
 * so that it never does.
 */
export function createGate(inner: JobRepository, definitionOf: (name: string) => Definition, log: Log): Gate {
  // A run that outlives its lock still takes its place when the same job is handed out again: hence no map by id.
  const slots = new Set<Slot>();
  const asking = new Map<string, number>();
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

  async function giveBack(job: JobParameters): Promise<void> {
    const slot = findWaiting(idOf(job));
    if (slot) slots.delete(slot);
    const { lockedAt: _, ...unlocked } = job;
    // Agenda does not wait for this, and a rejection that nobody hears of would end the process.
    await save({ ...unlocked, nextRunAt: job.nextRunAt ?? new Date() }, undefined).catch((error: unknown) =>
      log.warn({ err: error, job: job.name }, 'jobs: a lock was not given back; it will run out'),
    );
  }

  const repository: JobRepository = Object.assign(inner, {
    async getNextJobToRun(...args: Parameters<JobRepository['getNextJobToRun']>) {
      const [name] = args;
      if (isShut || !hasRoom(definitionOf(name))) return undefined;
      asking.set(name, (asking.get(name) ?? 0) + 1);
      try {
        const job = await next(...args);
        if (job && isShut) await giveBack(job);
        if (!job || isShut) return undefined;
        slots.add({ job, since: performance.now(), isRunning: false });
        return job;
      } finally {
        asking.set(name, (asking.get(name) ?? 1) - 1);
      }
    },
    saveJobState: (...args: Parameters<JobRepository['saveJobState']>) => counted(save(...args)),
    removeJobs: (...args: Parameters<JobRepository['removeJobs']>) => counted(remove(...args)),
    unlockJob: giveBack,
    async unlockJobs(ids: Parameters<JobRepository['unlockJobs']>[0]) {
      const waiting = ids.flatMap((id) => findWaiting(String(id)) ?? []);
      await Promise.all(waiting.map(({ job }) => giveBack(job)));
    },
  });

  return {
    repository,
    enter(job) {
      const slot = findWaiting(idOf(job)) ?? { job, since: performance.now(), isRunning: true };
      slot.isRunning = true;
      slots.add(slot);
      return { dueAt: slot.job.nextRunAt ?? undefined, leave: () => void slots.delete(slot) };
    },
    shut() {
      isShut = true;
    },
    isIdle: () => writes === 0 && ![...slots].some(({ isRunning }) => isRunning),
  };
}

function idOf({ _id }: JobParameters): string {
  return String(_id);
}
