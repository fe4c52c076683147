import {
  MalformedDelivery,
  type RawDelivery,
  type Webhook,
  isObject,
  textAt,
  verifyHmac,
} from '../../src/connector/index.js';
import { registration } from './registration.js';

const JSON_TYPE = 'application/json';
/** What GitHub takes when nobody chooses: the same JSON, as the form field `payload`. The signature is over the form. */
const FORM_TYPE = 'application/x-www-form-urlencoded';
const FORM_FIELD = 'payload=';
const ID_LIMIT = 255;

/**
 * Repository and organization webhooks. GitHub signs no time, so a recorded delivery never grows stale: the delivery's
 * id is the only replay guard. https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export const webhook: Webhook = {
  verify: ({ headers, body }, secrets) =>
    verifyHmac({
      algorithm: 'sha256',
      secrets,
      signed: body,
      // `x-hub-signature` is SHA-1, kept by GitHub for old receivers. It is not looked at.
      given: headers['x-hub-signature-256'],
      encoding: 'hex',
      prefix: 'sha256=',
    }),

  decode(delivery) {
    const body = parse(jsonOf(delivery));
    if (!isObject(body))
      throw new MalformedDelivery('The body is JSON, but not an object as all of GitHub’s are.');
    return body;
  },

  identify(delivery, body) {
    const id = requireHeader(delivery, 'X-GitHub-Delivery');
    const event = requireHeader(delivery, 'X-GitHub-Event');
    const action = textAt(body, 'action');
    return { id, type: action ? `${event}.${action}` : event };
  },

  /** Of an App: whose repositories it is about. Users and organizations have ids of one kind. */
  accountOf: (_delivery, body) =>
    textAt(body, 'installation', 'account', 'id') ??
    textAt(body, 'organization', 'id') ??
    textAt(body, 'repository', 'owner', 'id'),

  instructions:
    'In the repository or organization open Settings → Webhooks → Add webhook: paste URL and secret, choose the ' +
    'content type application/json, leave SSL verification on and select the events you want to see here.',

  registration,
};

function jsonOf({ headers, body }: RawDelivery): string {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === JSON_TYPE) return textOf(body);
  if (type === FORM_TYPE) return payloadOf(textOf(body));
  throw new MalformedDelivery(
    `The content type is ${type ? `"${type.slice(0, 100)}"` : 'missing'}. In the webhook’s settings at GitHub choose "${JSON_TYPE}".`,
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new MalformedDelivery(
      'The body is not UTF-8. GitHub always sends UTF-8: something on the way changed it.',
      {
        cause,
      },
    );
  }
}

/** Not URLSearchParams: it turns broken UTF-8 into question marks without a word. */
function payloadOf(form: string): string {
  const field = form.split('&').find((part) => part.startsWith(FORM_FIELD));
  if (!field) {
    throw new MalformedDelivery(
      `The form has no field "payload". In the webhook’s settings at GitHub choose the content type "${JSON_TYPE}".`,
    );
  }
  try {
    return decodeURIComponent(field.slice(FORM_FIELD.length).replaceAll('+', ' '));
  } catch (cause) {
    throw new MalformedDelivery('The form field "payload" is not percent-encoded UTF-8.', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedDelivery(
      `The body is not JSON. In the webhook’s settings at GitHub choose the content type "${JSON_TYPE}".`,
      { cause },
    );
  }
}

function requireHeader({ headers }: RawDelivery, name: string): string {
  const value = headers[name.toLowerCase()];
  if (value && value.length <= ID_LIMIT) return value;
  throw new MalformedDelivery(
    `The header ${name} is ${value ? 'too long' : 'missing'}. GitHub sends it with every delivery: ` +
      'check that no proxy in between drops it.',
  );
}
