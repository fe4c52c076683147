import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A span as it was exported. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 INTERNAL, 2 SERVER, 3 CLIENT, 4 PRODUCER, 5 CONSUMER. */
  readonly kind: number;
  /** The role of the process that exported it. */
  readonly role: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is ERROR. */
  readonly status: number;
  readonly links: readonly string[];
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly ExportedSpan[];
  /** As they came: to look for what must not be in them. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}
type Attributes = readonly { readonly key: string; readonly value: Value }[];

/** The part of OTLP/JSON that is looked at here (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
interface TracesData {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes?: Attributes;
  readonly status?: { readonly code?: number };
  readonly links?: readonly { readonly traceId: string }[];
}

/** Takes OTLP over HTTP in JSON, as an OpenTelemetry collector does. Closed when the running test ends. */
export async function startCollector(): Promise<Collector> {
  const spans: ExportedSpan[] = [];
  const bodies: string[] = [];
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const isTraces = request.method === 'POST' && request.url === '/v1/traces';
    if (isTraces) {
      bodies.push(body);
      spans.push(...spansOf(JSON.parse(body) as TracesData));
    }
    response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
  }
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, bodies, close };
}

function spansOf({ resourceSpans }: TracesData): ExportedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const role = String(toObject(resource.attributes)['tributary.role']);
    return scopeSpans.flatMap(({ spans }) => spans).map((span) => toExported(span, role));
  });
}

function toExported(span: OtlpSpan, role: string): ExportedSpan {
  const { traceId, spanId, parentSpanId = '', name, kind, attributes = [], status, links = [] } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    role,
    attributes: toObject(attributes),
    status: status?.code ?? 0,
    links: links.map((link) => link.traceId),
  };
}

function toObject(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue,
    ]),
  );
}
