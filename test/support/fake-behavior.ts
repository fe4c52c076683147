import type { ResetHeader } from '../../src/connector/index.js';
import type { Behavior, FakeAnswer } from './fake-provider.js';

/** Answers this instead of doing anything. */
export const answer =
  (reply: FakeAnswer): Behavior =>
  ({ send }) =>
    send(reply);

/** Takes the request and never answers it, until the caller gives up or the fake is closed. */
export const hang = (): Behavior => () => {};

/** Cuts the connection before anything was done. */
export const drop =
  (): Behavior =>
  ({ response }) =>
    void response.socket?.resetAndDestroy();

/** Does it, and cuts the connection before telling: the case that tempts callers to do it twice. */
export const loseAnswer =
  (): Behavior =>
  ({ perform, response }) => {
    perform();
    response.socket?.resetAndDestroy();
  };

/** Does it, and cuts the connection in the middle of telling. */
export const resetMidBody =
  (): Behavior =>
  ({ perform, response }) => {
    const text = JSON.stringify(perform().body ?? { some: 'body' });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    // Only once the first half has left may the socket go, else the caller would not see half an answer.
    response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
  };

/** Does it, and sends the answer a byte at a time, without end. */
export const drip =
  (everyMs = 5): Behavior =>
  ({ perform, response }) => {
    perform();
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), everyMs);
    response.on('close', () => clearInterval(timer));
  };

/** Does it, and answers with a body of this size or as much of it as the caller takes. */
export const flood =
  (bytes: number): Behavior =>
  ({ perform, response }) => {
    perform();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`"${'x'.repeat(bytes)}"`);
  };

/** Does it, and calls the answer something that it is not. */
export const mislabel =
  (contentType: string): Behavior =>
  ({ perform, send }) => {
    const { body, ...reply } = perform();
    send({ ...reply, headers: { ...reply.headers, 'content-type': contentType }, body });
  };

/** A refusal for coming too often, in the forms providers have for it. */
export interface Throttle {
  /** GitHub says 403 as often as 429, Linear 400. Default: 429. */
  readonly status?: number;
  /** Retry-After: seconds as a number, an HTTP date as a Date. */
  readonly retryAfter?: number | Date;
  readonly reset?: ResetHeader & { readonly at: Date };
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The answer of a provider that throttles; `now` is what seconds that are left count from. */
export function throttled(
  { status = 429, retryAfter, reset, headers, body }: Throttle,
  now: Date,
): FakeAnswer {
  const wait = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter?.toString();
  return {
    status,
    headers: {
      ...headers,
      ...(wait !== undefined && { 'retry-after': wait }),
      ...(reset && { [reset.header]: inUnit(reset, now) }),
    },
    body: body ?? { message: 'Too many requests' },
  };
}

function inUnit({ unit, at }: ResetHeader & { at: Date }, now: Date): string {
  switch (unit) {
    case 'seconds':
      return String((at.getTime() - now.getTime()) / 1000);
    case 'epoch_seconds':
      return String(at.getTime() / 1000);
    case 'epoch_milliseconds':
      return String(at.getTime());
    case 'milliseconds':
      return String(at.getTime() - now.getTime());
    case 'duration':
      return `${at.getTime() - now.getTime()}ms`;
    case 'rfc3339':
      return at.toISOString();
    case 'http_date':
      return at.toUTCString();
    default:
      return unit satisfies never;
  }
}
