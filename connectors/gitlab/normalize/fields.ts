import { type JsonObject, at, compact, hashOf, isObject, line } from '../../../src/connector/index.js';

const CHANGE_LIMIT = 50;

/** A user as `{ id, login }`. Older versions leave out the id, jobs the login. */
export function person(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const id = line(value, ...path, 'id');
  const login = line(value, ...path, 'username') ?? line(value, ...path, 'name');
  return id || login ? compact({ id, login }) : undefined;
}

/** `group/project`. Jobs of older versions tell it as `project_name`. */
export function repositoryOf(body: unknown): string | undefined {
  return line(body, 'project', 'path_with_namespace') ?? line(body, 'project_name')?.replaceAll(' / ', '/');
}

/** The names of the fields an event changed; what stood there before stays in the stored delivery. */
export function changesOf(body: unknown): readonly string[] | undefined {
  const changes = at(body, 'changes');
  if (!isObject(changes)) return undefined;
  const names = Object.keys(changes).map((name) => line(name));
  return names.filter((name) => name !== undefined).slice(0, CHANGE_LIMIT);
}

/** `updated_at` counts whole seconds: what was changed keeps two changes within one second apart. */
export function digestOf(body: unknown): string {
  return hashOf(JSON.stringify(at(body, 'changes') ?? null)).slice(0, 16);
}
