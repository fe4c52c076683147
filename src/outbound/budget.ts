import type { Demand } from './demand.js';
import { type Counter, createCounter } from './limiter.js';
import type { BudgetScope, BudgetWindow, RefusalDetails } from './refusal.js';
import type { Shared } from './shared.js';
import { type ConnectionRef, type Lane, shareOf } from './target.js';

/** How many calls a tenant allows itself. Null: as many as there are. */
export interface CallBudget {
  readonly scope: BudgetScope;
  /** Of the provider or the connection; empty for the tenant. */
  readonly scopeId: string;
  readonly callsPerHour: number | null;
  readonly callsPerDay: number | null;
}

/** All budgets that a connection's calls count in. */
export type FindBudgets = (ref: ConnectionRef) => Promise<readonly CallBudget[]>;

/** Budgets are windows like those of a provider, only that the tenant sets them. */
export interface Budgets {
  demandsOf(ref: ConnectionRef, lane: Lane): Promise<readonly Demand[]>;
}

export function createBudgets(shared: Shared, find: FindBudgets): Budgets {
  const counters = {
    HOUR: createCounter({ name: 'budget:hour', durationSeconds: 3_600, shared }),
    DAY: createCounter({ name: 'budget:day', durationSeconds: 86_400, shared }),
  };

  return {
    async demandsOf(ref, lane) {
      const budgets = await find(ref);
      return windowsOf(ref, budgets).map((budget) => toDemand(counters[budget.period], budget, lane));
    },
  };
}

function windowsOf({ tenantId, connector }: ConnectionRef, budgets: readonly CallBudget[]): BudgetWindow[] {
  return budgets.flatMap(({ scope, scopeId, callsPerHour, callsPerDay }) => {
    const providerId = scope === 'TENANT' ? null : connector.manifest.id;
    const subject = { tenantId, scope, scopeId, providerId };
    return [
      ...(callsPerHour === null ? [] : [{ ...subject, period: 'HOUR' as const, calls: callsPerHour }]),
      ...(callsPerDay === null ? [] : [{ ...subject, period: 'DAY' as const, calls: callsPerDay }]),
    ];
  });
}

function toDemand(counter: Counter, budget: BudgetWindow, lane: Lane): Demand {
  const { tenantId, scope, scopeId, calls } = budget;
  // Zero stops everything; any more leaves each lane something.
  const allowed = calls === 0 ? 0 : shareOf(lane, calls);
  const key = `${tenantId}/${scope}/${scopeId}`;
  return { counter, key, points: 1, budget, allowedAt: () => allowed, refuse };
}

function refuse(retryAt: Date): RefusalDetails {
  return {
    guard: 'budget',
    category: 'BUDGET',
    code: 'budget_spent',
    message:
      'The calls that your tenant allows itself in this time are used up. An admin may raise the budget.',
    retryAt,
  };
}
