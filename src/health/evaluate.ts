import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { workDue } from '../core/due.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { QUIET_MS, countIncidents, isSettled, planIncidents, writeIncidents } from '../incident/settle.js';
import { type HealthChangeDraft, recordHealthChange } from './changes.js';
import { type Facts, toSight, toStanding } from './facts.js';
import { type Standing, judge } from './judge.js';
import { troublesOf } from './trouble.js';

export interface EvaluateDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A connection as it was seen at a moment. */
interface Look {
  readonly facts: Facts;
  readonly now: Date;
}

/** Nothing is leased: a claim moves the row on, and only the newest look at a connection may write. */
const LOOK_MS = 60_000;

/** See HealthService.evaluate. */
export function evaluateHealth(
  deps: EvaluateDeps,
  limit: number,
  signal = new AbortController().signal,
): Promise<number> {
  const { db, clock, log } = deps;
  return workDue<Look>({
    async claim(room) {
      const now = clock.now();
      const { rows } = await db.doors.query<{ facts: Facts }>(CLAIM, [now, room]);
      return rows.map(({ facts }) => ({ facts, now }));
    },
    work: ({ facts, now }) => settle(deps, facts, now),
    failed: ({ facts }, error) =>
      log.error({ connectionId: facts.connection_id, err: error }, 'health: a look broke off'),
    concurrency: limit,
    leaseMs: LOOK_MS,
    signal,
  });
}

const CLAIM = 'select facts from health_claim($1, $2)';

/** Most find what was written down already, and cost nothing more. */
async function settle({ db, metrics }: EvaluateDeps, facts: Facts, now: Date): Promise<void> {
  const { tenant_id: tenantId, connection_id: connectionId, provider_id: providerId } = facts;
  const before = toStanding(facts);
  const standing = judge(before, toSight(facts, now), now);
  // Nothing will be seen of a deleted one that could still be waited for.
  const quietMs = facts.connection_status === 'DELETED' ? 0 : QUIET_MS;
  const incidents = planIncidents(facts.incidents ?? [], troublesOf(facts, now), now, quietMs);
  if (isSame(before, standing) && isSettled(incidents)) return;
  const isEdge = standing.status !== before.status;
  const isDone = await db.for({ tenantId }).transactional(async (transaction) => {
    // Whoever has looked at it since knows more.
    if (!(await write(transaction, facts, standing))) return false;
    await writeIncidents(transaction, { tenantId, connectionId, providerId }, incidents, now);
    if (isEdge) await recordHealthChange(transaction, toChange(facts, standing, now));
    return true;
  });
  if (!isDone) return;
  countIncidents(metrics, providerId, incidents);
  if (isEdge) metrics.healthChanges.inc({ provider: providerId, status: standing.status });
}

async function write(
  transaction: EntityManager,
  { connection_id: connectionId, fence }: Facts,
  { status, reason, since, calmSince }: Standing,
): Promise<boolean> {
  const values = [status, reason, since, calmSince, connectionId, fence];
  return (await transaction.execute<object[]>(WRITE, values)).length > 0;
}

const WRITE = `
  update connection_health set status = ?, reason = ?, since = ?, calm_since = ?
  where connection_id = ? and fence = ? returning connection_id`;

function isSame(before: Standing, after: Standing): boolean {
  return (
    before.status === after.status &&
    before.reason === after.reason &&
    before.calmSince?.getTime() === after.calmSince?.getTime()
  );
}

function toChange(
  { tenant_id: tenantId, connection_id: connectionId, status: previousStatus }: Facts,
  { status, reason }: Standing,
  occurredAt: Date,
): HealthChangeDraft {
  return { tenantId, connectionId, previousStatus, status, reason, occurredAt };
}
