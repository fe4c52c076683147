import type { WebhookSetup as Setup } from '../../src/connection/webhook-endpoint.js';
import type { Connector } from '../../src/connector/index.js';
import type { WebhookSetup } from './type.js';

/** The one answer in which the secret is shown. */
export function toWebhookSetup({ url, secret }: Setup, connector: Connector | undefined): WebhookSetup {
  const instructions = connector?.webhook?.instructions;
  return { url, secret: secret?.reveal() ?? null, ...(instructions !== undefined && { instructions }) };
}
