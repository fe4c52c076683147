export interface TelemetryOptions {
  /** Base URL of an OTLP/HTTP receiver; spans go to `<endpoint>/v1/traces`, as JSON. Undefined: no traces. */
  readonly endpoint: string | undefined;
  readonly serviceName: string;
  /** Which part of the traces that begin here is recorded, 0 to 1. Who calls us with a trace has decided for it. */
  readonly ratio: number;
  /** What this process is: api, worker or all. */
  readonly role: string;
}

/**
 * Exports traces from here on, until the function it answers has sent what is left. The libraries behind it are loaded
 * only when there is somewhere to send to: without an endpoint nothing is registered and nothing costs.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<() => Promise<void>> {
  const { endpoint } = options;
  if (endpoint === undefined) return () => Promise.resolve();
  const api = await import('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const provider = await createProvider(endpoint, options);
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  return async () => {
    for (const part of [api.trace, api.propagation, api.context]) part.disable();
    await provider.shutdown();
  };
}

async function createProvider(endpoint: string, { serviceName, role, ratio }: TelemetryOptions) {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } =
    await import('@opentelemetry/resources');
  const { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } =
    await import('@opentelemetry/sdk-trace');
  const own = resourceFromAttributes({ 'service.name': serviceName, 'tributary.role': role });
  // OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are read by the libraries themselves.
  const given = detectResources({ detectors: [envDetector] });
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
  return new TracerProvider({
    resource: defaultResource().merge(given).merge(own),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: EXPORT_MS })],
  });
}

/** Soon enough to look at what just happened, and seldom enough to send many spans at once. */
const EXPORT_MS = 1_000;
