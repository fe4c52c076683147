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
  readonly incidents: readonly OpenIncident[] | null;
  /** Streams whose polls have failed three times in a row, limits aside, or that were given up over that. */
  readonly stuck_polls: readonly StuckPoll[] | null;
  /** Webhooks that the provider lets end, and whose renewal has failed three times in a row; the first to end first. */
  readonly ending_webhooks: readonly EndingWebhook[] | null;
}

export interface EndingWebhook {
  readonly ends_at: string;
  readonly failures: number;
  readonly message: string;
}

export interface StuckPoll {
  readonly title: string;
  readonly failures: number;
  readonly message: string;
}

/**
 * An open circuit is tried again within five minutes of being opened, by a probe if by nobody else within another ten,
 * and opened anew or closed. What is older was opened by a process that died with its circuit, and what will be opened
 * only in a while, by one whose clock has been set back since.
 */
const CIRCUIT_HOLDS_MS = 20 * 60_000;

export function isCircuitOpen({ circuit_opened_at: openedAt }: Facts, now: Date): boolean {
  return openedAt !== null && Math.abs(now.getTime() - Date.parse(openedAt)) < CIRCUIT_HOLDS_MS;
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
    isPollStuck: facts.stuck_polls !== null,
    isWebhookEnding: facts.ending_webhooks !== null,
  };
}

export function toStanding({ status, reason, since, calm_since: calmSince }: Facts): Standing {
  return { status, reason, since: new Date(since), calmSince: toDate(calmSince) };
}

export function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
