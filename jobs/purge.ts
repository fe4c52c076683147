import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

const BATCH = 500;

/** Deletes what has been kept for its time: bodies of deliveries, and the integration log. */
export function purge({ deliveries, providerCalls }: Services): RecurringJob {
  return {
    name: 'purge',
    every: { seconds: 600 },
    async run({ signal }) {
      await deliveries.purge(BATCH, signal);
      await providerCalls.purge(BATCH, signal);
    },
  };
}
