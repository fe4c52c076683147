import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Makes a new data key for tenants whose newest is 90 days old. */
export function rotateKeys({ keys }: Services): RecurringJob {
  return {
    name: 'rotate-keys',
    every: { seconds: 600 },
    async run() {
      await keys.rotateDue();
    },
  };
}
