import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Gives receipts their places in their logs and signs for those, should no worker have done so: they look more often. */
export function checkpoint({ sequencer }: Services): RecurringJob {
  return {
    name: 'checkpoint',
    every: { seconds: 10 },
    async run({ signal }) {
      await sequencer.run(signal);
    },
  };
}
