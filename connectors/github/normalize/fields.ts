import { type JsonObject, compact, line } from '../../../src/connector/index.js';

/** A user, bot or organization as `{ id, login }`. Undefined where GitHub tells neither: deleted accounts are null. */
export function person(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const id = line(value, ...path, 'id');
  const login = line(value, ...path, 'login');
  return id || login ? compact({ id, login }) : undefined;
}
