import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Renews access tokens minutes before they end. What it misses is renewed by whoever needs it. */
export function refreshCredential({ connections }: Services): RecurringJob {
  return {
    name: 'refresh-credential',
    every: { seconds: 15 },
    async run() {
      await connections.renewDue();
    },
  };
}
