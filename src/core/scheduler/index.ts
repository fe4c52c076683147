import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Agenda, type Job as AgendaJob } from 'agenda';
import type { Log } from '../log.js';
import { letGo } from '../postgres.js';
import { SpanKind, inSpan, withCorrelation } from '../trace.js';
import { createBell } from './bell.js';
import { createGate } from './gate.js';
import {
  type Definition,
  type Job,
  type KeyedJob,
  type RecurringJob,
  type RunReport,
  type Wanted,
  toDefinition,
} from './job.js';
import { LOOK_MS } from './lanes.js';
import { createLeases } from './lease.js';
import { type End, runOnce } from './run.js';
import { type Stored, createSchedule } from './schedule.js';
import { openJobsPool, openStore } from './store.js';

export type { Job, KeyedJob, RecurringJob, Run, RunReport, Wanted } from './job.js';
export { type Fence, LeaseLost, requireFence } from './lease.js';

/**
 * Runs jobs in the background, over all processes that were started on the same store. It is never the truth: what
 * has to run follows from PostgreSQL's own tables, and the store may be emptied at any moment.
 */
export interface Scheduler {
  /** Before {@link start}. */
  define(job: RecurringJob): void;
  define<Data>(job: KeyedJob<Data>): void;
  /** Once for each key: while it is scheduled or running, another call changes nothing. */
  schedule<Data>(name: string, wanted: Wanted<Data>): Promise<void>;
  /** Takes back what has not begun. */
  cancel(name: string, key: string): Promise<void>;
  /** Puts back what the store has lost. Happens by itself at the start and every minute. */
  repair(): Promise<void>;
  start(): Promise<void>;
  /**
   * Takes no more and waits for what runs; what is still running then is told to stop. Answers whether all has ended.
   * What was not begun is free for other processes at once.
   */
  drain(timeoutMs: number): Promise<boolean>;
  /** Lets go of the store. Timers of Agenda's go on for half a lock's time: the process has to exit by itself. */
  close(): Promise<void>;
}

export interface SchedulerOptions {
  readonly databaseUrl: string;
  /** Keeps the jobs there instead; leases stay in PostgreSQL. */
  readonly mongodbUrl?: string | undefined;
  readonly log: Log;
  readonly observe?: (report: RunReport) => void;
  /** Milliseconds between repairs. */
  readonly repairEvery?: number;
}

const REPAIR_MS = 60_000;
const STOP_MS = 2_000;
const IDLE_LOOK_MS = 10;

/** Throws when a store does not answer: a start that can't work should say so. */
export async function createScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const { databaseUrl, mongodbUrl, log, observe = () => {}, repairEvery = REPAIR_MS } = options;
  const worker = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const pool = await openJobsPool(databaseUrl, log);
  const store = await openStore(pool, mongodbUrl, log);
  const leases = createLeases(pool, worker);
  const definitions = new Map<string, Definition>();
  const gate = createGate({ store, definitionOf, log });
  const bell = createBell(store.channel);
  const stopping = new AbortController();
  const agenda = new Agenda({
    backend: {
      name: store.kind,
      repository: gate.repository,
      notificationChannel: bell.channel,
      // It is connected: a failure inside of Agenda's constructor would be a rejection that nobody can hear.
      connect: async () => {},
      disconnect: async () => {},
      ownsConnection: false,
    },
    name: worker,
    processEvery: LOOK_MS,
    // The gate counts, per job.
    maxConcurrency: Number.MAX_SAFE_INTEGER,
    removeOnComplete: true,
  });
  agenda.on('error', (error) => log.warn({ err: error }, 'jobs: the store could not be asked'));
  const schedule = createSchedule({ agenda, store, leases, log });
  let repairs: NodeJS.Timeout | undefined;
  let repairing: Promise<void> | undefined;

  function definitionOf(name: string): Definition {
    const definition = definitions.get(name);
    if (!definition) throw new Error(`There is no job named ${name}.`);
    return definition;
  }

  async function run(definition: Definition, job: AgendaJob<Stored>): Promise<void> {
    const { name } = definition;
    const startedAt = performance.now();
    const { dueAt, lease, mayKeep, leave } = gate.enter(job.attrs);
    const lagSeconds = dueAt && Math.max(0, (Date.now() - dueAt.getTime()) / 1_000);
    const start = { ...job.attrs.data, lease, mayKeep, touch: () => job.touch() };
    let end: End | undefined;
    try {
      end = await under(name, job.attrs.data, () =>
        runOnce({ leases, log, stopping: stopping.signal }, definition, start),
      );
    } finally {
      leave(end?.kept);
      const seconds = (performance.now() - startedAt) / 1_000;
      observe({ name, outcome: end?.outcome ?? 'failed', seconds, lagSeconds });
      if (gate.mayFindMore(definition, Date.now() + LOOK_MS)) bell.ring(name);
    }
    if (end.againInMs !== undefined && !definition.job.every) throw new Again(end.againInMs);
  }

  function repair(): Promise<void> {
    repairing ??= schedule.repair(definitions.values()).finally(() => (repairing = undefined));
    return repairing;
  }

  function repairLater(): void {
    repair().catch((error: unknown) => log.warn({ err: error }, 'jobs: the store could not be repaired'));
  }

  return {
    define(job: Job) {
      const definition = toDefinition(job);
      const { name, concurrency, lockMs } = definition;
      definitions.set(name, definition);
      // oxlint-disable-next-line typescript/no-misused-promises -- of Agenda's two forms this is the other one
      agenda.define<Stored>(name, (found) => run(definition, found), {
        concurrency,
        lockLifetime: lockMs,
        // A recurring job runs again at its next time anyhow.
        backoff: ({ error }) => (job.every ? null : delayOf(error, lockMs)),
      });
    },
    async schedule(name, wanted) {
      if (definitionOf(name).job.every) throw new Error(`${name} runs by itself.`);
      await schedule.add(name, wanted);
    },
    cancel: (name, key) => schedule.remove(name, key),
    repair,
    async start() {
      await repair();
      await agenda.start();
      repairs = setInterval(repairLater, repairEvery);
    },
    async drain(timeoutMs) {
      const givenBack = gate.shut();
      clearInterval(repairs);
      await repairing?.catch(() => {});
      await Promise.all([agenda.stop(), givenBack]);
      if (await isSoon(gate.isIdle, timeoutMs)) return true;
      stopping.abort(new Error('The process stops.'));
      return isSoon(gate.isIdle, STOP_MS);
    },
    async close() {
      await Promise.all([store.close(), letGo(pool.end())]);
    },
  };
}

/** The run belongs to the request and the trace that scheduled it; a recurring one begins both. */
function under(
  name: string,
  { key, traceparent, correlationId }: Stored,
  run: () => Promise<End>,
): Promise<End> {
  const options = {
    kind: SpanKind.CONSUMER,
    attributes: { 'tributary.job': name, 'tributary.job_key': key },
    parent: { traceparent },
  };
  return withCorrelation(correlationId ?? randomUUID(), () => inSpan(`job ${name}`, options, run));
}

/** A keyed job has to run again. Agenda asks for the delay by way of the error. */
class Again extends Error {
  override readonly name = 'Again';
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`again in ${Math.round(delayMs)} ms`);
    this.delayMs = delayMs;
  }
}

/** Any other error says that the lease could not be asked for. */
function delayOf(error: Error, lockMs: number): number {
  return error instanceof Again ? error.delayMs : lockMs;
}

/** Agenda tells when a run has ended, but not when it has written that down: so this looks, after its microtasks. */
async function isSoon(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  do {
    await delay(IDLE_LOOK_MS);
    if (condition()) return true;
  } while (performance.now() < until);
  return false;
}
