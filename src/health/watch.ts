import type { Clock } from '../core/clock.js';
import type { ProviderGate, ProviderTarget } from '../outbound/provider.js';
import { type Guard, Refusal } from '../outbound/refusal.js';

/** A call that was not made, because a limit or a budget had no room for it. */
export interface RefusedCall {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly what: 'limit' | 'budget';
  readonly at: Date;
}

const WHAT: Readonly<Partial<Record<Guard, RefusedCall['what']>>> = {
  limit: 'limit',
  pause: 'limit',
  budget: 'budget',
};

/** The gate, with whoever wants to know told of calls for which there was no room. */
export function watchRefusals(
  gate: ProviderGate,
  clock: Clock,
  onRefused: (call: RefusedCall) => void,
): ProviderGate {
  return {
    ...gate,
    contextFor(target) {
      const context = gate.contextFor(target);
      return {
        ...context,
        async request(asked) {
          try {
            return await context.request(asked);
          } catch (error) {
            const what = whatWasRefused(target, error);
            const { tenantId, connectionId } = target;
            if (what) onRefused({ tenantId, connectionId, what, at: clock.now() });
            throw error;
          }
        },
      };
    },
  };
}

/** A backfill has to leave room to all others: that there is none for it does not mean that there is none. */
function whatWasRefused({ lane }: ProviderTarget, error: unknown): RefusedCall['what'] | undefined {
  return error instanceof Refusal && lane !== 'backfill' ? WHAT[error.guard] : undefined;
}
