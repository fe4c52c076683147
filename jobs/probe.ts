import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Asks after connections that nobody has called for a while. */
export function probe({ health }: Services): RecurringJob {
  return {
    name: 'probe',
    every: { seconds: 5, lanes: 2 },
    async run({ signal }) {
      await health.probeDue(20, signal);
    },
  };
}
