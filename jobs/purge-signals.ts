import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Deletes signals whose time is over. Often, so that it is little each time. */
export function purgeSignals({ signalRetention }: Services): RecurringJob {
  return {
    name: 'purge-signals',
    every: { seconds: 60 },
    async run({ signal }) {
      await signalRetention.deleteDue(signal);
    },
  };
}
