import { validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import { type EvaluateDeps, evaluateHealth } from './evaluate.js';
import { type Facts, toDate, toSight, toStanding } from './facts.js';
import { type HealthReason, type HealthStatus, healthStatuses, judge } from './judge.js';
import { quantile } from './latency.js';
import type { RecentError } from './observe.js';
import { type Probe, type ProbeDeps, probeConnection, probeDue } from './probe.js';

export type { HealthReason, HealthStatus } from './judge.js';

/** A connection as observed over the last hour, by all processes together. */
export interface Health {
  readonly connectionId: string;
  readonly status: HealthStatus;
  /** Null for HEALTHY and UNKNOWN. */
  readonly reason: HealthReason | null;
  readonly since: Date;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  /** 0 to 1; null without requests. */
  readonly successRate1h: number | null;
  readonly requests1h: number;
  readonly errors1h: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  /** Since the newest event the provider told us of; null when there was none yet. */
  readonly freshnessLagSeconds: number | null;
  readonly recentErrors: readonly RecentError[];
}

export interface TenantHealth {
  /** How many connections are in each status; worst first, every status present. */
  readonly counts: readonly { readonly status: HealthStatus; readonly count: number }[];
  /** Connections that are not HEALTHY, worst first. */
  readonly worst: readonly Health[];
}

export interface HealthService {
  /** By connection; those that are not the tenant's are missing. */
  of(caller: Caller, connectionIds: readonly string[]): Promise<ReadonlyMap<string, Health>>;
  ofTenant(caller: Caller): Promise<TenantHealth>;
  /**
   * Makes the cheapest call that needs the connection's credential. A provider that can't be reached changes no
   * connection's status; one that refuses the credential is asked again, by `verify`. Throws NOT_FOUND, and
   * CONNECTION_NOT_READY for one that is not ACTIVE.
   */
  probe(caller: Caller, connectionId: string): Promise<Probe>;
  /**
   * Probes connections that nobody has called for ten minutes, so many at once, until none is due. Answers how many.
   * For the background.
   */
  probeDue(limit: number, signal: AbortSignal): Promise<number>;
  /**
   * Writes down how connections stand that are due to be looked at, so many at once: status, both edges, incidents.
   * Answers how many it looked at. For the background.
   */
  evaluate(limit: number, signal?: AbortSignal): Promise<number>;
}

const MAX_WORST = 20;

/** The status is what {@link HealthService.evaluate} would write down now, so that nobody waits for a worker to see it. */
export function createHealthService(deps: EvaluateDeps & ProbeDeps): HealthService {
  const { db, clock } = deps;

  async function read(caller: Caller, connections: string, ids: readonly string[]): Promise<Health[]> {
    const now = clock.now();
    const select = `select to_jsonb(f) as facts from health_facts(?::timestamptz, array(${connections})) f`;
    const rows = await db.for(caller).execute<{ facts: Facts }[]>(select, [now, ...ids]);
    return rows.map(({ facts }) => toHealth(facts, now));
  }

  return {
    async of(caller, connectionIds) {
      const ids = connectionIds.filter((id) => isUuid(id));
      const asked = `select id::uuid from jsonb_array_elements_text(?::jsonb) as asked(id)`;
      const found = ids.length > 0 ? await read(caller, asked, [JSON.stringify(ids)]) : [];
      return new Map(found.map((health) => [health.connectionId, health]));
    },
    async ofTenant(caller) {
      const all = await read(caller, `select id from connections where status <> 'DELETED'`, []);
      return {
        counts: healthStatuses.map((status) => ({
          status,
          count: all.filter((one) => one.status === status).length,
        })),
        worst: all
          .filter(({ status }) => status !== 'HEALTHY')
          .toSorted((a, b) => rank(a) - rank(b))
          .slice(0, MAX_WORST),
      };
    },
    probe: (caller, connectionId) => probeConnection(deps, caller, connectionId),
    probeDue: (limit, signal) => probeDue(deps, limit, signal),
    evaluate: (limit, signal) => evaluateHealth(deps, limit, signal),
  };
}

function rank({ status }: Health): number {
  return healthStatuses.indexOf(status);
}

function toHealth(facts: Facts, now: Date): Health {
  const { requests, errors } = facts;
  const { status, reason, since } = judge(toStanding(facts), toSight(facts, now), now);
  const latencies = facts.latencies ?? [];
  const newest = toDate(facts.newest_event_at);
  return {
    connectionId: facts.connection_id,
    status,
    reason,
    since,
    lastSuccessAt: toDate(facts.last_success_at),
    lastFailureAt: toDate(facts.last_failure_at),
    successRate1h: requests === 0 ? null : (requests - errors) / requests,
    requests1h: requests,
    errors1h: errors,
    latencyP50Ms: quantile(latencies, 0.5),
    latencyP95Ms: quantile(latencies, 0.95),
    freshnessLagSeconds: newest && Math.max(0, (now.getTime() - newest.getTime()) / 1000),
    recentErrors: facts.recent_errors,
  };
}
