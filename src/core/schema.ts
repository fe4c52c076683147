import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import type { JsonSchema } from '../connector/index.js';
import { TributaryError } from './errors.js';

/** Compiled once per schema object: most are written down in the sources and live as long as the process. */
const known = new WeakMap<JsonSchema, ValidateFunction>();
/** By what they say: a schema that is put together for one call, of a connection’s settings, is another object each time. */
const made = new LRUCache<string, ValidateFunction>({
  max: 100,
  maxSize: 1024 * 1024, // UTF-16 units of schema; what is compiled of one takes some seven times its bytes.
  sizeCalculation: (_, text) => text.length,
});

function validatorOf(schema: JsonSchema): ValidateFunction {
  const found = known.get(schema);
  if (found) return found;
  const text = JSON.stringify(schema);
  const validate = made.get(text) ?? compile(schema);
  made.set(text, validate);
  known.set(schema, validate);
  return validate;
}

/**
 * An ajv of its own for each: one keeps the values of all it ever compiled, whatever is removed from it. Its
 * meta-schema is left out, as it would take longer than most schemas; strict mode refuses words that do not exist.
 * A long enum is searched at run time, since code that compares one by one takes ten times as long to compile.
 */
function compile(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    meta: false,
    validateSchema: false,
    loopEnum: 10,
  });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** Checks data against a JSON Schema. Throws INVALID_INPUT naming every wrong field as `prefix.field`. Never quotes a value: it may be a secret. */
export function requireValid(schema: JsonSchema, value: unknown, prefix: string): void {
  const validate = validatorOf(schema);
  if (validate(value)) return;
  const problems = (validate.errors ?? []).map((error) => ({
    field: fieldOf(error, prefix),
    problem: problemOf(error),
  }));
  throw invalid(problems);
}

/** Checks and parses a command against its zod schema. Throws INVALID_INPUT naming every wrong field. */
export function requireInput<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(problemsOf));
}

function problemsOf({ path, message, ...issue }: z.core.$ZodIssue): { field: string; problem: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: path.join('.'), problem: message }];
  return issue.keys.map((key) => ({ field: [...path, shown(key)].join('.'), problem: 'is not known' }));
}

/** INVALID_INPUT that names every one of these fields. */
export function invalid(problems: readonly { field: string; problem: string }[]): TributaryError {
  const summary = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new TributaryError('INVALID_INPUT', summary, { problems });
}

function fieldOf({ instancePath, params, keyword }: ErrorObject, prefix: string): string {
  const path = instancePath.split('/').slice(1);
  if (keyword === 'required') path.push(String(params['missingProperty']));
  if (keyword === 'additionalProperties') path.push(shown(String(params['additionalProperty'])));
  return [prefix, ...path].join('.');
}

function shown(key: string): string {
  return isLikeName(key) ? key : '…';
}

/** What is too long for a name, or holds more digits than one, may be a value in the wrong place, even a secret. */
export function isLikeName(text: string): boolean {
  return /^\w{1,32}$/.test(text) && (text.match(/\d/g) ?? []).length <= 2;
}

function problemOf({ keyword, message = 'is not valid', params }: ErrorObject): string {
  if (keyword === 'required') return 'is missing';
  if (keyword === 'additionalProperties') return 'is not known';
  if (keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  return message;
}
