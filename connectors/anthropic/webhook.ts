import { MalformedDelivery, type Webhook, textAt, verifyStandardWebhook } from '../../src/connector/index.js';

const ID_LIMIT = 255;

/** Standard Webhooks, by a secret that Anthropic makes; in beta. Shapes: npm `@anthropic-ai/sdk` 1.11, resources/beta/webhooks. */
export const webhook: Webhook = {
  issuesSecret: true,
  verify: verifyStandardWebhook,

  /** By the body, which says both: `type` itself is always "event". */
  identify(_delivery, body) {
    const [id, type] = [textAt(body, 'id'), textAt(body, 'data', 'type')];
    if (!id || id.length > ID_LIMIT || !type) {
      throw new MalformedDelivery(
        'The body lacks "id" or "data.type", which all of Anthropic’s events have.',
      );
    }
    return { id, type };
  },

  instructions:
    'In Anthropic’s Console add a webhook endpoint with the URL and choose its events. The Console then shows a signing ' +
    'secret (whsec_…) once: give it to rotate as webhookSecret, with what: WEBHOOK_SECRET.',
};
