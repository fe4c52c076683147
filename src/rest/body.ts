import { TributaryError } from '../core/errors.js';

export type Fields = Readonly<Record<string, unknown>>;

/** Throws MALFORMED_REQUEST. */
export function requireObject(body: unknown): Fields {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Fields;
  throw new TributaryError('MALFORMED_REQUEST', 'The body must be a JSON object, sent as application/json.');
}

/** The fields as the services name them. What is in them is the services' to judge. */
export function toCommand(body: unknown): Fields {
  return Object.fromEntries(
    Object.entries(requireObject(body)).map(([name, value]) => [toCamel(name), value]),
  );
}

export function toCamel(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function toSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
