import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Seals anew what is sealed under a tenant's older data keys, and destroys those in the end. */
export function rewrapKeys({ keys }: Services): RecurringJob {
  return {
    name: 'rewrap-keys',
    every: { seconds: 60 },
    deadlineSeconds: 3_600,
    async run({ signal }) {
      await keys.resealAll(signal);
    },
  };
}
