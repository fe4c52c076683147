import {
  MalformedDelivery,
  type RawDelivery,
  type Webhook,
  isObject,
  line,
  textAt,
  verifyHmac,
} from '../../src/connector/index.js';

const TOLERANCE_MS = 60_000;
const ID_LIMIT = 255;
const TYPE_LIMIT = 200;

/** Webhooks of a workspace, a team or an OAuth app. https://linear.app/developers/webhooks#securing-webhooks */
export const webhook: Webhook = {
  verify(delivery, secrets) {
    const { headers, body } = delivery;
    const given = headers['linear-signature'];
    const isSigned = verifyHmac({ algorithm: 'sha256', secrets, signed: body, given, encoding: 'hex' });
    return isSigned && isTimely(delivery);
  },

  identify({ headers }, body) {
    if (!isObject(body))
      throw new MalformedDelivery('The body is JSON, but not an object as all of Linear’s are.');
    const id = headers['linear-delivery'];
    if (!id || id.length > ID_LIMIT) {
      throw new MalformedDelivery(
        `The header Linear-Delivery is ${id ? 'too long' : 'missing'}. Linear sends it with every delivery: check that no proxy in between drops it.`,
      );
    }
    const [type, action] = [line(body, 'type'), line(body, 'action')];
    if (!type) throw new MalformedDelivery('The body does not say what it is about: "type" is missing.');
    return { id, type: (action ? `${type}.${action}` : type).slice(0, TYPE_LIMIT).toWellFormed() };
  },

  /** One address of an OAuth app hears of every workspace that has installed it. */
  accountOf: (_, body) => textAt(body, 'organizationId'),

  issuesSecret: true,

  instructions:
    'In Linear open Settings → API → Webhooks → New webhook: paste the URL and choose the data change events. Linear shows ' +
    'a signing secret: give it to this connection by rotate, with what WEBHOOK_SECRET and webhookSecret.',
};

/**
 * Linear's clock against ours, a minute either way. The time in the body is signed, and counts; deliveries from before it
 * was there (2022) have at most a header. Nobody can take it out of a signed body, so that its absence proves its age.
 */
function isTimely({ headers, body, receivedAt }: RawDelivery): boolean {
  const sentAt = signedTime(body) ?? headers['linear-timestamp'];
  if (sentAt === undefined) return true;
  if (!/^\d{1,16}$/.test(sentAt)) return false;
  return Math.abs(receivedAt.getTime() - Number(sentAt)) <= TOLERANCE_MS;
}

/** Read only after the signature was right. What can't be read here is refused by name later. */
function signedTime(body: Buffer): string | undefined {
  try {
    return textAt(JSON.parse(body.toString('utf8')), 'webhookTimestamp');
  } catch {
    return undefined;
  }
}
