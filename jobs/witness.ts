import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Shows checkpoints of receipts' logs to those who keep them elsewhere. */
export function witness({ witnesses }: Services): RecurringJob {
  return {
    name: 'witness',
    every: { seconds: 2, lanes: 2 },
    async run({ signal }) {
      await witnesses.deliverDue(20, signal);
    },
  };
}
