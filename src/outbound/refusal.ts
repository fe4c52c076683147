import { type FailureCategory, ProviderFailure } from '../connector/index.js';

/** Which of our guards said no. */
export type Guard = 'limit' | 'pause' | 'budget' | 'circuit' | 'bulkhead' | 'address';

/** What a budget is for: all of a tenant's calls, those to one provider, those of one connection. */
export type BudgetScope = 'TENANT' | 'PROVIDER' | 'CONNECTION';

/** A budget of calls in one of its windows. */
export interface BudgetWindow {
  readonly tenantId: string;
  readonly scope: BudgetScope;
  /** Of the provider or the connection; empty for the tenant. */
  readonly scopeId: string;
  /** Null for the tenant's. */
  readonly providerId: string | null;
  readonly period: 'HOUR' | 'DAY';
  /** How many the tenant allows itself in it. */
  readonly calls: number;
}

/** A budget that had no room for a call. */
export interface SpentBudget extends BudgetWindow {
  /** When its next window begins. */
  readonly endsAt: Date;
}

export interface RefusalDetails {
  readonly guard: Guard;
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly retryAt?: Date;
  /** All budgets that had no room, beside what else had none. */
  readonly spent?: readonly SpentBudget[];
}

/** A guard of ours said no: the provider was not asked, so nothing is known of it and nothing can have happened. */
export class Refusal extends ProviderFailure {
  readonly guard: Guard;
  readonly spent: readonly SpentBudget[];

  constructor({ guard, spent = [], ...details }: RefusalDetails) {
    super({ ...details, isAmbiguous: false });
    this.guard = guard;
    this.spent = spent;
  }
}
