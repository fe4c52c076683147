import type { OpenIncident } from '../incident/settle.js';
import type { HealthReason, HealthStatus, Sight, Standing } from './judge.js';
import type { RecentError } from './observe.js';

/** What `health_facts` tells of a connection; times in RFC 3339. */
export interface Facts {
  readonly connection_id: string;
  readonly tenant_id: string;
  readonly provider_id: string;
  readonly connection_status: string;
  readonly status_message: string | null;
  readonly status: HealthStatus;
  readonly reason: HealthReason | null;
  readonly since: string;
  readonly calm_since: string | null;
  readonly fence: number;
  /** Within the hour. */
  readonly requests: number;
  readonly errors: number;
  /** Within five minutes. */
  readonly requests_lately: number;
  readonly errors_lately: number;
  readonly latencies: readonly number[] | null;
  readonly last_success_at: string | null;
  readonly last_failure_at: string | null;
  readonly recent_errors: readonly RecentError[];
  readonly newest_event_at: string | null;
  readonly lag_seconds: number | null;
  /** Null while its circuit is closed. */
  readonly circuit_opened_at: string | null;
  readonly limit_refused_at: string | null;
  readonly budget_refused_at: string | null;
  readonly incidents: readonly OpenIncident[] | null;
}

/**
 * An open circuit is tried again within five minutes of being opened, by a probe if by nobody else within another ten,
 * and opened anew or closed. What is older was opened by a process that died with its circuit.
 */
const CIRCUIT_HOLDS_MS = 20 * 60_000;

export function isCircuitOpen({ circuit_opened_at: openedAt }: Facts, now: Date): boolean {
  return openedAt !== null && now.getTime() - Date.parse(openedAt) < CIRCUIT_HOLDS_MS;
}

export function isRefused({ connection_status: status }: Facts): boolean {
  return status === 'REAUTHORIZATION_REQUIRED' || status === 'ERROR';
}

export function toSight(facts: Facts, now: Date): Sight {
  const { requests, errors, lag_seconds: lagSeconds } = facts;
  return {
    requests,
    errors,
    isRefused: isRefused(facts),
    isCircuitOpen: isCircuitOpen(facts, now),
    lagSeconds,
  };
}

export function toStanding({ status, reason, since, calm_since: calmSince }: Facts): Standing {
  return { status, reason, since: new Date(since), calmSince: toDate(calmSince) };
}

export function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
