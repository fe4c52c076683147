import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Changes wait for one another, each with a connection to the database: some of those must be left to everybody else. */
const AT_ONCE = 5;

/** Writes down how connections stand, as far as that may have changed. */
export function health({ health: service }: Services): RecurringJob {
  return {
    name: 'health',
    every: { seconds: 2, lanes: 2 },
    async run({ signal }) {
      await service.evaluate(AT_ONCE, signal);
    },
  };
}
