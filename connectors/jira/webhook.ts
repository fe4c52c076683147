import { createHash } from 'node:crypto';
import {
  type HmacCheck,
  MalformedDelivery,
  type RawDelivery,
  type Secret,
  type Webhook,
  isObject,
  textAt,
  verifyHmac,
  verifyJwtHs256,
} from '../../src/connector/index.js';
import { registration } from './registration.js';
import { routesOf } from './route.js';

const ID_LIMIT = 255;
/** The header names the algorithm, and Atlassian may change it: what is not in this list is refused. */
const ALGORITHMS: readonly HmacCheck['algorithm'][] = ['sha256', 'sha512'];

/**
 * Webhooks that an administrator of the site has set up, with a secret. The time in their body is signed with it, but
 * deliveries that failed come again for hours: the delivery's id is the replay guard.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 *
 * And those that an OAuth app has registered by API, which come to the app's address with a JSON Web Token by the app's
 * client secret. That is what integrators report; Atlassian documents nothing, and README.md says what follows from it.
 */
export const webhook: Webhook = {
  verify(delivery, secrets) {
    const { headers, body } = delivery;
    const given = headers['x-hub-signature'];
    if (given === undefined) return isByApp(delivery, secrets);
    const algorithm = ALGORITHMS.find((name) => given?.startsWith(`${name}=`)) ?? 'sha256';
    return verifyHmac({
      algorithm,
      secrets,
      signed: body,
      given,
      encoding: 'hex',
      prefix: `${algorithm}=`,
    });
  },

  identify({ headers, body: bytes }, body) {
    if (!isObject(body))
      throw new MalformedDelivery('The body is JSON, but not an object as all of Jira’s are.');
    const type = textAt(body, 'webhookEvent');
    if (!type || type.length > ID_LIMIT)
      throw new MalformedDelivery('The body has no "webhookEvent", or too long a one.');
    // The same for every retry. Without it the bytes themselves tell: they carry the time of the event.
    const id = headers['x-atlassian-webhook-identifier'];
    if (id !== undefined && id.length > ID_LIMIT)
      throw new MalformedDelivery('The header X-Atlassian-Webhook-Identifier is too long.');
    return { id: id || createHash('sha256').update(bytes).digest('hex'), type };
  },

  routesOf: (_delivery, body) => routesOf(body),

  instructions:
    'As an administrator of the site open Settings → System → Webhooks → Create a webhook: paste URL and secret, choose ' +
    'the events you want to see here, and leave "Exclude body" off.',

  registration,
};

/** The token says who sends, for a few minutes, and nothing of the body. */
function isByApp(
  { headers, path, query, receivedAt: now }: RawDelivery,
  secrets: readonly Secret[],
): boolean {
  const token = /^Bearer ([^ ]+)$/i.exec(headers['authorization'] ?? '')?.[1];
  return verifyJwtHs256({ token, secrets, now, request: { method: 'POST', path, ...(query && { query }) } });
}
