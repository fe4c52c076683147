import { type JsonObject, isObject } from '../connector/index.js';

/** What stands in the place of what was taken out. */
export const REDACTED = '[redacted]';

/**
 * The value without what the paths lead to; `*` leads through every element of a list or field of an object. Itself
 * where there is nothing to take out, else a copy of as much as lies on the way. Null counts as nothing.
 */
export function redact(value: unknown, paths: readonly (readonly string[])[] = []): unknown {
  return paths.reduce(redactPath, value);
}

function redactPath(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value === null || value === undefined ? value : REDACTED;
  if (Array.isArray(value)) return redactList(value, key, rest);
  if (!isObject(value)) return value;
  if (key !== '*') return redactField(value, key, rest);
  const changed = Object.keys(value)
    .map((name) => [name, redactPath(value[name], rest)] as const)
    .filter(([name, field]) => field !== value[name]);
  return changed.length > 0 ? { ...value, ...Object.fromEntries(changed) } : value;
}

function redactField(value: JsonObject, name: string, rest: readonly string[]): JsonObject {
  if (!Object.hasOwn(value, name)) return value;
  const field = redactPath(value[name], rest);
  return field === value[name] ? value : { ...value, [name]: field };
}

function redactList(list: readonly unknown[], key: string, rest: readonly string[]): unknown {
  if (key !== '*') return list;
  const copy = list.map((element) => redactPath(element, rest));
  return copy.some((element, index) => element !== list[index]) ? copy : list;
}
