/**
 * Every error a caller can meet, in one table: GraphQL puts the code into `extensions.code`, REST into `error.code`
 * with the status given here, and docs/errors.md is generated from it.
 */
export const errorTable = {
  UNAUTHENTICATED: {
    status: 401,
    meaning: 'No token, or one that is malformed, expired or signed by an unknown key.',
    remedy:
      'Send `Authorization: Bearer <token>`; get a fresh token from your identity provider, or in development from `npm run token`.',
  },
  FORBIDDEN: {
    status: 403,
    meaning: 'The token lacks a scope. `details.required_scope` names it.',
    remedy: 'Ask for a token with that scope.',
  },
  NOT_FOUND: {
    status: 404,
    meaning: 'Nothing with this id in your tenant. Another tenant’s id gives the same answer.',
    remedy: 'Check the id, and that the token is for the right tenant.',
  },
  INVALID_INPUT: {
    status: 400,
    meaning: 'An argument is not acceptable. `details.problems` lists each field with what is wrong.',
    remedy: 'Mend the named fields and send the request again.',
  },
  INVALID_CURSOR: {
    status: 400,
    meaning: 'The cursor was not made by this API, or belongs to another list.',
    remedy: 'Use `pageInfo.endCursor` or `Signal.cursor` unchanged, or start without a cursor.',
  },
  CURSOR_EXPIRED: {
    status: 410,
    meaning:
      'Of what came right behind this cursor something was deleted, because its time was over. `details.oldest_cursor` is the oldest cursor behind which everything is still there.',
    remedy:
      'Go on from `details.oldest_cursor`, or without a cursor from now on. What was deleted can’t be read any more.',
  },
  MALFORMED_REQUEST: {
    status: 400,
    meaning:
      'The body can’t be read: not JSON, not UTF-8, wrong content type, nested too deep, or a required header is missing.',
    remedy: 'The message says which; for a webhook, mend its settings at the provider.',
  },
  INVALID_SIGNATURE: {
    status: 401,
    meaning: 'A webhook whose signature is missing, wrong or stale.',
    remedy:
      'Set the secret that `connect` or `rotate` returned at the provider; check that no proxy rewrites the body.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    meaning: 'The body is larger than the limit (for webhooks: WEBHOOK_MAX_BYTES).',
    remedy: 'Send less, or raise the limit.',
  },
  NAME_TAKEN: {
    status: 409,
    meaning: 'The tenant has a connection of this name for this provider already.',
    remedy: 'Choose another name, or use the connection that exists.',
  },
  QUOTA_EXCEEDED: {
    status: 409,
    meaning: 'The tenant has as many connections as its plan allows: `details.limit`, `details.used`.',
    remedy:
      'Disconnect one that is not needed, or ask the operator for another plan. `quota` tells how it stands.',
  },
  CONFLICT: {
    status: 409,
    meaning: 'Somebody else changed the same thing at the same time, and their change counts.',
    remedy: 'Look at how it is now, and repeat the request if you still want it.',
  },
  CONNECTION_NOT_READY: {
    status: 409,
    meaning: 'The connection’s status does not allow this. `details.status` tells it.',
    remedy: 'See `statusReason` of the connection: verify it, resume it or authorise it again.',
  },
  UNSUPPORTED: {
    status: 422,
    meaning: 'The provider’s connector can’t do this: unknown verb, auth method or capability.',
    remedy: 'See `provider { actions authMethods capabilities }` for what it can do.',
  },
  SETTINGS_REFUSED: {
    status: 422,
    meaning:
      'The provider does not work with the new settings, or could not be asked: `details.category` and `details.reason` say why. Nothing was changed.',
    remedy: 'Mend the settings by the message, or repeat the request later, not before `details.retry_at`.',
  },
  PROVIDER_SCOPE_MISSING: {
    status: 409,
    meaning: 'The connection’s credential was not granted what this action needs at the provider.',
    remedy: 'Grant one of the scopes named in the message at the provider, and verify the connection again.',
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    meaning: 'This idempotency key was used for a different request.',
    remedy: 'Use a new key for a new action; repeat a key only with exactly the same input.',
  },
  RATE_LIMITED: {
    status: 429,
    meaning: 'Too many requests.',
    remedy: 'Wait as long as `Retry-After` or `details.retry_after_seconds` says.',
  },
  STORAGE_UNAVAILABLE: {
    status: 503,
    meaning: 'PostgreSQL does not answer, or more is waiting to be stored than fits. Nothing was stored.',
    remedy: 'Repeat the request after `Retry-After`; nothing was done.',
  },
  KEYS_UNAVAILABLE: {
    status: 503,
    meaning:
      'The keys that sign tokens can’t be fetched from AUTH_JWKS_URL. Nothing is said about the token.',
    remedy: 'Repeat the request with the same token after `details.retry_after_seconds`; nothing was done.',
  },
  VAULT_UNAVAILABLE: {
    status: 503,
    meaning: 'The key provider does not unwrap the key that seals this tenant’s secrets. Nothing was done.',
    remedy:
      'Repeat the request after `details.retry_after_seconds`. When it lasts, the server’s log tells the operator why.',
  },
  SECRET_STORE_UNAVAILABLE: {
    status: 503,
    meaning: 'The secret store that a credential refers to gives no usable answer. Nothing was done.',
    remedy: 'Repeat the request after `details.retry_after_seconds`; when it lasts, look at the store.',
  },
  AUTHORIZATION_OVER: {
    status: 400,
    meaning:
      'The link or callback of an OAuth authorization is unknown, older than ten minutes, already used, or was begun in another browser.',
    remedy: 'Begin again by `authorize`, and open its link in the browser of the person who consents.',
  },
  CALLBACK_REFUSED: {
    status: 400,
    meaning:
      'A subscription by HTTP callback whose address is below none of SUBSCRIPTION_CALLBACK_URLS, or which the router at that address did not confirm.',
    remedy:
      'Name the router’s `public_url` in SUBSCRIPTION_CALLBACK_URLS, and see that this server reaches it. See docs/gateways.md.',
  },
  SHUTTING_DOWN: {
    status: 503,
    meaning: 'This process is stopping.',
    remedy: 'Repeat the request; another process takes it.',
  },
  INTERNAL: {
    status: 500,
    meaning: 'A bug of ours. It is logged under the correlation id in the answer.',
    remedy: 'Report the correlation id.',
  },
} as const satisfies Record<string, { status: number; meaning: string; remedy: string }>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  /** Which fields are wrong and why. */
  readonly problems?: readonly { readonly field: string; readonly problem: string }[];
  readonly required_scope?: string;
  readonly retry_after_seconds?: number;
  readonly status?: string;
  /** Of the provider's failure. */
  readonly category?: string;
  readonly reason?: string;
  /** RFC 3339. */
  readonly retry_at?: string;
  readonly correlation_id?: string;
  /** The oldest cursor of the same list that can still be used. */
  readonly oldest_cursor?: string;
  /** How many there may be, and how many there are. */
  readonly limit?: number;
  readonly used?: number;
}

/**
 * A mistake of the caller's, or a state of ours that the caller must know of: typed, safe to show, with what to do
 * next. Whatever is thrown and is not one of these is a bug: logged whole, shown as INTERNAL.
 */
export class TributaryError extends Error {
  override readonly name = 'TributaryError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return errorTable[this.code].status;
  }
}

/** What an operator has to mend before this can start: one message that names every variable or file that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The same answer for what never existed, what is gone and what is another tenant's. */
export function notFound(noun: string): TributaryError {
  return new TributaryError('NOT_FOUND', `There is no such ${noun} in your tenant.`);
}

/** One wrong field, as INVALID_INPUT. */
export function invalidInput(field: string, problem: string): TributaryError {
  return new TributaryError('INVALID_INPUT', `${field}: ${problem}`, { problems: [{ field, problem }] });
}
