import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

const BATCH = 500;

/** Deletes the bodies of deliveries whose time is over. */
export function purge({ deliveries }: Services): RecurringJob {
  return {
    name: 'purge',
    every: { seconds: 600 },
    async run({ signal }) {
      await deliveries.purge(BATCH, signal);
    },
  };
}
