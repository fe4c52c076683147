import { createHash } from 'node:crypto';
import {
  MalformedDelivery,
  type RawDelivery,
  type Secret,
  type Webhook,
  isSecret,
  textAt,
  verifyHmac,
  verifyStandardWebhook,
} from '../../src/connector/index.js';
import type { Hmac, Naming, Scheme, Settings, Timestamp } from './settings.js';

const ID_LIMIT = 255;
const TOLERANCE_SECONDS = 300;
/** More parts than these are in no provider's header. */
const MAX_PARTS = 8;
const DEFAULT: Scheme = { scheme: 'standard_webhooks' };

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const webhook: Webhook = {
  secretForm: 'standard_webhooks',

  verify(delivery, secrets, settings) {
    const declared = (settings as Settings | undefined)?.webhook ?? DEFAULT;
    switch (declared.scheme) {
      case 'standard_webhooks':
        return verifyStandardWebhook(delivery, secrets);
      case 'hmac':
        return verifyDeclared(delivery, secrets, declared, (settings as Settings).event ?? {});
      case 'basic':
        return verifyBasic(delivery, secrets, declared.username);
      case 'bearer':
        return verifyBearer(delivery, secrets, declared.header);
      case 'none':
        // Whoever knows the URL is the sender: its token has 256 bits, and nothing else is asked for.
        return true;
      default:
        return declared satisfies never;
    }
  },

  /** Whatever it calls itself, it has to be JSON in UTF-8. */
  decode({ body }) {
    try {
      return JSON.parse(utf8.decode(body));
    } catch (cause) {
      throw new MalformedDelivery('The body is not JSON in UTF-8.', { cause });
    }
  },

  identify(delivery, body, settings) {
    const { event = {}, webhook: declared = DEFAULT } = (settings ?? {}) as Settings;
    return { id: idOf(delivery, body, event, declared), type: typeOf(delivery, body, event) };
  },

  instructions:
    'Give the URL to whoever sends, and the secret as settings.webhook says: as the key of a signature, as a password or ' +
    'as a bearer token. Where the sender has made a secret of its own, give it to rotate as webhookSecret.',
};

function verifyBasic({ headers }: RawDelivery, secrets: readonly Secret[], username = 'tributary'): boolean {
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(headers['authorization'] ?? '') ?? [];
  const [, given, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  // Both are looked at, whatever becomes of the first; and a name is no secret.
  const isRight = isSecret(password, secrets);
  return isRight && given === username;
}

function verifyBearer({ headers }: RawDelivery, secrets: readonly Secret[], header?: string): boolean {
  if (header) return isSecret(headers[header], secrets);
  const [, token] = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '') ?? [];
  return isSecret(token, secrets);
}

function verifyDeclared(
  delivery: RawDelivery,
  secrets: readonly Secret[],
  declared: Hmac,
  event: Naming,
): boolean {
  const { header, algorithm = 'sha256', encoding = 'hex', prefix, separator } = declared;
  const signed = signedParts(delivery, declared, event);
  if (!signed) return false;
  const fitting = partsOf(delivery, header, separator).filter((given) =>
    verifyHmac({
      algorithm,
      secrets,
      signed,
      given,
      encoding,
      ...(prefix !== undefined && { prefix }),
      ...keyOf(declared),
    }),
  );
  return fitting.length > 0;
}

function keyOf({ secretEncoding = 'text' }: Hmac) {
  if (secretEncoding === 'text') return {};
  const decode = (secret: Secret): Buffer | undefined => {
    const text = secret.reveal().replace(/^whsec_/, '');
    const key = Buffer.from(text, secretEncoding);
    return key.length > 0 && key.toString(secretEncoding) === text ? key : undefined;
  };
  return { keyOf: decode };
}

/** What was signed, in its parts; undefined where one of them is missing, or the time is not of now. */
function signedParts(
  delivery: RawDelivery,
  { signed = '{body}', timestamp, separator }: Hmac,
  { idHeader }: Naming,
): readonly (Buffer | string)[] | undefined {
  const time = timestamp && timeOf(delivery, timestamp, separator);
  if (timestamp && (time === undefined || !isFresh(delivery, timestamp, time))) return undefined;
  const values: Readonly<Record<string, Buffer | string | undefined>> = {
    '{body}': delivery.body,
    '{timestamp}': time,
    '{id}': idHeader && delivery.headers[idHeader],
  };
  const parts = signed
    .split(/(\{(?:body|timestamp|id)\})/)
    .map((part) => (Object.hasOwn(values, part) ? values[part] : part));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function timeOf(delivery: RawDelivery, { header, prefix = '' }: Timestamp, separator?: string) {
  const parts = prefix === '' ? [delivery.headers[header]] : partsOf(delivery, header, separator);
  return parts.find((part) => part?.startsWith(prefix))?.slice(prefix.length);
}

function isFresh(
  { receivedAt }: RawDelivery,
  { unit = 'seconds', toleranceSeconds = TOLERANCE_SECONDS }: Timestamp,
  time: string,
): boolean {
  if (!/^\d{1,15}$/.test(time)) return false;
  const milliseconds = Number(time) * (unit === 'seconds' ? 1000 : 1);
  return Math.abs(receivedAt.getTime() - milliseconds) <= toleranceSeconds * 1000;
}

function partsOf({ headers }: RawDelivery, header: string, separator?: string): readonly string[] {
  const value = headers[header];
  if (value === undefined) return [];
  const parts = separator === undefined ? [value] : value.split(separator);
  return parts.slice(0, MAX_PARTS).map((part) => part.trim());
}

/** As the settings say; else as Standard Webhooks do; else by the bytes, of which the same twice are one event. */
function idOf(
  delivery: RawDelivery,
  body: unknown,
  { idHeader, idField }: Naming,
  { scheme }: Scheme,
): string {
  const header = idHeader ?? (idField || scheme !== 'standard_webhooks' ? undefined : 'webhook-id');
  if (header) return requireShort(delivery.headers[header], `The header ${header}`);
  if (idField) return requireShort(textAt(body, ...idField.split('.')), `The field ${idField}`);
  return `sha256:${createHash('sha256').update(delivery.body).digest('hex')}`;
}

function requireShort(found: string | undefined, what: string): string {
  if (found && found.length <= ID_LIMIT) return found;
  throw new MalformedDelivery(
    `${what} is ${found ? 'too long' : 'missing'}, by which settings.event names deliveries.`,
  );
}

/** What no type is found for is just an event: it is the mapping that gives it a meaning. */
function typeOf({ headers }: RawDelivery, body: unknown, { typeHeader, typeField }: Naming): string {
  const found = typeHeader ? headers[typeHeader] : textAt(body, ...(typeField ?? 'type').split('.'));
  return (found ?? '').slice(0, ID_LIMIT).toWellFormed() || 'event';
}
