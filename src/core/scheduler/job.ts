import type { Fence } from './lease.js';

/** Handed to a job's body for one run. */
export interface Run<Data = unknown> {
  readonly key: string;
  readonly data: Data;
  /** 1 for the first; runs that ended in a failure, a crash or a lost lease count, those a stop interrupted don't. */
  readonly attempt: number;
  /** Proof that this run still is the one: see {@link requireFence}. */
  readonly fence: Fence;
  /** Aborts when the run is over its deadline, has lost its lease, or the process stops. Pass it on. */
  readonly signal: AbortSignal;
}

interface JobBasics<Data> {
  readonly name: string;
  /** One service call: idempotent, and fenced where it writes. */
  run(run: Run<Data>): Promise<void>;
  /** Runs at the same time in one process. */
  readonly concurrency?: number;
  /** How long after a kill -9 another process takes over. A run that lives prolongs its own lock. */
  readonly lockSeconds?: number;
  /** When the signal of a run aborts; its lock is not prolonged from then on. */
  readonly deadlineSeconds?: number;
  /** Runs in a row that may fail or crash before the job is held to be poisonous. */
  readonly maxAttempts?: number;
}

/**
 * Runs again and again. Lanes are copies of it that processes share: with one, one process at a time runs it. After
 * `maxAttempts` failures in a row it runs every five minutes only, until it succeeds.
 */
export interface RecurringJob extends JobBasics<undefined> {
  readonly every: { readonly seconds: number; readonly lanes?: number };
}

/** Runs once for each key it is scheduled with, repeated with growing pauses until it succeeds or is exhausted. */
export interface KeyedJob<Data = unknown> extends JobBasics<Data> {
  readonly every?: never;
  /** What has to be scheduled, read from PostgreSQL's own tables: the store may have lost it. */
  expected(): Promise<readonly Wanted<Data>[]>;
  /** The last call for a key that failed or crashed `maxAttempts` times: writes down that it is given up. */
  exhausted(run: Run<Data>): Promise<void>;
}

export type Job<Data = unknown> = RecurringJob | KeyedJob<Data>;

/** One run to be. */
export interface Wanted<Data = unknown> {
  /** At most one of a job and key is scheduled at any time. */
  readonly key: string;
  /** Must survive JSON. */
  readonly data: Data;
  /** Default: now. */
  readonly at?: Date;
}

/** What became of a run, for metrics. */
export interface RunReport {
  readonly name: string;
  /** `busy`: another run has the lease. `stopped`: the process was told to stop. `lost`: the lease ran out under it. */
  readonly outcome: 'done' | 'failed' | 'exhausted' | 'busy' | 'stopped' | 'lost';
  readonly seconds: number;
  /** From the time it was due to its start; undefined when it was taken over from a dead process. */
  readonly lagSeconds: number | undefined;
}

/** A job with its defaults filled in, times in milliseconds. */
export interface Definition {
  readonly job: Job;
  readonly name: string;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly deadlineMs: number;
  readonly maxAttempts: number;
}

export function toDefinition(job: Job): Definition {
  const { name, concurrency = 1, lockSeconds = 15, deadlineSeconds = 300, maxAttempts = 5 } = job;
  return {
    job,
    name,
    concurrency,
    maxAttempts,
    lockMs: lockSeconds * 1_000,
    deadlineMs: deadlineSeconds * 1_000,
  };
}
