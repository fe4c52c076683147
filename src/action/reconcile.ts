import { randomUUID } from 'node:crypto';
import { raw } from '@mikro-orm/postgresql';
import { Connection } from '../connection/connection.entity.js';
import { acceptsActions } from '../connection/status.js';
import { ProviderFailure } from '../connector/index.js';
import { Action } from './action.entity.js';
import { firstAttempt, laterAttempt } from './attempt.js';
import type { Attempt, Runner } from './run.js';
import { LEASE_MS, MAX_ATTEMPTS, type SettleDeps, settle } from './settle.js';

export interface ReconcileDeps extends SettleDeps {
  readonly runner: Runner;
}

const BATCH = 20;
const HOLD = `clock_timestamp() + interval '${LEASE_MS} milliseconds'`;
/** What runs is due as soon as nobody holds it: its process died. */
const isDue = (now: Date) => ({ $or: [{ status: 'RUNNING' as const }, { leaseUntil: { $lte: now } }] });
const IS_FREE = { $or: [{ heldUntil: null }, { heldUntil: { $lte: raw('clock_timestamp()') } }] };

/**
 * Takes up what is due: what shall be tried again, actions whose process died, and those whose effect is still
 * unknown. Of several processes one gets each. Answers how many it took, once they are through.
 */
export async function recoverActions(deps: ReconcileDeps): Promise<number> {
  const { rows } = await deps.db.doors.query<{ tenant_id: string; id: string }>(
    'select tenant_id, id from actions_abandoned($1, $2)',
    [deps.clock.now(), BATCH],
  );
  const taken = await Promise.all(
    rows.map(async ({ tenant_id: tenantId, id }) => {
      const attempt = await takeUp(deps, tenantId, id);
      await attempt?.done;
      return attempt;
    }),
  );
  return taken.filter((attempt) => attempt !== null).length;
}

/** Begins another attempt at an action that is due; `done` resolves with its end. Null when another process has it. */
export async function takeUp(
  deps: ReconcileDeps,
  tenantId: string,
  id: string,
): Promise<{ readonly done: Promise<unknown> } | null> {
  const { db, clock, runner } = deps;
  const now = clock.now();
  const em = db.for({ tenantId });
  const due = { id, $and: [isDue(now), IS_FREE] };
  const before = await em.findOne(Action, due);
  if (!before) return null;
  const lease = { leaseOwner: randomUUID(), leaseUntil: now, heldUntil: raw(HOLD) };
  const change = { ...lease, attempts: before.attempts + 1, effectUnknown: true, status: 'RUNNING' as const };
  const isMine = { ...due, attempts: before.attempts };
  if ((await em.nativeUpdate(Action, isMine, change)) === 0) return null;
  const action = await db.for({ tenantId }).findOneOrFail(Action, { id });
  const connection = await em.findOneOrFail(Connection, { id: action.connectionId });
  const end = endOf(before, connection);
  return {
    done: end ? settle(deps, action, {}, end) : runner.start(action, connection, attemptAfter(before)),
  };
}

/** What was certainly not done is simply sent; everything else is looked into first. */
function attemptAfter(before: Action): Attempt {
  if (!before.effectUnknown) return firstAttempt;
  return (spec, context, input) => laterAttempt(spec, context, input, earlierFailure(before));
}

/** How it ends without another attempt; null when there shall be one. */
function endOf(before: Action, { status }: Connection) {
  const kind = before.effectUnknown ? 'unconfirmed' : 'failed';
  // Attempts that break off settle nothing: without an end here they would go on for ever.
  if (before.attempts >= MAX_ATTEMPTS) return { kind, failure: earlierFailure(before) } as const;
  return acceptsActions(status) ? null : ({ kind, failure: notReady(status) } as const);
}

function notReady(status: string): ProviderFailure {
  return new ProviderFailure({
    category: 'AUTH',
    code: 'connection_not_ready',
    message: `The connection became ${status} while this waited for another attempt; nothing was sent.`,
  });
}

/** Why it is looked at again: what the attempt before said, or that its process died over it. */
function earlierFailure({ failure }: Action): ProviderFailure {
  const { category, code, message, providerStatus } = failure ?? {
    category: 'UNKNOWN' as const,
    code: 'interrupted',
    message: 'The process that carried it out ended before the answer came.',
  };
  return new ProviderFailure({
    category,
    code,
    message,
    ...(providerStatus !== undefined && { providerStatus }),
    isAmbiguous: true,
  });
}
