import {
  MalformedDelivery,
  type RawDelivery,
  type Webhook,
  textAt,
  verifyHmac,
} from '../../src/connector/index.js';
import { registration } from './registration.js';

/** Both ways: a clock that runs ahead is no better than an old recording. https://example.com/docs/webhooks#replay */
const TOLERANCE_SECONDS = 5 * 60;

/**
 * Signed over `<delivery id>.<timestamp>.<body>` with HMAC-SHA256; `example-signature: v1=<hex>`.
 * There is no `decode`: the body is plain JSON, which the core reads.
 */
export const webhook: Webhook = {
  verify(delivery, secrets) {
    const { headers, body } = delivery;
    if (!isFresh(delivery)) return false;
    return verifyHmac({
      algorithm: 'sha256',
      secrets,
      signed: [`${headers['example-delivery']}.${headers['example-timestamp']}.`, body],
      given: headers['example-signature'],
      encoding: 'hex',
      prefix: 'v1=',
    });
  },

  identify({ headers }, body) {
    const id = headers['example-delivery'];
    const type = textAt(body, 'type');
    if (!id || id.length > 255)
      throw new MalformedDelivery('The header Example-Delivery is missing or too long.');
    if (!type) throw new MalformedDelivery('The body has no "type".');
    return { id, type };
  },

  // Asked once, when the URL is entered there. It is signed, so whoever asks is the provider.
  handshake: {
    signed(_delivery, body) {
      const challenge = textAt(body, 'challenge');
      return textAt(body, 'type') === 'handshake' && challenge ? { text: challenge } : undefined;
    },
  },

  // An app at Example has one URL for all the accounts that installed it; each delivery names one.
  accountOf: (_delivery, body) => textAt(body, 'account'),

  instructions:
    'At Example, open Settings → Webhooks → New, paste URL and secret, and choose the events for issues and comments.',

  registration,
};

/** The timestamp counts only because it is signed too: else anyone could refresh an old delivery. */
function isFresh({ headers, receivedAt }: RawDelivery): boolean {
  const timestamp = headers['example-timestamp'] ?? '';
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(receivedAt.getTime() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}
