import { Agent, errors, request } from 'undici';
import { EgressRefused, type EgressPolicy } from './egress.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Connect, send, wait and read together. */
  readonly deadlineMs: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Why there was no usable answer. */
export type HttpErrorKind = 'refused' | 'invalid' | 'unreachable' | 'timeout' | 'interrupted' | 'too_large';

/** No usable answer. `isSent` tells whether the request may have reached the server and taken effect. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: HttpErrorKind;
  readonly isSent: boolean;

  constructor(kind: HttpErrorKind, isSent: boolean, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.isSent = isSent;
  }
}

export interface HttpClient {
  /** One request, one answer of any status. Redirects are answers too: nothing is followed. Throws {@link HttpError}. */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface HttpClientOptions {
  readonly egress: EgressPolicy;
  /** Larger answers are cut off and count as `too_large`. */
  readonly maxResponseBytes?: number;
  readonly connectTimeoutMs?: number;
}

/** The one way out: keep-alive pools per origin under the egress policy, with deadlines and a cap on what is read. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { egress, maxResponseBytes = 10 * 1024 * 1024, connectTimeoutMs = 5_000 } = options;
  const agent = new Agent({
    connect: { lookup: egress.lookup, timeout: connectTimeoutMs },
    maxResponseSize: maxResponseBytes,
    // No pipelining: a request behind a hanging one would wait for a stranger.
    pipelining: 1,
    connections: 32,
  });

  return {
    async send({ method, url, headers, body, deadlineMs }) {
      try {
        egress.checkUrl(url);
        const answer = await request(url, {
          method: method as 'GET',
          headers,
          body: body ?? null,
          dispatcher: agent,
          signal: AbortSignal.timeout(deadlineMs),
        });
        const text = await answer.body.text();
        return { status: answer.statusCode, headers: flatten(answer.headers), text };
      } catch (error) {
        throw toHttpError(error, deadlineMs);
      }
    },
    close: () => agent.destroy(),
  };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** Failures to connect: the request has certainly not left. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The server’s certificate was not acceptable, so nothing was said to it. */
const UNTRUSTED = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function toHttpError(error: unknown, deadlineMs: number): HttpError {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (cause instanceof EgressRefused) return new HttpError('refused', false, cause.message, { cause });
  if (cause instanceof errors.ResponseExceededMaxSizeError) {
    return new HttpError('too_large', true, 'The answer is larger than this server reads.', { cause });
  }
  if (cause.name === 'TimeoutError') {
    return new HttpError('timeout', true, `No complete answer within ${deadlineMs} ms.`, { cause });
  }
  const code = 'code' in cause ? String(cause.code) : '';
  if (cause instanceof errors.InvalidArgumentError) {
    return new HttpError(
      'invalid',
      false,
      'The request can’t be sent: a header has characters that HTTP forbids.',
      {
        cause,
      },
    );
  }
  if (UNSENT.has(code) || UNTRUSTED.test(code))
    return new HttpError('unreachable', false, `The connection could not be made (${code}).`, { cause });
  return new HttpError(
    'interrupted',
    true,
    `The connection broke before the answer was complete (${code || cause.name}).`,
    { cause },
  );
}
