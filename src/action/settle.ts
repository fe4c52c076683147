import { createHash } from 'node:crypto';
import { type FailureCategory, type JsonObject, type ProviderFailure, compact } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Metrics } from '../core/metrics.js';
import { storable } from '../core/storable.js';
import { Refusal } from '../outbound/refusal.js';
import type { ReceiptDraft, ReceiptOutcome } from '../receipt/log.js';
import type { Action, ActionFailure, ActionStatus } from './action.entity.js';
import type { Verdict } from './attempt.js';
import { type Outcome, writeOutcome } from './store.js';

/**
 * Attempts before it is given up: as FAILED, or as UNCONFIRMED where that can't be found out. One that our own guards
 * refused was none: an outage in which a circuit is open must not use them up.
 */
export const MAX_ATTEMPTS = 5;
/** What does not pass in this time since the action was asked for, or redriven, is given up. */
export const RETRY_WITHIN_MS = 24 * 60 * 60_000;
/**
 * How long an action stays with a process that died over it, counted from when that began. No request of an attempt
 * outlives it: see run.ts.
 */
export const LEASE_MS = 60_000;

export interface SettleDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * Writes what an attempt came to, with its receipt in the same transaction, and answers it. Writes nothing and answers
 * null when the lease has passed to another process meanwhile: that one's word counts.
 */
export async function settle(
  deps: SettleDeps,
  action: Action,
  input: JsonObject,
  verdict: Verdict,
): Promise<Outcome | null> {
  const { db, clock, metrics } = deps;
  const now = clock.now();
  const change = toChange(verdict, action, now);
  const isSettled = change.settledAt !== null;
  const receipt = isSettled ? toReceipt(action, input, change, now) : null;
  const isMine = await writeOutcome(db, action, change, receipt);
  if (!isMine) return null;
  if (isSettled) {
    metrics.countTenant(action.tenantId, 'action');
    metrics.actions.inc({ provider: action.providerId, verb: action.verb, status: change.status });
  }
  return change;
}

function toChange(verdict: Verdict, action: Action, now: Date): Outcome {
  const effectUnknown = verdict.kind === 'unknown' || verdict.kind === 'unconfirmed';
  const freed = effectUnknown ? {} : { heldUntil: null };
  const attempts = countAttempts(verdict, action, now);
  const settled = { attempts, effectUnknown, settledAt: now, leaseOwner: null, leaseUntil: null, ...freed };
  if (verdict.kind === 'done')
    return { ...settled, status: 'SUCCEEDED', result: storable(verdict.outcome), failure: null };
  const failure = storable(toFailure(verdict.failure));
  const next = nextAttempt(verdict, action, attempts, now);
  // Nobody owns it until then: whoever finds it due takes it.
  if (next)
    return { ...settled, status: 'RETRYING', result: null, failure, settledAt: null, leaseUntil: next };
  return { ...settled, status: effectUnknown ? 'UNCONFIRMED' : 'FAILED', result: null, failure };
}

/** With this one, if the provider was asked. What is refused for longer than it may wait has to end some day, too. */
function countAttempts(verdict: Verdict, action: Action, now: Date): number {
  const isRefused = verdict.kind !== 'done' && verdict.failure instanceof Refusal;
  return isRefused && now.getTime() <= lastRetryOf(action) ? action.attempts - 1 : action.attempts;
}

function lastRetryOf({ createdAt, redrivenAt }: Action): number {
  return (redrivenAt ?? createdAt).getTime() + RETRY_WITHIN_MS;
}

/** When it is tried again or looked into; null when it is not. */
function nextAttempt(
  { kind, failure: { details } }: Exclude<Verdict, { kind: 'done' }>,
  action: Action,
  attempts: number,
  now: Date,
): Date | null {
  if (kind === 'unconfirmed' || attempts >= MAX_ATTEMPTS) return null;
  if (kind === 'failed' && !PASSING.has(details.category)) return null;
  const told = details.retryAt?.getTime();
  const isTold = told !== undefined && told <= lastRetryOf(action);
  if (kind === 'unknown') {
    // By the end of the lease nothing of an attempt is on its way any more.
    const soonest = now.getTime() + LEASE_MS;
    return new Date(isTold ? Math.max(soonest, told) : soonest);
  }
  if (told !== undefined) return isTold ? new Date(told) : null;
  return new Date(now.getTime() + LEASE_MS * 2 ** Math.max(0, attempts - 1));
}

/** What is over by itself. Nothing was done, so that trying again can't double it. */
const PASSING: ReadonlySet<FailureCategory> = new Set(['RATE_LIMIT', 'BUDGET', 'CIRCUIT_OPEN', 'NETWORK']);

export function toFailure({ details }: ProviderFailure): ActionFailure {
  return compact({
    category: details.category,
    code: details.code,
    message: details.message,
    providerStatus: details.providerStatus,
    retryAt: details.retryAt?.toISOString(),
  });
}

const OUTCOMES: Partial<Record<ActionStatus, ReceiptOutcome>> = {
  SUCCEEDED: 'SUCCESS',
  UNCONFIRMED: 'UNCONFIRMED',
};

function toReceipt(
  action: Action,
  input: JsonObject,
  { status, attempts, result, failure }: Outcome,
  now: Date,
): ReceiptDraft {
  return {
    tenantId: action.tenantId,
    connectionId: action.connectionId,
    providerId: action.providerId,
    actionId: action.id,
    operation: `integration.action.${action.providerId}.${snakeCase(action.verb)}`,
    outcome: OUTCOMES[status] ?? ('FAILURE' as const),
    actor: action.actor,
    correlationId: action.correlationId,
    request: {
      idempotency_key: action.idempotencyKey,
      input_sha256: Buffer.from(action.inputHash).toString('hex'),
      input: withoutText(input),
    },
    result: { status, attempts, ...compact({ ...result, failure: failure ?? undefined }) },
    occurredAt: now,
  };
}

/** Texts written by people may hold anything: the receipt attests to them by their hash. */
function withoutText(input: JsonObject): JsonObject {
  const { body, ...rest } = input;
  if (typeof body !== 'string') return input;
  return { ...rest, body_sha256: createHash('sha256').update(body).digest('hex') };
}

/** A verb as receipts and logs name it. */
export function snakeCase(verb: string): string {
  return verb.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
