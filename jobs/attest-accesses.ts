import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Lets receipts attest to the uses of secrets since the last time. */
export function attestAccesses({ accessAttestor }: Services): RecurringJob {
  return {
    name: 'attest-accesses',
    every: { seconds: 60 },
    async run({ signal }) {
      await accessAttestor.attest(signal);
    },
  };
}
