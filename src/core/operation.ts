import type { IncomingHttpHeaders } from 'node:http';
import { correlationIdOf } from './auth.js';
import { SpanKind, type TraceParent, openSpan, withCorrelation } from './trace.js';

/** Where the operations of a socket come from: as its connection_init says, or else the request that opened it. */
export interface Origin {
  readonly correlationId: string;
  readonly parent: TraceParent;
}

/** What a browser can't put into headers stands in connection_init under the headers' names, in lower case. */
export function originOf(
  params: Readonly<Record<string, unknown>> = {},
  headers: IncomingHttpHeaders,
): Origin {
  const find = (name: string): string | undefined => {
    const given = params[name] ?? headers[name];
    return typeof given === 'string' ? given : undefined;
  };
  return {
    correlationId: correlationIdOf({ 'x-correlation-id': find('x-correlation-id') }),
    parent: { traceparent: find('traceparent'), tracestate: find('tracestate') },
  };
}

/** One message that asks for something: what HTTP has of each request. */
export interface Operation {
  /** Whatever the work begins belongs to this operation: in the log by its correlation id, in a trace by its span. */
  run<T>(work: () => T): T;
  /** Answered, or for a subscription begun: it may last for days, and no span of it would be seen before its end. */
  end(): void;
}

export function beginOperation({ correlationId, parent }: Origin): Operation {
  const attributes = { 'http.route': '/graphql', 'tributary.correlation_id': correlationId };
  const span = openSpan('WS /graphql', { kind: SpanKind.SERVER, attributes, parent });
  return {
    run: (work) => withCorrelation(correlationId, span ? () => span.run(work) : work),
    end: () => span?.end(),
  };
}

/** The same, with what it waits for and does from now on belonging to the operation. */
export function within<T>(operation: Operation, events: AsyncIterable<T>): AsyncIterableIterator<T> {
  const source = events[Symbol.asyncIterator]();
  return {
    next: () => operation.run(() => source.next()),
    return: async () => (await source.return?.()) ?? { value: undefined, done: true },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
