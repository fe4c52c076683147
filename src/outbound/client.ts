import { Readable, finished } from 'node:stream';
import { Agent, type Dispatcher, errors, request } from 'undici';
import { currentCorrelation, traceHeaders } from '../core/trace.js';
import { EgressRefused, type EgressPolicy } from './egress.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** A good answer is not read to its end, but handed over as `HttpResponse.open`. */
  readonly stream?: { readonly maxBytes: number; readonly idleMs: number };
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
  /** Connect, send, wait and read together. */
  readonly deadlineMs: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of a good answer to a request with `stream`, in place of `text`. */
  readonly open?: OpenBody;
}

/** An answer that is still on its way. */
export interface OpenBody {
  /** Once, as fast as they are read. Throws {@link HttpError}. Who stops early ends the answer, connection and all. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Why it did not come to its end, `cancelled` when nobody wanted it to; undefined when it did. Never rejects. */
  readonly ended: Promise<HttpError | undefined>;
}

/** Why there was no usable answer. */
export type HttpErrorKind =
  'refused' | 'invalid' | 'unreachable' | 'timeout' | 'interrupted' | 'too_large' | 'cancelled';

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
  // No pipelining: a request behind a hanging one would wait for a stranger.
  const pool = {
    connect: { lookup: egress.lookup, timeout: connectTimeoutMs },
    pipelining: 1,
    connections: 32,
  };
  const agent = new Agent({ ...pool, maxResponseSize: maxResponseBytes });
  // What is handed over as it comes has a cap of its own, and its own connections: they are held for longer.
  const streams = new Agent(pool);

  return {
    async send({ method, url, headers, body, deadlineMs, stream, signal }) {
      const source = typeof body === 'object' ? watchSource(body) : undefined;
      const deadline = AbortSignal.timeout(deadlineMs);
      try {
        egress.checkUrl(url);
        const answer = await request(url, {
          method: method as 'GET',
          headers: { ...originOf(), ...headers },
          body: source?.readable ?? (body as string | undefined) ?? null,
          dispatcher: stream ? streams : agent,
          signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
          ...(stream && { bodyTimeout: stream.idleMs }),
        });
        const { statusCode: status } = answer;
        const told = { status, headers: flatten(answer.headers) };
        if (stream && status >= 200 && status <= 299)
          return { ...told, text: '', open: openBody(answer.body, stream.maxBytes, deadlineMs) };
        return {
          ...told,
          text: stream ? await readText(answer.body, maxResponseBytes) : await answer.body.text(),
        };
      } catch (error) {
        // A source of the caller's that fails is no failure of the line.
        if (source?.failed()) throw source.failed();
        throw toHttpError(error, deadlineMs);
      }
    },
    close: async () => void (await Promise.all([agent.destroy(), streams.destroy()])),
  };
}

/** What joins a request to what brought it about; who says it himself knows better. */
function originOf(): Record<string, string> {
  const correlationId = currentCorrelation();
  return { ...(correlationId !== undefined && { 'x-correlation-id': correlationId }), ...traceHeaders() };
}

/** A body that is read as it is sent, and what it threw, if it did. */
function watchSource(source: AsyncIterable<Uint8Array>) {
  let failed: Error | undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
      throw failed;
    }
  }
  return { readable: Readable.from(read(), { objectMode: false }), failed: () => failed };
}

type AnswerBody = Dispatcher.ResponseData['body'];

/** Backpressure is the stream's own: what nobody reads stays at the provider. */
function openBody(body: AnswerBody, maxBytes: number, deadlineMs: number): OpenBody {
  let cut: HttpError | undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    let size = 0;
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > maxBytes) throw (cut = tooLarge());
        yield chunk;
      }
    } catch (error) {
      throw cut ?? toHttpError(error, deadlineMs);
    }
  }
  const ended = new Promise<HttpError | undefined>((resolve) => {
    finished(body, (error) => resolve(cut ?? (error ? toEnd(error, deadlineMs) : undefined)));
  });
  return { bytes: read(), ended };
}

function toEnd(error: Error, deadlineMs: number): HttpError {
  return isLeft(error) ? givenUp(error) : toHttpError(error, deadlineMs);
}

/** Whoever was reading did not want more. */
function isLeft(error: Error): boolean {
  const left = error instanceof errors.RequestAbortedError || error.name === 'AbortError';
  return left || ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE');
}

async function readText(body: AnswerBody, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function tooLarge(cause?: Error): HttpError {
  return new HttpError('too_large', true, 'The answer is larger than this server reads.', { cause });
}

function givenUp(cause: Error): HttpError {
  return new HttpError('cancelled', true, 'The call was given up.', { cause });
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
  if (cause instanceof HttpError) return cause;
  if (cause instanceof errors.ResponseExceededMaxSizeError) return tooLarge(cause);
  if (cause instanceof errors.BodyTimeoutError) {
    return new HttpError('timeout', true, 'The answer began and then nothing more came of it.', { cause });
  }
  if (cause.name === 'AbortError') return givenUp(cause);
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
