import { randomUUID } from 'node:crypto';
import { Connection } from '../connection/connection.entity.js';
import { ProviderFailure } from '../connector/index.js';
import { Action } from './action.entity.js';
import { laterAttempt } from './attempt.js';
import type { Runner } from './run.js';
import { LEASE_MS, MAX_ATTEMPTS, type SettleDeps, settle } from './settle.js';

export interface ReconcileDeps extends SettleDeps {
  readonly runner: Runner;
}

const BATCH = 20;

/**
 * Takes over what is due: actions whose process died, and those whose effect is still unknown. Of several processes
 * one gets each. Answers how many it took.
 */
export async function recoverActions(deps: ReconcileDeps): Promise<number> {
  const { rows } = await deps.db.doors.query<{ tenant_id: string; id: string }>(
    'select tenant_id, id from actions_abandoned($1, $2)',
    [deps.clock.now(), BATCH],
  );
  const taken = await Promise.all(rows.map(({ tenant_id: tenantId, id }) => takeOver(deps, tenantId, id)));
  return taken.filter(Boolean).length;
}

async function takeOver(deps: ReconcileDeps, tenantId: string, id: string): Promise<boolean> {
  const { db, clock, runner } = deps;
  const now = clock.now();
  const em = db.for({ tenantId });
  const due = { id, leaseUntil: { $lt: now } };
  const before = await em.findOne(Action, due);
  if (!before) return false;
  const lease = { leaseOwner: randomUUID(), leaseUntil: new Date(now.getTime() + LEASE_MS) };
  const attempts = before.attempts + 1;
  const isMine = { ...due, attempts: before.attempts };
  if ((await em.nativeUpdate(Action, isMine, { ...lease, attempts, status: 'RUNNING' })) === 0) return false;
  const action = await db.for({ tenantId }).findOneOrFail(Action, { id });
  const connection = await em.findOneOrFail(Connection, { id: action.connectionId });
  const earlier = earlierFailure(before);
  if (before.attempts >= MAX_ATTEMPTS) {
    // Attempts that break off settle nothing: without an end here they would go on for ever.
    await settle(deps, action, {}, { kind: 'unconfirmed', failure: earlier });
    return true;
  }
  await runner.start(action, connection, (spec, context, input) =>
    laterAttempt(spec, context, input, earlier),
  );
  return true;
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
