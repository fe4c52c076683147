import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '../core/metrics.js';
import { type OpenSpan, SpanKind, openSpan, withCorrelation } from '../core/trace.js';

/** Routes that are asked every few seconds by whoever watches us: a trace of each would bury the others. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * What holds for every request whatever its route: it gets its correlation id back, all that is done for it runs under
 * that id and, where traces are on, under a span that goes on from the caller's `traceparent`; and it is counted.
 */
export function addRequestContext(app: FastifyInstance, metrics: Metrics): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();

  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-correlation-id', request.id);
    const span = openRequestSpan(request);
    if (span) spans.set(request, span);
    // Fastify keeps this for what follows, also for the part behind a body that comes later.
    withCorrelation(request.id, span ? () => span.run(done) : done);
  });
  app.addHook('onResponse', (request, { statusCode: status, elapsedTime }, done) => {
    const labels = { method: request.method, route: routeOf(request) };
    metrics.requests.inc({ ...labels, status });
    metrics.requestSeconds.observe(labels, elapsedTime / 1_000);
    const attributes = { 'http.response.status_code': status, 'tributary.correlation_id': request.id };
    spans.get(request)?.end(attributes, status >= 500 ? String(status) : undefined);
    done();
  });
}

/** The template, never the path: that may hold a token, and there is no end to what people type. */
function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'unknown';
}

function openRequestSpan(request: FastifyRequest): OpenSpan | undefined {
  const { method, headers } = request;
  const route = routeOf(request);
  if (UNTRACED.has(route)) return undefined;
  const { traceparent, tracestate } = headers;
  return openSpan(`${method} ${route}`, {
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': method, 'http.route': route },
    parent: { traceparent: oneOf(traceparent), tracestate: oneOf(tracestate) },
  });
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
