import { MalformedDelivery, type Webhook, textAt, verifyHmac } from '../../src/connector/index.js';
import { registration } from './registration.js';

/** While a secret is replaced there are two. */
const MOST_SIGNATURES = 10;
const ID_LIMIT = 255;

/**
 * Webhooks v3. The header lists a signature for each secret that counts, `v1=<hex>,v1=<hex>`, and any of them is enough.
 * PagerDuty signs no time: the id of the event, which is in the signed body, is the only replay guard.
 * https://developer.pagerduty.com/docs/webhook-signatures
 */
export const webhook: Webhook = {
  issuesSecret: true,

  verify({ headers, body }, secrets) {
    const given = (headers['x-pagerduty-signature'] ?? '').split(',', MOST_SIGNATURES);
    // All of them are looked at: which one fits must not show in the time it takes.
    const fits = given.map((signature) =>
      verifyHmac({
        algorithm: 'sha256',
        secrets,
        signed: body,
        given: signature.trim(),
        encoding: 'hex',
        prefix: 'v1=',
      }),
    );
    return fits.includes(true);
  },

  /** Not by `X-Webhook-Id`, which nobody signs: a recorded delivery would pass under another. */
  identify(_delivery, body) {
    const [id, type] = ['id', 'event_type'].map((field) => textAt(body, 'event', field));
    if (!id || id.length > ID_LIMIT)
      throw new MalformedDelivery('The event has no id, or one that is too long.');
    if (!type || type.length > ID_LIMIT) throw new MalformedDelivery('The event has no event_type.');
    return { id, type };
  },

  registration,

  instructions:
    'Call registerWebhook. Or by hand: at PagerDuty open Integrations → Generic Webhooks (v3) → New Webhook, paste the URL ' +
    'and choose scope and events. PagerDuty then shows its secret once: give it to rotate as webhookSecret, with what: WEBHOOK_SECRET.',
};
