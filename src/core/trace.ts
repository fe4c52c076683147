import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  context,
  propagation,
  trace,
} from '@opentelemetry/api';

export { SpanKind };

/** Where a trace came from, as headers or a row carry it: W3C Trace Context (https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  readonly traceparent?: string | null | undefined;
  readonly tracestate?: string | null | undefined;
}

export interface SpanOptions {
  /** Left out: INTERNAL. */
  readonly kind?: SpanKind;
  /** Names of OpenTelemetry's semantic conventions, or `tributary.…`. Never a secret, never what people wrote. */
  readonly attributes?: Attributes;
  /** Left out, or without a valid traceparent: the span that is active. */
  readonly parent?: TraceParent;
}

/** A span that is under way. */
export interface OpenSpan {
  /** Whatever the work begins belongs to this span. */
  run<T>(work: () => T): T;
  /** Ends it; with an error (its code or name) as a failed one. */
  end(attributes?: Attributes, errorType?: string): void;
}

/** Undefined while traces are off: then nothing here costs more than this look. See src/core/telemetry.ts. */
function currentTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer('tributary') : undefined;
}

/** Whether spans are recorded: for what would cost something before it comes to a span. */
export function isTracing(): boolean {
  return currentTracer() !== undefined;
}

/** Undefined while traces are off. Whoever opens a span has to end it. */
export function openSpan(name: string, options: SpanOptions = {}): OpenSpan | undefined {
  const tracer = currentTracer();
  if (!tracer) return undefined;
  const { kind = SpanKind.INTERNAL, attributes = {}, parent } = options;
  const active = context.active();
  const from = parent?.traceparent ? extract(parent) : active;
  const span = tracer.startSpan(name, { kind, attributes, links: linksTo(active, from) }, from);
  const inside = trace.setSpan(from, span);
  return {
    run: (work) => context.with(inside, work),
    end(more = {}, errorType) {
      span.setAttributes(more);
      if (errorType !== undefined) {
        span.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

/** Does the work under a span. What it throws is thrown on; of the error the span tells no more than its kind. */
export async function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const span = openSpan(name, options);
  if (!span) return work();
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (error) {
    span.end({}, errorTypeOf(error));
    throw error;
  }
}

/** Says more of the active span, if there is one; with an error's code, that it failed. */
export function annotate(attributes: Attributes, errorType?: string): void {
  const span = trace.getActiveSpan();
  span?.setAttributes(attributes);
  if (errorType !== undefined) {
    span?.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
  }
}

/** What makes the next process part of the active trace: `traceparent`, and `tracestate` where there is one. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** The active trace and span: 32 and 16 hex digits. Undefined where there is none. */
export function traceIds(): { readonly traceId: string; readonly spanId: string } | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span && trace.isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : undefined;
}

/** A traceparent of what was stored as ids. Undefined where nothing was. */
export function toTraceParent(traceId?: string | null, spanId?: string | null): string | undefined {
  return traceId && spanId ? `00-${traceId}-${spanId}-01` : undefined;
}

const correlation = new AsyncLocalStorage<string>();

/** Everything that the work begins belongs to what this id stands for: log lines and requests to others carry it. */
export function withCorrelation<T>(id: string, work: () => T): T {
  return correlation.run(id, work);
}

/** The id of the request or run that is under way. Undefined outside of any. */
export function currentCorrelation(): string | undefined {
  return correlation.getStore();
}

/** Messages may quote what a log line or a trace must not hold; codes and names don't. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function extract(parent: TraceParent): Context {
  const { traceparent, tracestate } = parent;
  const extracted = propagation.extract(ROOT_CONTEXT, {
    ...(traceparent && { traceparent }),
    ...(tracestate && { tracestate }),
  });
  return trace.getSpanContext(extracted) ? extracted : context.active();
}

/** A span whose parent is elsewhere still says what brought it about here. */
function linksTo(active: Context, parent: Context): Link[] {
  const span = active === parent ? undefined : trace.getSpanContext(active);
  return span ? [{ context: span }] : [];
}
