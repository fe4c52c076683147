import {
  type FailureCategory,
  type LimitHeaders,
  type ProviderRequest,
  type ProviderResponse,
  ProviderFailure,
} from '../connector/index.js';
import type { ProviderTarget } from './target.js';

/** One call to a provider as the connector made it: all tries of one request. Never a body, never a secret. */
export interface FinishedCall {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
  /** What it was for, lower_snake: `verify`, `poll`, `action.create_issue` … */
  readonly operation: string;
  readonly method: string;
  /** The path's template. */
  readonly endpoint: string;
  /** Of the last answer; null where there was none. */
  readonly status: number | null;
  /** Both null where it went well. */
  readonly category: FailureCategory | null;
  readonly code: string | null;
  /** Requests that were sent: 0 where a guard of ours refused the first. */
  readonly attempts: number;
  /** From the connector's call to the end of the answer, waits included. */
  readonly durationMs: number;
  readonly correlationId: string;
  readonly traceId: string | null;
  /** What the provider said is left of the scarcest of its limits; null where it did not say. */
  readonly limitRemaining: number | null;
  readonly at: Date;
}

/** What is gathered while a call is under way. */
export interface CallTally {
  readonly target: ProviderTarget;
  readonly request: ProviderRequest;
  readonly at: Date;
  readonly startedAt: number;
  readonly traceId: string | null;
  attempts: number;
  /** Of the last answer. */
  headers?: Readonly<Record<string, string>>;
}

export function startTally(
  target: ProviderTarget,
  request: ProviderRequest,
  at: Date,
  traceId: string | undefined,
): CallTally {
  return { target, request, at, startedAt: performance.now(), traceId: traceId ?? null, attempts: 0 };
}

/** How it ended: with a response, or with what was thrown in place of one. */
export function toFinishedCall(tally: CallTally, end: ProviderResponse | Error): FinishedCall {
  const { target, request, at, startedAt, traceId, attempts, headers = {} } = tally;
  const { tenantId, connectionId, connector, correlationId, operation } = target;
  return {
    tenantId,
    connectionId,
    providerId: connector.manifest.id,
    operation,
    method: request.method,
    endpoint: request.path,
    ...outcomeOf(end),
    attempts,
    durationMs: Math.round(performance.now() - startedAt),
    correlationId,
    traceId,
    limitRemaining: remainingOf(target, headers),
    at,
  };
}

function outcomeOf(end: ProviderResponse | Error): Pick<FinishedCall, 'status' | 'category' | 'code'> {
  if (!(end instanceof Error)) return { status: end.status, category: null, code: null };
  if (!(end instanceof ProviderFailure)) return { status: null, category: 'UNKNOWN', code: 'interrupted' };
  const { providerStatus: status = null, category, code } = end.details;
  return { status, category, code };
}

function remainingOf(
  { connector }: ProviderTarget,
  headers: Readonly<Record<string, string>>,
): number | null {
  const told = connector.manifest.rateLimits
    .flatMap(({ headers: rule }) => (rule && isAbout(rule, headers) ? [headers[rule.remaining]] : []))
    .filter((text) => text !== undefined && /^\d{1,9}$/.test(text))
    .map(Number);
  return told.length > 0 ? Math.min(...told) : null;
}

function isAbout({ when = {} }: LimitHeaders, headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(when).every(([name, value]) => headers[name] === value);
}
