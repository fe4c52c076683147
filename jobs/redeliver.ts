import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Asks providers that never repeat a delivery by themselves for those that failed. */
export function redeliver({ connections }: Services): RecurringJob {
  return {
    name: 'redeliver',
    every: { seconds: 30 },
    async run({ signal }) {
      await connections.redeliverDue(signal);
    },
  };
}
