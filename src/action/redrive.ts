import { LockMode } from '@mikro-orm/postgresql';
import { Connection } from '../connection/connection.entity.js';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import { addReceipt } from '../receipt/log.js';
import { Action } from './action.entity.js';
import { type ExecuteDeps, requireAble } from './execute.js';
import { takeUp } from './reconcile.js';
import { requireSpec } from './run.js';
import { LEASE_MS } from './settle.js';

/** Statuses of actions that nobody takes up again by himself. */
export const DEAD = ['FAILED', 'UNCONFIRMED'] as const;

/** What came of redriving one thing. SKIPPED: nothing was done, and `reason` says why. PENDING: it is under way. */
export interface Redriven {
  readonly outcome: 'DONE' | 'FAILED' | 'PENDING' | 'SKIPPED';
  /** Why it failed, was skipped or waits; null where there is nothing to say. */
  readonly reason: string | null;
}

/**
 * Attempts an action again that has ended without success, and waits for what comes of it. Where its effect may be
 * there, the provider is looked at before anything is sent. Of several who ask at once one does it.
 */
export async function redriveAction(
  deps: ExecuteDeps,
  caller: Caller,
  id: string,
  waitSeconds: number,
): Promise<Redriven> {
  const reason = await revive(deps, caller, id);
  if (reason !== null) return { outcome: 'SKIPPED', reason };
  await takeUp(deps, caller.tenantId, id);
  const action = await deps.db.for(caller).findOneOrFail(Action, { id });
  return toRedriven(await deps.runner.wait(action, waitSeconds));
}

/** Makes it due now. From here on it is taken up even if this process dies. Answers why not, where it may not be. */
function revive(deps: ExecuteDeps, caller: Caller, id: string): Promise<string | null> {
  const now = deps.clock.now();
  return deps.db.for(caller).transactional(async (transaction) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const action = await transaction.findOne(Action, { id, status: { $in: [...DEAD] } }, lock);
    if (!action) return 'It is no dead letter any more.';
    const connection = await transaction.findOneOrFail(Connection, { id: action.connectionId });
    const refusal = refusalOf(deps, action, connection, now);
    if (refusal !== null) return refusal;
    addReceipt(transaction, toReceipt(caller, action, now));
    action.status = 'RETRYING';
    action.attempts = 0;
    action.leaseUntil = now;
    action.settledAt = null;
    if (!action.effectUnknown) action.nonce += 1;
    action.redrives += 1;
    action.redrivenAt = now;
    return null;
  });
}

function refusalOf(
  { catalog }: ExecuteDeps,
  { effectUnknown, providerId, settledAt, verb }: Action,
  connection: Connection,
  now: Date,
): string | null {
  try {
    const connector = catalog.require(providerId);
    const spec = requireSpec(connector, verb);
    requireAble(connection, spec);
    if (!effectUnknown) return null;
    if (spec.idempotency === 'AT_MOST_ONCE')
      return `It may have been done, which ${connector.manifest.name} can’t be asked: look there, and use a new key if it was not.`;
    const isOver = settledAt && now.getTime() >= settledAt.getTime() + LEASE_MS;
    return isOver ? null : 'Its last request may still be on its way: redrive it a minute after it ended.';
  } catch (error) {
    if (error instanceof TributaryError) return error.message;
    throw error;
  }
}

function toReceipt({ subject, correlationId }: Caller, action: Action, now: Date) {
  const { id, tenantId, connectionId, providerId, status, attempts, redrives } = action;
  return {
    tenantId,
    connectionId,
    providerId,
    operation: `integration.action.${providerId}.redrive`,
    outcome: 'SUCCESS' as const,
    actor: subject,
    correlationId,
    request: { action_id: id },
    result: { previous_status: status, attempts, redrives: redrives + 1 },
    occurredAt: now,
  };
}

function toRedriven({ status, failure }: Action): Redriven {
  if (status === 'SUCCEEDED') return { outcome: 'DONE', reason: null };
  const isOver = DEAD.some((dead) => dead === status);
  return { outcome: isOver ? 'FAILED' : 'PENDING', reason: failure?.message ?? null };
}
