import type { Demand } from './demand.js';
import { type Counter, createCounter } from './limiter.js';
import { Refusal } from './refusal.js';
import type { Shared } from './shared.js';
import { type ConnectionRef, type Lane, shareOf } from './target.js';

/** What a budget is for: all of a tenant's calls, those to one provider, those of one connection. */
export type BudgetScope = 'TENANT' | 'PROVIDER' | 'CONNECTION';

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
  const hour = createCounter({ name: 'budget:hour', durationSeconds: 3_600, shared });
  const day = createCounter({ name: 'budget:day', durationSeconds: 86_400, shared });

  return {
    async demandsOf(ref, lane) {
      const budgets = await find(ref);
      return budgets.flatMap(({ scope, scopeId, callsPerHour, callsPerDay }) => {
        const key = `${ref.tenantId}/${scope}/${scopeId}`;
        return [...toDemand(hour, callsPerHour, key, lane), ...toDemand(day, callsPerDay, key, lane)];
      });
    },
  };
}

function toDemand(counter: Counter, calls: number | null, key: string, lane: Lane): readonly Demand[] {
  if (calls === null) return [];
  // Zero stops everything; any more leaves each lane something.
  const allowed = calls === 0 ? 0 : shareOf(lane, calls);
  return [{ counter, key, points: 1, allowedAt: () => allowed, refuse }];
}

function refuse(retryAt: Date): Refusal {
  return new Refusal({
    guard: 'budget',
    category: 'BUDGET',
    code: 'budget_spent',
    message:
      'The calls that your tenant allows itself in this time are used up. An admin may raise the budget.',
    retryAt,
  });
}
