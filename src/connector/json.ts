/** Any value JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object whose fields nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON Schema (draft 2020-12) as data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** True for plain JSON objects: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a nested field of an unchecked body: `at(body, 'pull_request', 'head', 'ref')`.
 * Answers undefined wherever the path breaks off, because real deliveries are often thinner than documented.
 */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    if (!Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

/** The field as text: strings as they are, numbers in decimal; anything else, and the empty string, is undefined. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  if (typeof found === 'string') return found === '' ? undefined : found;
  return typeof found === 'number' ? String(found) : undefined;
}

/** The field as a list; anything else is the empty list. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/**
 * The field as a moment in time. Takes RFC 3339 text and, since providers mix them within one API, epoch seconds.
 * Anything unreadable is undefined, and so is what lies outside the years 1 to 9999: neither RFC 3339 nor the database
 * can write it. Milliseconds taken for seconds lie there.
 */
export function timeAt(value: unknown, ...path: readonly (string | number)[]): Date | undefined {
  const found = at(value, ...path);
  if (typeof found !== 'string' && typeof found !== 'number') return undefined;
  const time = new Date(typeof found === 'number' ? found * 1000 : found);
  return time.getTime() >= YEAR_1 && time.getTime() < YEAR_10000 ? time : undefined;
}

const YEAR_1 = Date.parse('0001-01-01T00:00:00Z');
const YEAR_10000 = Date.parse('+010000-01-01T00:00:00Z');

/** T with every field that may be undefined made optional instead. */
export type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** A copy without undefined fields, so that absent and undefined can't be told apart in stored JSON. */
export function compact<T extends object>(fields: T): Compact<T> {
  // A loop, as every part of every signal comes by here: it takes a third of the time that entries take.
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name as keyof T];
    // To assign the one name that is no field would give the copy another prototype.
    if (value !== undefined && name !== '__proto__') copy[name] = value;
  }
  return copy as Compact<T>;
}
