import type { Secret } from '../core/secret.js';
import { MalformedDelivery, type RawDelivery } from './webhook.js';
import { verifyHmac } from './signature.js';

// Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

const PREFIX = 'whsec_';
/** Both ways. The specification leaves the number open; its libraries take this one. */
const TOLERANCE_SECONDS = 5 * 60;
/** A sender that rotates its key signs with both for a while. More than these are nobody's. */
const MAX_SIGNATURES = 8;
const ID_LIMIT = 255;

/**
 * True when one of the secrets signed these bytes, in the way of Standard Webhooks with HMAC-SHA256: `webhook-id`,
 * `webhook-timestamp` (seconds, within five minutes of ours) and `webhook-signature`, a list of which one has to fit.
 * Signatures by a public key (`v1a`) are passed over.
 */
export function verifyStandardWebhook(delivery: RawDelivery, secrets: readonly Secret[]): boolean {
  const { headers, body } = delivery;
  const id = headers['webhook-id'];
  if (!id || !isFresh(delivery)) return false;
  const given = (headers['webhook-signature'] ?? '').split(' ').slice(0, MAX_SIGNATURES);
  const signed = [`${id}.${headers['webhook-timestamp']}.`, body];
  const fitting = given.filter((signature) =>
    verifyHmac({
      algorithm: 'sha256',
      secrets,
      signed,
      given: signature,
      encoding: 'base64',
      prefix: 'v1,',
      keyOf: (secret) => standardWebhookKey(secret.reveal()),
    }),
  );
  return fitting.length > 0;
}

/** What names a delivery: the same however often it is sent. Throws {@link MalformedDelivery}. */
export function standardWebhookId({ headers }: RawDelivery): string {
  const id = headers['webhook-id'];
  if (id && id.length <= ID_LIMIT) return id;
  throw new MalformedDelivery(
    `The header webhook-id is ${id ? 'too long' : 'missing'}: check that no proxy in between changes it.`,
  );
}

/** `whsec_` and base64, as senders show their secrets and want ours. */
export function standardWebhookSecret(key: Buffer): string {
  return PREFIX + key.toString('base64');
}

/** The key in a secret, with `whsec_` or without. Undefined for what is not base64. */
export function standardWebhookKey(secret: string): Buffer | undefined {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = Buffer.from(text, 'base64');
  return key.length > 0 && key.toString('base64') === text ? key : undefined;
}

/** The timestamp is a part of what is signed: nobody can make an old delivery young. */
function isFresh({ headers, receivedAt }: RawDelivery): boolean {
  const timestamp = headers['webhook-timestamp'] ?? '';
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(receivedAt.getTime() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}
