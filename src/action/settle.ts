import { createHash } from 'node:crypto';
import { type ActionOutcome, type JsonObject, type ProviderFailure, compact } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Metrics } from '../core/metrics.js';
import { storable } from '../core/storable.js';
import { type ReceiptOutcome, addReceipt } from '../receipt/log.js';
import { Action, type ActionFailure, type ActionStatus } from './action.entity.js';
import type { Verdict } from './attempt.js';

/** Attempts before what can't be found out is given up as UNCONFIRMED. */
export const MAX_ATTEMPTS = 5;
/** How long an action stays with a process that died over it. No request of an attempt outlives it: see run.ts. */
export const LEASE_MS = 60_000;

export interface SettleDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * Writes what an attempt came to, with its receipt in the same transaction. Writes nothing when the lease has passed
 * to another process meanwhile: that one's word counts.
 */
export async function settle(
  deps: SettleDeps,
  action: Action,
  input: JsonObject,
  verdict: Verdict,
): Promise<void> {
  const { db, clock, metrics } = deps;
  const now = clock.now();
  const change = toChange(verdict, action.attempts, now);
  const isSettled = change.settledAt !== null;
  const isMine = await db.for(action).transactional(async (transaction) => {
    const mine = { id: action.id, leaseOwner: action.leaseOwner };
    if ((await transaction.nativeUpdate(Action, mine, change)) === 0) return false;
    if (isSettled) addReceipt(transaction, toReceipt(action, input, change, now));
    return true;
  });
  if (isMine && isSettled) {
    metrics.actions.inc({ provider: action.providerId, verb: action.verb, status: change.status });
  }
}

interface Change {
  readonly status: ActionStatus;
  readonly result: ActionOutcome | null;
  readonly failure: ActionFailure | null;
  readonly settledAt: Date | null;
  readonly leaseOwner: string | null;
  readonly leaseUntil: Date | null;
}

function toChange(verdict: Verdict, attempts: number, now: Date): Change {
  const settled = { settledAt: now, leaseOwner: null, leaseUntil: null };
  if (verdict.kind === 'done')
    return { ...settled, status: 'SUCCEEDED', result: storable(verdict.outcome), failure: null };
  const failure = storable(toFailure(verdict.failure));
  if (verdict.kind === 'failed') return { ...settled, status: 'FAILED', result: null, failure };
  if (verdict.kind === 'unconfirmed' || attempts >= MAX_ATTEMPTS)
    return { ...settled, status: 'UNCONFIRMED', result: null, failure };
  // Nobody owns it until then: whoever finds it due takes it.
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  return { status: 'RETRYING', result: null, failure, settledAt: null, leaseOwner: null, leaseUntil };
}

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

function toReceipt(action: Action, input: JsonObject, { status, result, failure }: Change, now: Date) {
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
    result: { status, attempts: action.attempts, ...compact({ ...result, failure: failure ?? undefined }) },
    occurredAt: now,
  };
}

/** Texts written by people may hold anything: the receipt attests to them by their hash. */
function withoutText(input: JsonObject): JsonObject {
  const { body, ...rest } = input;
  if (typeof body !== 'string') return input;
  return { ...rest, body_sha256: createHash('sha256').update(body).digest('hex') };
}

function snakeCase(verb: string): string {
  return verb.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
