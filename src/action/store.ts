import type { ActionOutcome } from '../connector/index.js';
import type { Db } from '../core/db.js';
import { type ReceiptDraft, toReceiptRow } from '../receipt/log.js';
import type { Action, ActionFailure, ActionStatus } from './action.entity.js';

/**
 * The two writes that the caller of an action waits for: functions of the database, see
 * src/migrations/action-steps.ts. What is done to actions at other times goes by the entity.
 */

const BEGIN = { name: 'action_begin', columns: 'began_at as "beganAt", held_until as "heldUntil"' };
const SETTLE = { name: 'action_settle', columns: 'action_settle as "isMine"' };

/**
 * Stores an action that runs from now on, under a lease of a minute. False, and nothing is stored, where its
 * idempotency key stands for one already.
 */
export async function insertAction(db: Db, action: Action): Promise<boolean> {
  const [stored] = await db.invoke<Pick<Action, 'beganAt' | 'heldUntil'>>(action, BEGIN, [
    action.id,
    action.connectionId,
    action.providerId,
    action.verb,
    action.sealedInput,
    action.inputHash,
    action.idempotencyKey,
    action.correlationId,
    action.traceparent,
    action.actor,
    action.leaseOwner,
    action.createdAt,
  ]);
  if (!stored) return false;
  Object.assign(action, stored);
  return true;
}

/** What becomes of an action by an attempt that ended. */
export interface Outcome {
  readonly status: ActionStatus;
  readonly attempts: number;
  readonly result: ActionOutcome | null;
  readonly failure: ActionFailure | null;
  readonly effectUnknown: boolean;
  readonly settledAt: Date | null;
  readonly leaseOwner: string | null;
  readonly leaseUntil: Date | null;
  /** Left as it is where a request may still be on its way. */
  readonly heldUntil?: null;
}

/**
 * Writes what became of an action and, where it is settled, the receipt. False, and nothing is written, when the lease
 * has passed to another process.
 */
export async function writeOutcome(
  db: Db,
  action: Action,
  outcome: Outcome,
  receipt: ReceiptDraft | null,
): Promise<boolean> {
  const [answer] = await db.invoke<{ isMine: boolean }>(action, SETTLE, [
    action.id,
    action.leaseOwner,
    outcome.status,
    outcome.attempts,
    outcome.result && JSON.stringify(outcome.result),
    outcome.failure && JSON.stringify(outcome.failure),
    outcome.effectUnknown,
    outcome.settledAt,
    outcome.leaseUntil,
    outcome.heldUntil === null,
    receipt && JSON.stringify(toReceiptRow(receipt)),
  ]);
  return answer?.isMine === true;
}
