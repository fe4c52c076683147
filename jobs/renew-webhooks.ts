import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';

/** Has webhooks last longer that providers let end, a week before they do. */
export function renewWebhooks({ connections }: Services): RecurringJob {
  return {
    name: 'renew-webhooks',
    every: { seconds: 60 },
    async run({ signal }) {
      await connections.renewWebhooksDue(signal);
    },
  };
}
