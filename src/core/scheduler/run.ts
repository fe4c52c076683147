import type { Log } from '../log.js';
import type { Definition, Run, RunReport } from './job.js';
import { type Lease, LeaseLost, type Leases } from './lease.js';

/** How long a recurring job that keeps failing is left alone. */
const PAUSE_MS = 300_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 300_000;
const BEATS_PER_LOCK = 3;

export interface RunDeps {
  readonly leases: Leases;
  readonly log: Log;
  /** Aborts when the process can't wait any longer. */
  readonly stopping: AbortSignal;
}

/** What the store knows of a run that is about to begin. */
export interface Start {
  readonly key: string;
  readonly data: unknown;
  /** Of the run before, when this process has kept the lane. */
  readonly lease: Lease | undefined;
  /** Prolongs the store's own lock. */
  touch(): Promise<void>;
  /** Whether this process may keep the lane, lease and all, until its next run. */
  mayKeep(): boolean;
}

export interface End {
  readonly outcome: RunReport['outcome'];
  /** Set when the key has to run again: by the time a keyed job is over, it has none. */
  readonly againInMs?: number;
  /** Set when the lane is kept. */
  readonly kept?: Lease;
}

/** Runs the body once, if no other run has the lease of its key. Throws only when the lease can't be asked for. */
export async function runOnce(deps: RunDeps, definition: Definition, start: Start): Promise<End> {
  const { job, name, lockMs, maxAttempts } = definition;
  const pauseMs = job.every ? PAUSE_MS : 0;
  const terms = { lockMs, maxAttempts, pauseMs };
  const lease = start.lease ?? (await deps.leases.claim(name, start.key, terms));
  if (!lease) return { outcome: 'busy', againInMs: lockMs };
  const heart = startHeart(deps.log, definition, start, lease);
  try {
    const outcome = await runBody(deps, definition, start, lease, heart.signal);
    // Only to end it sets the count of attempts back.
    if (lease.attempt === 1 && !heart.signal.aborted && start.mayKeep()) return { outcome, kept: lease };
    const isOurs = await lease.end('done');
    return isOurs ? { outcome } : { outcome: 'lost', againInMs: lockMs };
  } catch (error) {
    return await toEnd(deps, definition, lease, error, heart.signal);
  } finally {
    heart.stop();
  }
}

async function runBody(
  { stopping }: RunDeps,
  { job, maxAttempts }: Definition,
  { key, data }: Start,
  { attempt, fence }: Lease,
  alive: AbortSignal,
): Promise<'done' | 'exhausted'> {
  const run: Run = { key, data, attempt, fence, signal: AbortSignal.any([alive, stopping]) };
  if (job.every) {
    await job.run({ ...run, data: undefined });
    return 'done';
  }
  // The body may be what ends the process, so it is not tried even once more.
  const isExhausted = attempt > maxAttempts;
  await (isExhausted ? job.exhausted(run) : job.run(run));
  return isExhausted ? 'exhausted' : 'done';
}

async function toEnd(
  { log, stopping }: RunDeps,
  { name, lockMs }: Definition,
  lease: Lease,
  error: unknown,
  alive: AbortSignal,
): Promise<End> {
  const { key } = lease.fence;
  if (error instanceof LeaseLost || alive.reason instanceof LeaseLost) {
    log.warn({ err: error, job: name, key }, 'jobs: a run was taken over and ended without effect');
    return { outcome: 'lost', againInMs: lockMs };
  }
  if (stopping.aborted) {
    await lease.end('stopped');
    return { outcome: 'stopped', againInMs: 0 };
  }
  log.error({ err: error, job: name, key, attempt: lease.attempt }, 'jobs: a run failed');
  await lease.end('failed');
  return { outcome: 'failed', againInMs: retryDelay(lease.attempt) };
}

/** Doubles with every attempt; the upper half is jitter, so that what failed together does not come back together. */
function retryDelay(attempt: number): number {
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS);
  return delayMs * (0.5 + Math.random() / 2);
}

interface Heart {
  /** Aborts when the lease is lost or can't be proven any more, and when the deadline is over. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** Prolongs the lease, and the store's lock with it, while the run is within its deadline. */
function startHeart(
  log: Log,
  { name, lockMs, deadlineMs }: Definition,
  { touch }: Start,
  lease: Lease,
): Heart {
  const { key } = lease.fence;
  const control = new AbortController();
  let provenAt = lease.since;
  let isBeating = false;
  function end(reason: Error): void {
    clearInterval(beats);
    control.abort(reason);
  }
  async function beat(): Promise<void> {
    const askedAt = performance.now();
    if (askedAt - provenAt > lockMs) return end(new LeaseLost(`${name} ${key}: not prolonged in time`));
    if (isBeating) return;
    isBeating = true;
    try {
      if (!(await lease.prolong())) return end(new LeaseLost(`${name} ${key}: another run has taken over`));
      provenAt = askedAt;
      await touch();
    } catch (error) {
      log.warn({ err: error, job: name, key }, 'jobs: a lock was not prolonged');
    } finally {
      isBeating = false;
    }
  }
  const leftMs = lockMs - (performance.now() - provenAt);
  const beats = setInterval(() => void beat(), leftMs / BEATS_PER_LOCK);
  const deadline = setTimeout(
    () => end(new Error(`${name} ${key}: not done within ${deadlineMs / 1_000} s`)),
    deadlineMs,
  );
  return {
    signal: control.signal,
    stop() {
      clearInterval(beats);
      clearTimeout(deadline);
    },
  };
}
