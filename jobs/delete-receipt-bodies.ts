import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Deletes the bodies of receipts whose time is over. */
export function deleteReceiptBodies({ receiptRetention }: Services): RecurringJob {
  return {
    name: 'delete-receipt-bodies',
    every: { seconds: 600 },
    async run({ signal }) {
      await receiptRetention.deleteDue(signal);
    },
  };
}
