import type { Pool } from 'pg';
import { type FailureCategory, compact } from '../connector/index.js';
import type { Log } from '../core/log.js';
import { toStorableJson } from '../core/storable.js';
import { isGivenUp } from '../outbound/failure.js';
import type { CallObservation, CircuitChange } from '../outbound/provider.js';
import type { RefusedCall } from './watch.js';
import { bucketOf, emptyLatencies } from './latency.js';

/** A failed call, kept for people to look at. */
export interface RecentError {
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly providerStatus?: number;
  /** RFC 3339. */
  readonly at: string;
}

const MAX_RECENT = 10;

interface Minute {
  readonly connection_id: string;
  readonly tenant_id: string;
  readonly minute: string;
  requests: number;
  errors: number;
  readonly latencies: number[];
}

interface State {
  readonly connection_id: string;
  readonly tenant_id: string;
  last_success_at: string | null;
  last_failure_at: string | null;
  recent_errors: RecentError[];
  /** What was last heard of its circuit; left out where nothing was. */
  is_circuit_open?: boolean;
  circuit_at?: string;
  limit_refused_at?: string;
}

/** Collects what calls to providers came to and adds it to PostgreSQL in small sums, so that all processes count together. */
export interface HealthObserver {
  /** A call that was given up is passed over: it tells nothing of its connection. */
  observe(call: CallObservation): void;
  /** A circuit opened or closed. */
  observeCircuit(change: CircuitChange): void;
  observeRefusal(call: RefusedCall): void;
  /** Writes what has been collected. What could not be written is kept and added to the next flush. */
  flush(): Promise<void>;
}

export function createHealthObserver(pool: Pool, log: Log): HealthObserver {
  let minutes = new Map<string, Minute>();
  let states = new Map<string, State>();
  let isFlushing = false;

  return {
    observe(call) {
      if (call.failure && isGivenUp(call.failure)) return;
      addToMinute(minutes, call);
      addToState(states, call, toState(call));
    },
    observeCircuit(change) {
      // Half open it is neither: what the try comes to is told next.
      if (change.state === 'HALF_OPEN') return;
      const heard = { is_circuit_open: change.state === 'OPEN', circuit_at: change.at.toISOString() };
      addToState(states, change, heard);
    },
    observeRefusal(call) {
      addToState(states, call, { limit_refused_at: call.at.toISOString() });
    },
    async flush() {
      // One at a time: a database that is slow must not get a second connection from this each second.
      if (isFlushing || states.size === 0) return;
      isFlushing = true;
      const [flushedMinutes, flushedStates] = [minutes, states];
      minutes = new Map();
      states = new Map();
      try {
        const values = [flushedMinutes, flushedStates].map((rows) => toStorableJson([...rows.values()]));
        await pool.query('select health_record($1::jsonb, $2::jsonb)', values);
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'health: not written; kept for the next flush');
        // The sums are additive, and of what came meanwhile the newer wins: so the old goes underneath.
        minutes = merge(flushedMinutes, minutes, addMinute);
        states = merge(flushedStates, states, addState);
      } finally {
        isFlushing = false;
      }
    },
  };
}

function addToMinute(minutes: Map<string, Minute>, call: CallObservation): void {
  const minute = `${call.at.toISOString().slice(0, 16)}:00.000Z`;
  const one = {
    connection_id: call.connectionId,
    tenant_id: call.tenantId,
    minute,
    requests: 1,
    errors: errorOf(call) ? 1 : 0,
    latencies: emptyLatencies.with(bucketOf(call.durationMs), 1),
  };
  put(minutes, `${call.connectionId} ${minute}`, one, addMinute);
}

function addToState(
  states: Map<string, State>,
  { connectionId, tenantId }: Pick<CallObservation, 'connectionId' | 'tenantId'>,
  seen: Partial<State>,
): void {
  const nothing = { last_success_at: null, last_failure_at: null, recent_errors: [] };
  const one = { connection_id: connectionId, tenant_id: tenantId, ...nothing, ...seen };
  put(states, connectionId, one, addState);
}

function toState(call: CallObservation): Partial<State> {
  const at = call.at.toISOString();
  const error = errorOf(call);
  if (!error) return { last_success_at: at };
  return { last_failure_at: at, recent_errors: [toRecentError(error.details, at)] };
}

const CALLERS_OWN: ReadonlySet<FailureCategory> = new Set(['NOT_FOUND', 'INVALID']);

/**
 * What a call says against the connection. A provider that refuses an action because it asks for what is not there, or
 * for what can't be, has worked well: that is between it and the caller, who is told. Polls and probes ask for what has
 * to be there.
 */
function errorOf({ failure, lane }: CallObservation): CallObservation['failure'] {
  if (!failure || lane !== 'interactive') return failure;
  const { category, providerStatus } = failure.details;
  return providerStatus !== undefined && CALLERS_OWN.has(category) ? undefined : failure;
}

function toRecentError(
  { category, code, message, providerStatus }: NonNullable<CallObservation['failure']>['details'],
  at: string,
): RecentError {
  return compact({ category, code, message, providerStatus, at });
}

function put<T>(map: Map<string, T>, key: string, value: T, add: (older: T, newer: T) => T): void {
  const known = map.get(key);
  map.set(key, known ? add(known, value) : value);
}

function merge<T>(
  older: Map<string, T>,
  newer: Map<string, T>,
  add: (older: T, newer: T) => T,
): Map<string, T> {
  for (const [key, value] of newer) put(older, key, value, add);
  return older;
}

function addMinute(older: Minute, newer: Minute): Minute {
  return {
    ...older,
    requests: older.requests + newer.requests,
    errors: older.errors + newer.errors,
    latencies: older.latencies.map((count, index) => count + (newer.latencies[index] ?? 0)),
  };
}

function addState(older: State, newer: State): State {
  return {
    ...older,
    ...newer,
    last_success_at: newer.last_success_at ?? older.last_success_at,
    last_failure_at: newer.last_failure_at ?? older.last_failure_at,
    recent_errors: [...newer.recent_errors, ...older.recent_errors].slice(0, MAX_RECENT),
  };
}
