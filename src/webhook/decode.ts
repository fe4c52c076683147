import { MalformedDelivery, type RawDelivery } from '../connector/index.js';

/** The content type of a stored body that is not as it came, but what the connector had read of it, as JSON. */
export const DECODED = 'application/vnd.tributary.decoded+json';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const MAX_DEPTH = 64;

/** The body of a delivery as JSON. Throws {@link MalformedDelivery} for another content type, broken UTF-8 or broken JSON. */
export function decodeJson({ headers, body }: RawDelivery): unknown {
  const type = headers['content-type'] ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new MalformedDelivery(`The content type must be application/json, not "${type.slice(0, 100)}".`);
  }
  return parseJson(decodeUtf8(body));
}

function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw new MalformedDelivery('The body is not UTF-8.', { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedDelivery('The body is not JSON.', { cause: error });
  }
}

/**
 * A webhook's body must be an object, and not nested so deep that walking it could exhaust the stack of whoever
 * reads the signal. Throws {@link MalformedDelivery}.
 */
export function requireReasonable(body: unknown): void {
  if (typeof body !== 'object' || body === null)
    throw new MalformedDelivery('The body must be a JSON object.');
  if (isDeeper(body, MAX_DEPTH))
    throw new MalformedDelivery(`The body is nested deeper than ${MAX_DEPTH} levels.`);
}

function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((element) => holdsDeeper(element, levels - 1));
  for (const name in value) {
    if (holdsDeeper(value[name as keyof typeof value], levels - 1)) return true;
  }
  return false;
}

function holdsDeeper(field: unknown, levels: number): boolean {
  return typeof field === 'object' && field !== null && isDeeper(field, levels);
}
