import {
  MalformedDelivery,
  type Webhook,
  standardWebhookId,
  textAt,
  verifyStandardWebhook,
} from '../../src/connector/index.js';

/** Standard Webhooks, by a secret that OpenAI makes. https://platform.openai.com/docs/guides/webhooks */
export const webhook: Webhook = {
  issuesSecret: true,
  verify: verifyStandardWebhook,

  identify(delivery, body) {
    const type = textAt(body, 'type');
    if (!type) throw new MalformedDelivery('The body has no "type", as all of OpenAI’s events have.');
    return { id: standardWebhookId(delivery), type };
  },

  instructions:
    'In the project’s settings at OpenAI open Webhooks → Create, paste the URL and choose the events. OpenAI then shows ' +
    'its signing secret (whsec_…) once: give it to rotate as webhookSecret, with what: WEBHOOK_SECRET.',
};
