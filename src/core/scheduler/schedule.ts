import type { Agenda } from 'agenda';
import type { Log } from '../log.js';
import { currentCorrelation, traceHeaders } from '../trace.js';
import type { Definition, KeyedJob, RecurringJob, Wanted } from './job.js';
import type { Leases } from './lease.js';
import { type Store, isAlreadyThere } from './store.js';

/** What is stored with a job. */
export interface Stored {
  readonly key: string;
  readonly data: unknown;
  /** Of the trace and the request that it was scheduled in; null where there was none. */
  readonly traceparent?: string | null;
  readonly correlationId?: string | null;
}

/** What is in the store, and what should be. */
export interface Schedule {
  /** Does nothing while the key is there. */
  add(name: string, wanted: Wanted): Promise<void>;
  remove(name: string, key: string): Promise<void>;
  /** Puts back what is missing. One job that can't be repaired is reported and holds up no other. */
  repair(definitions: Iterable<Definition>): Promise<void>;
}

export interface ScheduleDeps {
  readonly agenda: Agenda;
  readonly store: Store;
  readonly leases: Leases;
  readonly log: Log;
}

/** A keyed job goes on with what it was scheduled for; a recurring one was there before. */
function originOf(): Pick<Stored, 'traceparent' | 'correlationId'> {
  const { traceparent = null } = traceHeaders();
  return { traceparent, correlationId: currentCorrelation() ?? null };
}

export function createSchedule({ agenda, store, leases, log }: ScheduleDeps): Schedule {
  async function add(name: string, { key, data, at }: Wanted, everyMs?: number): Promise<void> {
    const job = agenda.create(name, { key, data: data ?? null, ...(everyMs ? {} : originOf()) });
    if (everyMs) job.repeatEvery(String(everyMs));
    job.unique({ 'data.key': key }, { insertOnly: true }).schedule(at ?? new Date());
    await job.save().catch((error: unknown) => {
      if (!isAlreadyThere(error)) throw error;
    });
  }

  async function repairKeys(name: string, { expected }: KeyedJob): Promise<void> {
    for (const wanted of await expected()) await add(name, wanted);
  }

  /** The interval is part of a lane's key: an interval that was changed makes other lanes. */
  async function repairLanes(name: string, { every: { seconds, lanes = 1 } }: RecurringJob): Promise<void> {
    const everyMs = seconds * 1_000;
    const keys = Array.from({ length: lanes }, (_, lane) => `${lane} every ${everyMs}`);
    const { jobs } = await agenda.queryJobs({ name });
    const known = new Set(jobs.map(({ data }) => (data as Stored).key));
    const others = jobs.filter(({ data }) => !keys.includes((data as Stored).key));
    if (others.length > 0) await agenda.cancel({ ids: others.map(({ _id }) => _id) });
    for (const [lane, key] of keys.entries()) {
      if (known.has(key)) continue;
      const at = new Date(Date.now() + (lane / lanes) * everyMs);
      await add(name, { key, data: null, at }, everyMs);
    }
  }

  return {
    add: (name, wanted) => add(name, wanted),
    async remove(name, key) {
      await agenda.cancel({ name, data: { key } });
    },
    async repair(definitions) {
      await Promise.all([store.prune(), leases.prune()]);
      for (const { name, job } of definitions) {
        await (job.every ? repairLanes(name, job) : repairKeys(name, job)).catch((error: unknown) =>
          log.error({ err: error, job: name }, 'jobs: the schedule could not be repaired'),
        );
      }
    },
  };
}
