import { LinearWebhookClient } from '@linear/sdk/webhooks';
import type { Opinion } from './opinion.js';

/** It only checks, and by the real clock. */
export const opinion: Opinion = {
  library: '@linear/sdk',
  verify({ headers, body }, secret) {
    const { webhookTimestamp } = JSON.parse(body.toString('utf8')) as { webhookTimestamp?: number };
    const client = new LinearWebhookClient(secret.reveal());
    return client.verify(body, headers['linear-signature'] ?? '', webhookTimestamp);
  },
};
