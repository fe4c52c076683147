import { isObject } from '../connector/index.js';

/** NUL and unpaired surrogates are legal in JSON and refused by PostgreSQL; providers' texts do contain them. */
const UNSTORABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** JSON text that jsonb takes: characters it refuses are replaced by U+FFFD. */
export function toStorableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return isUnstorable(text) ? JSON.stringify(value, replaceUnstorable) : text;
}

/** The value as it will be stored: itself where there is nothing to replace. */
export function storable<T>(value: T): T {
  const text = JSON.stringify(value) as string | undefined;
  return text !== undefined && isUnstorable(text) ? (JSON.parse(toStorableJson(value)) as T) : value;
}

/** Most texts have no escape at all, which is by far the quicker to be found. */
function isUnstorable(text: string): boolean {
  return text.includes('\\u') && UNSTORABLE.test(text);
}

function replaceUnstorable(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [storableText(key), field]));
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
