import { type Json, type JsonObject, isObject } from '../../src/connector/index.js';

// Templates are filled, never evaluated: what a parameter holds is data, whatever it looks like.

const PLACE = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;
const WHOLE = /^\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$/;
const PATH_PLACE = /\{(\w+)\}/g;

/** The names that a template reads, wherever in it. */
export function namesIn(template: unknown): readonly string[] {
  if (typeof template === 'string') return Array.from(template.matchAll(PLACE), ([, name]) => name ?? '');
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(namesIn);
}

/** The names in a path: `/orders/{order}` → `['order']`. */
export function namesInPath(path: string): readonly string[] {
  return Array.from(path.matchAll(PATH_PLACE), ([, name]) => name ?? '');
}

/**
 * The template with its places filled. A text that is nothing but one place becomes the parameter as it is, whatever its
 * type; where there is none, its field is left out. Elsewhere parameters become a part of the text.
 */
export function fillTemplate(template: unknown, parameters: JsonObject): Json | undefined {
  if (typeof template === 'string') return fillText(template, parameters);
  if (Array.isArray(template)) {
    return template.map((one) => fillTemplate(one, parameters)).filter((one) => one !== undefined);
  }
  if (!isObject(template)) return template as Json;
  const filled = Object.entries(template).map(
    ([name, one]) => [name, fillTemplate(one, parameters)] as const,
  );
  return Object.fromEntries(filled.filter((field): field is [string, Json] => field[1] !== undefined));
}

function fillText(text: string, parameters: JsonObject): Json | undefined {
  const [, name] = WHOLE.exec(text) ?? [];
  if (name !== undefined) return own(parameters, name) as Json | undefined;
  return fillLine(text, parameters);
}

/** The same of a header or a query, which are text in any case. */
export function fillLine(text: string, parameters: JsonObject): string {
  return text.replaceAll(PLACE, (_, name: string) => asText(own(parameters, name)));
}

/** Not what every object inherits. */
function own(parameters: JsonObject, name: string): unknown {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | boolean}`;
}
