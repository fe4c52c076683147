import { createHash } from 'node:crypto';
import {
  type JsonObject,
  MalformedDelivery,
  type RawDelivery,
  type Webhook,
  isObject,
  isSecret,
  line,
  textAt,
  verifyStandardWebhook,
} from '../../src/connector/index.js';

const ID_LIMIT = 200;
/** Where GitLab tells what happened to the thing, in the order of how much it says. */
const ACTIONS = [
  ['object_attributes', 'action'],
  ['action'],
  ['object_attributes', 'status'],
  ['build_status'],
  ['status'],
] as const;

/**
 * Webhooks of projects and groups, and system hooks. A signing token vouches for id, time and body; a secret token is
 * sent as it is and vouches for the sender alone. https://docs.gitlab.com/user/project/integrations/webhooks
 */
export const webhook: Webhook = {
  /** Where there is a signature it has to be right: leaving it away must not be a way around it for what came signed. */
  verify(delivery, secrets) {
    if (delivery.headers['webhook-signature'] !== undefined) return verifyStandardWebhook(delivery, secrets);
    return isSecret(delivery.headers['x-gitlab-token'], secrets);
  },

  identify(delivery, body) {
    if (!isObject(body))
      throw new MalformedDelivery('The body is JSON, but not an object as all of GitLab’s are.');
    return { id: deliveryIdOf(delivery), type: typeOf(body) };
  },

  secretForm: 'standard_webhooks',

  instructions:
    'In the project or group open Settings → Webhooks → Add new webhook: paste the URL, paste the secret as Secret token ' +
    '(or as signing token, where your GitLab takes one), leave SSL verification on and choose the triggers.',
};

/**
 * `Idempotency-Key`, the same for every try; GitLab has it since 17.4, and calls it `webhook-id` where it signs it. Before
 * that only the bytes tell one delivery from another.
 */
function deliveryIdOf({ headers, body }: RawDelivery): string {
  const isSigned = headers['webhook-signature'] !== undefined;
  const id = isSigned ? headers['webhook-id'] : headers['idempotency-key'];
  if (id && id.length <= ID_LIMIT) return id;
  if (id) throw new MalformedDelivery('The delivery’s id is too long to be one of GitLab’s.');
  const event = headers['x-gitlab-event-uuid'] ?? '';
  return `sha256:${createHash('sha256').update(event).update(body).digest('hex')}`;
}

/** `merge_request.open`, `pipeline.success`, `push`, `user_add_to_group`. */
function typeOf(body: JsonObject): string {
  const kind = line(body, 'object_kind') ?? line(body, 'event_name');
  if (!kind) {
    throw new MalformedDelivery(
      'The body has neither "object_kind" nor "event_name". Remove the custom webhook template at GitLab: it changes what is sent.',
    );
  }
  const action = ACTIONS.map((path) => textAt(body, ...path)).find((found) => found !== undefined);
  return clip(action ? `${kind}.${line(action) ?? ''}` : kind);
}

const clip = (text: string): string => text.slice(0, ID_LIMIT).toWellFormed();
