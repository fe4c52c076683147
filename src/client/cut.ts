/** Why a connection to the feed ended. */
export interface Cut {
  /** Of GraphQL (`INVALID_CURSOR`), of the socket (`1006`), or `COMPLETE`, `SILENT`, `BEHIND`, `CLOSED`, `LOST`. */
  readonly code: string;
  /** In words. */
  readonly reason: string;
  /** Of a GraphQL error: its `extensions.details`. */
  readonly details?: unknown;
}

/** The server said no, and would say it again. */
export class FeedRefused extends Error {
  /** As in the server's `extensions.code`. */
  readonly code: string;
  /** As in the server's `extensions.details`. */
  readonly details: unknown;
  /** Of CURSOR_EXPIRED: the oldest cursor that can still be followed. What came before it is lost. */
  readonly oldestCursor: string | undefined;

  constructor({ code, reason, details }: Cut) {
    super(`${code}: ${reason}`);
    this.name = 'FeedRefused';
    this.code = code;
    this.details = details;
    this.oldestCursor = code === 'CURSOR_EXPIRED' ? oldestIn(details) : undefined;
  }
}

function oldestIn(details: unknown): string | undefined {
  const oldest = (details as { oldest_cursor?: unknown } | undefined)?.oldest_cursor;
  return typeof oldest === 'string' ? oldest : undefined;
}

/** What the same subscription would be told again, however often it came. Everything else may pass. */
const FINAL = new Set([
  'INVALID_CURSOR',
  'CURSOR_EXPIRED',
  'INVALID_INPUT',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
]);

export function isFinal({ code }: Cut): boolean {
  return FINAL.has(code);
}

interface ErrorLike {
  readonly message?: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Of the errors the server answered with. */
export function cutByErrors(errors: readonly ErrorLike[]): Cut {
  const { message = 'an error without a message', extensions } = errors[0] ?? {};
  const code = extensions?.['code'];
  return {
    code: typeof code === 'string' ? code : 'UNKNOWN',
    reason: message,
    ...(extensions?.['details'] !== undefined && { details: extensions['details'] }),
  };
}

/** Of what the socket threw: GraphQL errors, a close event, an error event or an error. */
export function cutByThrown(thrown: unknown): Cut {
  if (Array.isArray(thrown)) return cutByErrors(thrown as ErrorLike[]);
  const { code, reason, message } = (thrown ?? {}) as { code?: unknown; reason?: string; message?: string };
  if (typeof code === 'number') return { code: String(code), reason: reason || 'the connection was closed' };
  return { code: 'LOST', reason: message || 'no connection' };
}
