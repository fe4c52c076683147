import type { Json, JsonObject } from './json.js';
import type { Method } from './manifest.js';

/**
 * Bytes to send, of any length. A function makes them anew for each try; what is there but once is never sent a second
 * time, whatever comes of the first.
 */
export type ByteSource = (() => AsyncIterable<Uint8Array>) | AsyncIterable<Uint8Array>;

/** How an answer is read that is not held in memory. */
export interface StreamOptions {
  /** More than this is cut off: the failure `too_large`. */
  readonly maxBytes: number;
  /** So many milliseconds without a byte end it: the failure `timeout`. Left out: 30 seconds. */
  readonly idleMs?: number;
}

/** A request to the provider, relative to its base URL. */
export interface ProviderRequest {
  readonly method: Method;
  /** A template such as `/repos/{owner}/{repo}/issues`; logs and metrics carry the template, never the filled path. */
  readonly path: string;
  /** Fill the template; each value is percent-encoded, so that it can't leave its segment. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** A list is sent as a parameter that comes several times. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: Json | JsonObject;
  /** Sent as they are, in place of `body`: of the type that `headers` name, else application/octet-stream. */
  readonly bytes?: ByteSource;
  /** The answer's body, when it is a success, is then as {@link bytesOf} reads it. */
  readonly stream?: StreamOptions;
  /** For all tries together, milliseconds, to the last byte of the answer. Left out: 10 seconds; at most 15 minutes. */
  readonly deadlineMs?: number;
  /** Gives the call up: the failure `cancelled`. */
  readonly signal?: AbortSignal;
  /**
   * Sending it twice has one effect, because the provider knows it by a key: it may be sent again when the answer is
   * lost or says to come back. Left out: GET may be repeated, everything else is sent once.
   */
  readonly isRepeatable?: boolean;
}

/**
 * A successful answer: 2xx, or 304 to a request with the header `if-none-match`. Everything else is thrown as a
 * ProviderFailure.
 */
export interface ProviderResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; text when the provider sent another type; undefined when there was no body; {@link bytesOf} a stream. */
  readonly body: unknown;
}

/**
 * The bytes of an answer that was asked for as a stream, once. They come as fast as they are read. Whoever stops reading
 * early ends the call; until its end it counts as under way. Throws ProviderFailure where the rest can't be had.
 */
export function bytesOf({ body }: ProviderResponse): AsyncIterable<Uint8Array> {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
    return body as AsyncIterable<Uint8Array>;
  throw new TypeError('this answer was not asked for as a stream');
}

/** All that a connector may use of the world: one signed way to its provider. */
export interface ProviderContext {
  readonly settings: JsonObject;
  /** Signs and sends. Throws ProviderFailure for every answer that is not 2xx, and when there is no answer. */
  request(request: ProviderRequest): Promise<ProviderResponse>;
}
