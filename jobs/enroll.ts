import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Finds what there is to poll, of connections that are new or have changed. */
export function enroll({ polls }: Services): RecurringJob {
  return {
    name: 'enroll',
    every: { seconds: 15 },
    async run() {
      await polls.enroll();
    },
  };
}
