import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

const AT_ONCE = 20;

/** Polls what is due. */
export function poll({ polls }: Services): RecurringJob {
  return {
    name: 'poll',
    every: { seconds: 1, lanes: 2 },
    async run({ signal }) {
      await polls.runDue(AT_ONCE, signal);
    },
  };
}
