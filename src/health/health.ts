import { validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { quantile } from './latency.js';
import type { RecentError } from './observe.js';

export const healthStatuses = ['UNHEALTHY', 'DEGRADED', 'UNKNOWN', 'HEALTHY'] as const;
/**
 * What we saw lately; worst first. UNKNOWN: nothing was called within the hour. Where nothing can be called until
 * somebody mends the connection, it is UNHEALTHY whatever was seen before.
 */
export type HealthStatus = (typeof healthStatuses)[number];

/** A connection as observed over the last hour, by all processes together. */
export interface Health {
  readonly connectionId: string;
  readonly status: HealthStatus;
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
}

const HOUR_MS = 3_600_000;
const MAX_WORST = 20;
/** Shares of failed calls within the hour. */
const UNHEALTHY_ABOVE = 0.5;
const DEGRADED_ABOVE = 0.1;

interface Row {
  readonly connection_id: string;
  readonly is_broken: boolean;
  readonly last_success_at: Date | string | null;
  readonly last_failure_at: Date | string | null;
  readonly recent_errors: readonly RecentError[];
  readonly requests: number;
  readonly errors: number;
  readonly latencies: readonly number[] | null;
  readonly newest_event_at: Date | string | null;
}

const SELECT = `
  select c.id as connection_id, c.status in ('REAUTHORIZATION_REQUIRED', 'ERROR') as is_broken, h.last_success_at, h.last_failure_at, coalesce(h.recent_errors, '[]') as recent_errors,
         w.requests, w.errors, l.latencies, s.occurred_at as newest_event_at
  from connections c
  left join connection_health h on h.connection_id = c.id
  left join lateral (
    select coalesce(sum(requests), 0)::int as requests, coalesce(sum(errors), 0)::int as errors
    from health_minutes where connection_id = c.id and minute > ?::timestamptz) w on true
  left join lateral (
    select array_agg(total order by place) as latencies
    from (select place, sum(latency)::int as total
          from health_minutes m, unnest(m.latencies) with ordinality as latency(latency, place)
          where m.connection_id = c.id and m.minute > ?::timestamptz
          group by place) as bucket) l on true
  left join lateral (
    select occurred_at from signals where connection_id = c.id order by sequence desc limit 1) s on true`;

export function createHealthService(db: Db, clock: Clock): HealthService {
  async function read(caller: Caller, condition: string, parameters: readonly unknown[]): Promise<Health[]> {
    const now = clock.now();
    const since = new Date(now.getTime() - HOUR_MS).toISOString();
    const rows = await db.for(caller).execute<Row[]>(`${SELECT} ${condition}`, [since, since, ...parameters]);
    return rows.map((row) => toHealth(row, now));
  }

  return {
    async of(caller, connectionIds) {
      const ids = connectionIds.filter((id) => isUuid(id));
      const found = ids.length > 0 ? await read(caller, 'where c.id in (?)', [ids]) : [];
      return new Map(found.map((health) => [health.connectionId, health]));
    },
    async ofTenant(caller) {
      const all = await read(caller, `where c.status <> 'DELETED'`, []);
      const rank = ({ status }: Health): number => healthStatuses.indexOf(status);
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
  };
}

function toHealth(row: Row, now: Date): Health {
  const { requests, errors } = row;
  const latencies = row.latencies ?? [];
  const newest = toDate(row.newest_event_at);
  return {
    connectionId: row.connection_id,
    status: row.is_broken ? 'UNHEALTHY' : statusOf(requests, errors),
    lastSuccessAt: toDate(row.last_success_at),
    lastFailureAt: toDate(row.last_failure_at),
    successRate1h: requests === 0 ? null : (requests - errors) / requests,
    requests1h: requests,
    errors1h: errors,
    latencyP50Ms: quantile(latencies, 0.5),
    latencyP95Ms: quantile(latencies, 0.95),
    freshnessLagSeconds: newest && Math.max(0, (now.getTime() - newest.getTime()) / 1000),
    recentErrors: row.recent_errors,
  };
}

function statusOf(requests: number, errors: number): HealthStatus {
  if (requests === 0) return 'UNKNOWN';
  const share = errors / requests;
  if (share > UNHEALTHY_ABOVE) return 'UNHEALTHY';
  return share > DEGRADED_ABOVE ? 'DEGRADED' : 'HEALTHY';
}

function toDate(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}
