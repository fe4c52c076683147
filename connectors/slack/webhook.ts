import { createHash } from 'node:crypto';
import {
  MalformedDelivery,
  type RawDelivery,
  type Webhook,
  at,
  isObject,
  line,
  textAt,
  verifyHmac,
} from '../../src/connector/index.js';

/** https://docs.slack.dev/authentication/verifying-requests-from-slack; taken both ways, as a clock may be ahead. */
const TOLERANCE_SECONDS = 5 * 60;
const ID_LIMIT = 200;

/**
 * Events API, interactivity and slash commands, all at one address: an app has one Request URL for each, and they may be
 * the same. https://docs.slack.dev/apis/events-api
 */
export const webhook: Webhook = {
  issuesSecret: true,
  // Slack takes any 2xx for an event. To interactivity and commands it shows what is answered, so nothing is.
  answer: { status: 200 },

  verify(delivery, secrets) {
    const { headers, body } = delivery;
    if (!isFresh(delivery)) return false;
    return verifyHmac({
      algorithm: 'sha256',
      secrets,
      signed: [`v0:${headers['x-slack-request-timestamp']}:`, body],
      given: headers['x-slack-signature'],
      encoding: 'hex',
      prefix: 'v0=',
    });
  },

  decode({ headers, body }) {
    const [type = ''] = (headers['content-type'] ?? 'application/json').split(';');
    const text = decodeUtf8(body);
    switch (type.trim().toLowerCase()) {
      case 'application/json':
        return parse(text);
      case 'application/x-www-form-urlencoded':
        return decodeForm(new URLSearchParams(text));
      default:
        throw new MalformedDelivery(`Slack sends JSON and forms, not "${type.slice(0, 100)}".`);
    }
  },

  identify(delivery, body) {
    if (!isObject(body)) throw new MalformedDelivery('The body is not an object, as all of Slack’s are.');
    return { id: idOf(delivery, body), type: typeOf(body) };
  },

  handshake: {
    /** https://docs.slack.dev/reference/events/url_verification */
    signed(_delivery, body) {
      const challenge = textAt(body, 'challenge');
      return textAt(body, 'type') === 'url_verification' && challenge ? { text: challenge } : undefined;
    },
  },

  /**
   * Whom an event may be shown to is its first authorization; where a channel is shared it came from elsewhere. A whole
   * organisation's has no team. Interactivity and commands tell the team they were used in. What a person has authorised is
   * nobody's: it may be more than the app's bots, by which connections are known, may see.
   */
  accountOf(_delivery, body) {
    if (at(body, 'authorizations', 0, 'is_bot') === false) return undefined;
    const places = [at(body, 'authorizations', 0), body].map(placeOf);
    return places.find((place) => place !== undefined);
  },

  instructions:
    'At https://api.slack.com/apps open your app, copy its Signing Secret from Basic Information and give it to rotate as ' +
    'webhookSecret, with what: WEBHOOK_SECRET. Only then enter the URL as Request URL of Event Subscriptions (and of ' +
    'Interactivity, if you want it): Slack checks it at once. README.md lists the events.',
};

/** The timestamp is a part of what is signed: nobody can make an old delivery young. */
function isFresh({ headers, receivedAt }: RawDelivery): boolean {
  const timestamp = headers['x-slack-request-timestamp'] ?? '';
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  const now = Math.floor(receivedAt.getTime() / 1000);
  return Math.abs(now - Number(timestamp)) <= TOLERANCE_SECONDS;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new MalformedDelivery('The body is not UTF-8.', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedDelivery('The body is not JSON.', { cause });
  }
}

/** Interactivity has its JSON in one field; a slash command is its fields. */
function decodeForm(form: URLSearchParams): unknown {
  const payload = form.get('payload');
  if (payload !== null) return parse(payload);
  return { type: 'slash_command', ...Object.fromEntries(form) };
}

/** Tries of one event have one id. What else Slack sends it sends once, and without a name. */
function idOf({ body }: RawDelivery, parsed: unknown): string {
  const id = textAt(parsed, 'event_id');
  if (id && id.length > ID_LIMIT)
    throw new MalformedDelivery('The event’s id is too long to be one of Slack’s.');
  return id ?? `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

/** `message`, `message.message_changed`, `reaction_added`, `block_actions`, `slash_command`. */
function typeOf(body: unknown): string {
  const type = line(body, 'event', 'type') ?? line(body, 'type') ?? 'unnamed';
  const subtype = line(body, 'event', 'subtype');
  return clip(subtype ? `${type}.${subtype}` : type);
}

const clip = (text: string): string => text.slice(0, ID_LIMIT).toWellFormed();

/** `team_id` and `enterprise_id` in events and commands, `team.id` and `enterprise.id` in interactivity. */
function placeOf(value: unknown): string | undefined {
  const [team, organisation] = ['team', 'enterprise'].map(
    (kind) => textAt(value, `${kind}_id`) ?? textAt(value, kind, 'id'),
  );
  // Forms write it as text.
  const isOrganisations = String(at(value, 'is_enterprise_install')) === 'true';
  return isOrganisations ? organisation : (team ?? organisation);
}
