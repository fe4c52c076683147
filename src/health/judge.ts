export const healthStatuses = ['UNHEALTHY', 'DEGRADED', 'UNKNOWN', 'HEALTHY'] as const;
/** What we saw lately; worst first. */
export type HealthStatus = (typeof healthStatuses)[number];

/** Why a connection is not HEALTHY. */
export type HealthReason = 'CREDENTIALS_REFUSED' | 'CIRCUIT_OPEN' | 'ERRORS' | 'LAG' | 'POLLS' | 'WEBHOOKS';

/** How a connection stands, as it was last written down. */
export interface Standing {
  readonly status: HealthStatus;
  /** Null for HEALTHY and UNKNOWN. */
  readonly reason: HealthReason | null;
  readonly since: Date;
  /** Since when it has been seen better than its status says, without a break; null while it has not. */
  readonly calmSince: Date | null;
}

/** What can be seen of a connection at this moment. */
export interface Sight {
  /** Within the hour. */
  readonly requests: number;
  readonly errors: number;
  /** Nothing can be called until somebody mends its credential. */
  readonly isRefused: boolean;
  readonly isCircuitOpen: boolean;
  /** How late its news come; null while there is too little of it. */
  readonly lagSeconds: number | null;
  /** A poll has failed several times in a row. */
  readonly isPollStuck: boolean;
  /** A webhook that the provider lets end could not be renewed several times in a row. */
  readonly isWebhookEnding: boolean;
}

/** Fewer calls within the hour say nothing by their share of errors. */
export const MIN_CALLS = 5;
/** Shares of failed calls within the hour. */
export const UNHEALTHY_ABOVE = 0.5;
export const DEGRADED_ABOVE = 0.1;
/** News that come later than this by the median are late. */
export const LAG_OBJECTIVE_SECONDS = 600;
/** For so long a status holds, and for so long a connection has to be better before it is called better. */
export const HOLD_MS = 5 * 60_000;

interface Verdict {
  readonly status: HealthStatus;
  readonly reason: HealthReason | null;
}

/**
 * How a connection stands now. Shares and lag waver around their bounds, so what follows from them waits until the
 * status has held for {@link HOLD_MS}; a refused credential and an open circuit don't waver and count at once. Nothing
 * gets better before it was better all that time. See docs/decisions/health-holds.md.
 */
export function judge(standing: Standing, sight: Sight, now: Date): Standing {
  const seen = look(sight);
  if (!seen) return { ...standing, calmSince: null };
  if (seen.status === standing.status) return { ...standing, reason: seen.reason, calmSince: null };
  const edge = { ...seen, since: now, calmSince: null };
  if (standing.status === 'UNKNOWN' || sight.isRefused || sight.isCircuitOpen) return edge;
  if (isWorse(seen.status, standing.status)) {
    return hasHeld(standing.since, now) ? edge : { ...standing, calmSince: null };
  }
  const calmSince = standing.calmSince ?? now;
  return hasHeld(calmSince, now) ? edge : { ...standing, calmSince };
}

/** Undefined where a few calls failed in part: too little to say anything new. */
function look(sight: Sight): Verdict | undefined {
  const { requests, errors, isRefused, isCircuitOpen, lagSeconds, isPollStuck, isWebhookEnding } = sight;
  const doesCount = requests >= MIN_CALLS;
  if (isRefused) return { status: 'UNHEALTHY', reason: 'CREDENTIALS_REFUSED' };
  if (isCircuitOpen) return { status: 'UNHEALTHY', reason: 'CIRCUIT_OPEN' };
  if (doesCount && errors / requests > UNHEALTHY_ABOVE) return { status: 'UNHEALTHY', reason: 'ERRORS' };
  if (doesCount && errors / requests > DEGRADED_ABOVE) return { status: 'DEGRADED', reason: 'ERRORS' };
  if (lagSeconds !== null && lagSeconds > LAG_OBJECTIVE_SECONDS) return { status: 'DEGRADED', reason: 'LAG' };
  if (isPollStuck) return { status: 'DEGRADED', reason: 'POLLS' };
  if (isWebhookEnding) return { status: 'DEGRADED', reason: 'WEBHOOKS' };
  if (requests === 0) return { status: 'UNKNOWN', reason: null };
  return doesCount || errors === 0 ? { status: 'HEALTHY', reason: null } : undefined;
}

function isWorse(one: HealthStatus, other: HealthStatus): boolean {
  return healthStatuses.indexOf(one) < healthStatuses.indexOf(other);
}

function hasHeld(since: Date, now: Date): boolean {
  return now.getTime() - since.getTime() >= HOLD_MS;
}
