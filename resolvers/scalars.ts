import { GraphQLError, GraphQLScalarType, GraphQLString, valueFromASTUntyped } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { isObject } from '../src/connector/index.js';

/** Deeper than any real settings or credential; below what recursive code downstream can bear. */
const MAX_DEPTH = 32;

const { parseLiteral: _quotesTheValue, ...moment } = GraphQLDateTimeISO.toConfig();
export const DateTime = new GraphQLScalarType({
  ...moment,
  parseValue: requireMoment,
  name: 'DateTime',
  description: 'A moment as RFC 3339 text in UTC with milliseconds: `2026-11-21T09:30:00.000Z`.',
});

export const Cursor = new GraphQLScalarType({
  ...GraphQLString.toConfig(),
  name: 'Cursor',
  description:
    'A position in a list or in the feed of signals. Opaque and URL-safe: take it as it is given, and give it back unchanged.',
});

export const URLScalar = new GraphQLScalarType<string, string>({
  name: 'URL',
  description: 'An absolute URL (RFC 3986).',
  // What is stored goes out as it is: one odd link of a provider must not take a whole answer down.
  serialize: String,
  parseValue: requireUrl,
});

export const JSONObject = new GraphQLScalarType<object, object>({
  name: 'JSONObject',
  description: `A JSON object, nested at most ${MAX_DEPTH} deep when it is sent.`,
  serialize: (value) => value as object,
  parseValue: requireObject,
  parseLiteral: (node, variables) => requireObject(valueFromASTUntyped(node, variables)),
});

/** Without the library's message: that quotes the value, and what stands in a wrong place may be a secret. */
function requireMoment(value: unknown): Date {
  const parsed = parseMoment(value);
  // With an offset a moment may lie in a year that has no four digits, of which neither RFC 3339 nor SQL can tell.
  const year = parsed?.getUTCFullYear() ?? 0;
  if (parsed && year >= 1 && year <= 9999) return parsed;
  throw new GraphQLError(
    'DateTime must be a moment as RFC 3339 text, such as 2026-11-21T09:30:00Z, of the years 1 to 9999.',
  );
}

function parseMoment(value: unknown): Date | undefined {
  try {
    return GraphQLDateTimeISO.parseValue(value);
  } catch {
    return undefined;
  }
}

function requireUrl(value: unknown): string {
  if (typeof value === 'string' && URL.canParse(value)) return value;
  throw new GraphQLError('URL must be an absolute URL.');
}

/** Never quotes the value: credentials come in as a JSONObject. */
function requireObject(value: unknown): object {
  if (!isObject(value)) throw new GraphQLError('JSONObject must be a JSON object.');
  if (!isWithin(value, MAX_DEPTH))
    throw new GraphQLError(`JSONObject must not be nested more than ${MAX_DEPTH} deep.`);
  return value;
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(inner, depth - 1));
}
