import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Tells tenants' sinks of incidents. */
export function incidentDelivery({ incidents }: Services): RecurringJob {
  return {
    name: 'incident-delivery',
    every: { seconds: 2, lanes: 2 },
    async run({ signal }) {
      await incidents.deliverDue(20, signal);
    },
  };
}
