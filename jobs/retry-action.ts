import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Takes up actions that are due again, and those whose process died over them. */
export function retryAction({ actions }: Services): RecurringJob {
  return {
    name: 'retry-action',
    every: { seconds: 2, lanes: 2 },
    async run() {
      await actions.recover();
    },
  };
}
