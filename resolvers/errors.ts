import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { TributaryError } from '../src/core/errors.js';
import type { Log } from '../src/core/log.js';
import type { Metrics } from '../src/core/metrics.js';
import { toCallersError } from '../src/core/postgres.js';
import { isLikeName } from '../src/core/schema.js';

/** What is known of a request beyond its error. */
export interface ErrorContext {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly correlationId: string;
  /** In prod nobody is told of names that are near to a wrong one. */
  readonly hidesNames: boolean;
}

/** Errors that GraphQL itself finds in a document or its variables; their messages speak of the caller's own text. */
const CALLERS_OWN = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** An error as a caller sees it: coded, with what to do, and without anything of our insides. Logs what is a bug of ours. */
export function toFormattedError(
  formatted: GraphQLFormattedError,
  error: unknown,
  context: ErrorContext,
): GraphQLFormattedError {
  const told = toTold(formatted, error, context);
  context.metrics.errors.inc({ api: 'graphql', code: String(told.extensions?.['code']) });
  return told;
}

function toTold(
  formatted: GraphQLFormattedError,
  error: unknown,
  context: ErrorContext,
): GraphQLFormattedError {
  const cause = originalOf(error);
  const place = {
    ...(formatted.locations && { locations: formatted.locations }),
    ...(formatted.path && { path: formatted.path }),
  };
  const typed = cause instanceof TributaryError ? cause : toCallersError(cause);
  if (typed)
    return { message: typed.message, ...place, extensions: { code: typed.code, details: typed.details } };
  const code = codeOf(formatted, error);
  if (cause instanceof GraphQLError && CALLERS_OWN.has(code)) {
    const message = withoutQuotes(withoutNames(withoutValues(formatted.message, cause.message), context));
    return { message, ...place, extensions: { code } };
  }
  const { correlationId, log } = context;
  log.error({ err: cause, correlationId, path: formatted.path }, 'bug');
  const details = { correlation_id: correlationId };
  return {
    message: 'This is a bug of ours; it has been logged.',
    ...place,
    extensions: { code: 'INTERNAL', details },
  };
}

/** Over WebSocket nobody gives the errors of variables their code: they name the variable's definition. */
function codeOf({ extensions }: GraphQLFormattedError, error: unknown): string {
  const code = extensions?.['code'];
  if (typeof code === 'string') return code;
  const isOfVariable = error instanceof GraphQLError && error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;
  return isOfVariable ? 'BAD_USER_INPUT' : 'GRAPHQL_VALIDATION_FAILED';
}

function originalOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? originalOf(error.originalError) : error;
}

/** GraphQL quotes what it can't coerce. A credential in the wrong place must not come back, nor end up in a gateway's log. */
function withoutValues(message: string, reason: string): string {
  const variable = /^(Variable "\$\w+") got invalid value /.exec(message)?.[1];
  if (variable === undefined) return message;
  const place = / at "([\w.]+)"$/.exec(message.slice(0, -`; ${reason}`.length))?.[1];
  const told = reason.replace(/(cannot represent [^:]*|Expected [^:]*): .*$/s, '$1.');
  return `${variable} is not valid${place === undefined ? '' : ` at ${place}`}: ${told}`;
}

/** What it quotes of the document is shown where it reads like names: `IntegrationConnection!`, `input.credential`. */
function withoutQuotes(message: string): string {
  return message.replaceAll(/"([^"]*)"/g, (quoted, text: string) =>
    text.split(/[.$![\]@():]/).every((part) => part === '' || isLikeName(part)) ? quoted : '"…"',
  );
}

function withoutNames(message: string, { hidesNames }: ErrorContext): string {
  return hidesNames ? message.replace(/ ?Did you mean .*\?$/s, '') : message;
}
