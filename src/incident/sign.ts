import { createHmac, randomBytes } from 'node:crypto';
import { Secret } from '../core/secret.js';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** A secret in the form of Standard Webhooks: `whsec_` and base64. */
export function makeSigningSecret(): Secret {
  return new Secret(PREFIX + randomBytes(SECRET_BYTES).toString('base64'));
}

/**
 * The headers of one attempt, by https://www.standardwebhooks.com: an HMAC-SHA256 over id, timestamp and body. The id
 * is the same for every attempt; the timestamp, in whole seconds, is that of this one.
 */
export function signedHeaders(
  secret: Secret,
  id: string,
  body: string,
  now: Date,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const key = Buffer.from(secret.reveal().slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  key.fill(0);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
