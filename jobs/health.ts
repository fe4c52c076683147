import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Writes down how connections stand, as far as that may have changed. */
export function health({ health: service }: Services): RecurringJob {
  return {
    name: 'health',
    every: { seconds: 2, lanes: 2 },
    async run({ signal }) {
      await service.evaluate(16, signal);
    },
  };
}
