import { type OAuth, type OAuthErrorCode, at } from '../../connector/index.js';
import { HttpError } from '../../outbound/client.js';
import { failureOfResponse } from '../../outbound/failure.js';

/**
 * What went wrong between us and an authorization server:
 * - `denied`: a person said no.
 * - `invalid_grant`: the code, refresh token or assertion is spent, expired or revoked, for good.
 * - `invalid_client`, `invalid_scope`, `invalid_request`: our side is set up wrongly; the token may still be good.
 * - `unreachable`: nothing was sent.
 * - `lost`: it was sent, and no readable answer came. With a refresh token that rotates, the pair may be gone.
 * - `server`: the server is in trouble, or wants us to wait; `retryAt` is its own word about when.
 */
export type OAuthFailureKind =
  | 'denied'
  | 'invalid_grant'
  | 'invalid_client'
  | 'invalid_scope'
  | 'invalid_request'
  | 'unreachable'
  | 'lost'
  | 'server';

interface Details {
  /** The provider's own code, or ours; stable, fit for a log. */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly retryAt?: Date | undefined;
  readonly cause?: HttpError;
}

/**
 * A failed OAuth request. The message is for the tenant's admin and says what to do. Neither it nor the cause ever
 * carries a code, a token or a secret: what the server writes about the error is left out, since some repeat them.
 */
export class OAuthFailure extends Error {
  override readonly name = 'OAuthFailure';
  readonly kind: OAuthFailureKind;
  readonly code: string | undefined;
  /** HTTP status of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** Not before this moment. */
  readonly retryAt: Date | undefined;

  constructor(kind: OAuthFailureKind, what: string, { code, status, retryAt, cause }: Details = {}) {
    super(`${what} ${remedies[kind]}`, cause && { cause });
    this.kind = kind;
    this.code = code;
    this.status = status;
    this.retryAt = retryAt;
  }
}

const remedies: Readonly<Record<OAuthFailureKind, string>> = {
  denied: 'Authorize again, and allow the access when the provider asks.',
  invalid_grant: 'Authorize the connection again.',
  invalid_client: 'Check the OAuth app’s client id and secret, here and at the provider.',
  invalid_scope: 'Ask only for scopes that the OAuth app may have at the provider.',
  invalid_request: 'Check the OAuth app’s redirect URI and settings at the provider, and start again.',
  unreachable: 'Nothing was sent; it is safe to try again.',
  lost: 'What it gave may be lost: unless the connection recovers by itself, authorize it again.',
  server: 'Try again later.',
};

const KINDS: Readonly<Record<OAuthErrorCode, OAuthFailureKind>> = {
  access_denied: 'denied',
  invalid_client: 'invalid_client',
  invalid_grant: 'invalid_grant',
  invalid_request: 'invalid_request',
  invalid_scope: 'invalid_scope',
  server_error: 'server',
  temporarily_unavailable: 'server',
  unauthorized_client: 'invalid_client',
  unsupported_grant_type: 'invalid_request',
  unsupported_response_type: 'invalid_request',
};

/** What was read of an answer. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The text as JSON; undefined when it is none. */
  readonly body: unknown;
}

/** An error that the server names, in the callback or in the body of its answer. */
export function failureOfCode(
  error: string,
  { errorCodes = {} }: OAuth,
  details: Details = {},
): OAuthFailure {
  const known = Object.hasOwn(errorCodes, error) ? errorCodes[error] : (error as OAuthErrorCode);
  const kind = known && Object.hasOwn(KINDS, known) ? KINDS[known] : 'invalid_request';
  // Codes are words. Whatever else stands there might be anything, even the token that was sent.
  const code = /^[a-z]+(?:[ _.-][a-z]+)*$/i.test(error) && error.length <= 64 ? error : 'unknown';
  return new OAuthFailure(kind, `The provider answered “${code}”.`, { ...details, code });
}

/**
 * An answer that brings no token. A 5xx may come from a proxy in front of a server that did the work. It still counts
 * as not done: if it was, the pair is gone either way, and asking again is how to find out.
 */
export function failureOfAnswer(answer: Answer, oauth: OAuth, now: Date): OAuthFailure {
  const { status, body } = answer;
  const { retryAt } = failureOfResponse(answer, { rules: [], resets: [] }, now).details;
  if (status === 429 || status >= 500) {
    return new OAuthFailure('server', `The provider answered ${status}.`, { status, retryAt });
  }
  const error = at(body, 'error');
  if (typeof error === 'string' && error !== '') return failureOfCode(error, oauth, { status, retryAt });
  if (status < 200 || status > 299) {
    return new OAuthFailure('server', `The provider answered ${status} without saying why.`, {
      status,
      retryAt,
    });
  }
  return new OAuthFailure('lost', 'The provider’s answer holds no token that can be read.', { status });
}

/** No answer at all. */
export function failureOfError(error: unknown): OAuthFailure {
  if (!(error instanceof HttpError)) throw error;
  return new OAuthFailure(error.isSent ? 'lost' : 'unreachable', error.message, {
    code: error.kind,
    cause: error,
  });
}
