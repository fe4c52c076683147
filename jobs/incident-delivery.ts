import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Ends the incidents of budgets whose window has turned, and tells tenants' sinks of incidents. */
export function incidentDelivery({ incidents }: Services): RecurringJob {
  return {
    name: 'incident-delivery',
    every: { seconds: 2, lanes: 2 },
    async run({ signal }) {
      await incidents.settleBudgets(100);
      await incidents.deliverDue(20, signal);
    },
  };
}
