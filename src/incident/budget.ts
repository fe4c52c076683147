import { v7 as uuidV7 } from 'uuid';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { SpentBudget } from '../outbound/refusal.js';
import { Incident } from './incident.entity.js';
import { announce } from './settle.js';

export interface BudgetIncidentDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Makes an incident of each budget that is spent: one for each of its windows, over all processes together. */
export interface BudgetWatch {
  /** A call found no room in these. */
  observe(budgets: readonly SpentBudget[]): void;
  /** Writes what was seen. What could not be written is kept for the next flush. */
  flush(): Promise<void>;
}

/** So long a process takes it for granted that what it has written is there. */
const KNOWN_MS = 60_000;
const KIND = 'BUDGET_EXHAUSTED';

export function createBudgetWatch(deps: BudgetIncidentDeps): BudgetWatch {
  const { clock, log } = deps;
  const seen = new Map<string, SpentBudget>();
  const known = new Map<string, Date>();

  function isKnown(name: string): boolean {
    const until = known.get(name);
    return until !== undefined && until > clock.now();
  }

  function forgetOld(): void {
    for (const name of known.keys()) if (!isKnown(name)) known.delete(name);
  }

  async function write(name: string, budget: SpentBudget): Promise<void> {
    try {
      await openIncident(deps, budget);
      known.set(name, earlier(budget.endsAt, new Date(clock.now().getTime() + KNOWN_MS)));
    } catch (error) {
      const { tenantId, scope } = budget;
      log.warn({ err: error, tenantId, scope }, 'incident: a spent budget is not written; kept for later');
      if (!seen.has(name)) seen.set(name, budget);
    }
  }

  return {
    observe(budgets) {
      for (const budget of budgets) {
        const name = nameOf(budget);
        if (!isKnown(name)) seen.set(name, budget);
      }
    },
    async flush() {
      forgetOld();
      const batch = [...seen];
      seen.clear();
      for (const [name, budget] of batch) await write(name, budget);
    },
  };
}

function nameOf({ tenantId, scope, scopeId, period, calls }: SpentBudget): string {
  return JSON.stringify([tenantId, scope, scopeId, period, calls]);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

async function openIncident({ db, clock, metrics }: BudgetIncidentDeps, budget: SpentBudget): Promise<void> {
  const { tenantId, scope, scopeId, providerId, period, calls, endsAt } = budget;
  const openedAt = clock.now();
  const connectionId = scope === 'CONNECTION' ? scopeId : null;
  const incident = { id: uuidV7(), tenantId, scope, connectionId, providerId, kind: KIND, openedAt } as const;
  const told = { ...incident, message: messageOf(budget), endsAt };
  const isNew = await db.for({ tenantId }).transactional(async (transaction) => {
    const about = [told.id, tenantId, scope, connectionId, providerId, KIND, told.message, openedAt];
    const inForce = [scope, scopeId, calls, period];
    const inWindow = [scope, scopeId, period, calls, endsAt];
    const rows = await transaction.execute<object[]>(OPEN, [
      ...about,
      period,
      calls,
      endsAt,
      ...inForce,
      ...inWindow,
    ]);
    if (rows.length > 0) await announce(transaction, told, openedAt);
    return rows.length > 0;
  });
  if (isNew) metrics.incidents.inc({ provider: providerId ?? '', kind: KIND, state: 'OPEN' });
}

/**
 * If the budget that refused is still the one in force, and this window was not told of before. Processes read the end
 * of a window from clocks that differ a little; a minute is more than that, and less than any window.
 */
const OPEN = `
  insert into incidents (id, tenant_id, scope, connection_id, provider_id, kind, message, opened_at, budget_period,
                         budget_calls, ends_at)
  select ?::uuid, ?, ?, ?::uuid, ?, ?, ?, ?::timestamptz, ?, ?::integer, ?::timestamptz
  where exists (
      select from call_budgets b
      where b.scope = ? and b.scope_id = ?
        and ?::integer = case ? when 'HOUR' then b.calls_per_hour else b.calls_per_day end)
    and not exists (
      select from incidents i
      where i.scope = ? and coalesce(i.connection_id::text, i.provider_id, '') = ? and i.budget_period = ?
        and i.budget_calls = ?::integer and i.ends_at > ?::timestamptz - interval '1 minute')
  on conflict do nothing returning id`;

const WHOSE: Readonly<Record<SpentBudget['scope'], string>> = {
  TENANT: 'all calls of the tenant',
  PROVIDER: 'the tenant’s calls to this provider',
  CONNECTION: 'the calls of this connection',
};

function messageOf({ scope, period, calls, endsAt }: SpentBudget): string {
  const span = period === 'HOUR' ? 'an hour' : 'a day';
  return (
    `The budget of ${calls} calls ${span} for ${WHOSE[scope]} is used up. ` +
    `Calls are refused and polls wait until ${endsAt.toISOString()}, unless an admin raises it.`
  );
}

/**
 * Resolves what is over: the window has turned, or the budget was changed. Answers how many. For the background; any
 * number of processes may do so.
 */
export async function settleBudgets(deps: BudgetIncidentDeps, limit: number): Promise<number> {
  const { rows } = await deps.db.doors.query<{ tenant_id: string; id: string }>(
    'select tenant_id, id from incidents_budget_over($1, $2)',
    [deps.clock.now(), limit],
  );
  for (const { tenant_id: tenantId, id } of rows) await resolve(deps, tenantId, id);
  return rows.length;
}

async function resolve(
  { db, clock, metrics }: BudgetIncidentDeps,
  tenantId: string,
  id: string,
): Promise<void> {
  const resolvedAt = clock.now();
  const over = await db.for({ tenantId }).transactional(async (transaction) => {
    const isMine = (await transaction.nativeUpdate(Incident, { id, resolvedAt: null }, { resolvedAt })) > 0;
    if (!isMine) return undefined;
    const incident = await transaction.findOneOrFail(Incident, { id });
    await announce(transaction, incident, resolvedAt);
    return incident;
  });
  if (over) metrics.incidents.inc({ provider: over.providerId ?? '', kind: KIND, state: 'RESOLVED' });
}
