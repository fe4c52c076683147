import type { Clock } from '../core/clock.js';
import type { ProviderTarget } from '../outbound/provider.js';
import type { Refusal, SpentBudget } from '../outbound/refusal.js';

/** A call that was not made, because the provider's limits had no room for it. */
export interface RefusedCall {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly at: Date;
}

export interface RefusalWatch {
  readonly clock: Clock;
  readonly onLimited: (call: RefusedCall) => void;
  readonly onSpent: (budgets: readonly SpentBudget[]) => void;
}

/**
 * What somebody should know of the calls for which there was no room. A backfill has to leave room to all others: that
 * there is none for it does not mean that there is none.
 */
export function watchRefusals({ clock, onLimited, onSpent }: RefusalWatch) {
  return ({ tenantId, connectionId, lane }: ProviderTarget, { guard, spent }: Refusal): void => {
    if (lane === 'backfill') return;
    if (guard === 'limit' || guard === 'pause') onLimited({ tenantId, connectionId, at: clock.now() });
    if (spent.length > 0) onSpent(spent);
  };
}
