import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { context, createContextKey } from '@opentelemetry/api';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ConnectDocument, VerifyDocument } from '../schema/generated/operations.js';
import { systemClock } from '../src/core/clock.js';
import { startTelemetry } from '../src/core/telemetry.js';
import {
  currentCorrelation,
  inSpan,
  isTracing,
  traceHeaders,
  traceIds,
  withCorrelation,
} from '../src/core/trace.js';
import { placeOf } from '../src/core/log.js';
import { type TestApp, useTestApp } from './support/app.js';
import { answer } from './support/fake-behavior.js';
import { exampleError, startFakeExample } from './support/fake-example.js';
import { type Collector, type ExportedSpan, startCollector } from './support/collector.js';
import { type Delivery, connectGitHub, githubDelivery } from './support/github.js';
import { keyed, postgresStore, useScheduler } from './support/scheduler.js';

interface Tracing extends Collector {
  /** Sends what is left; from then on traces are off. */
  stop(): Promise<void>;
  /** Once they were exported. */
  find(name: string): Promise<ExportedSpan>;
}

async function useTracing(ratio = 1): Promise<Tracing> {
  const collector = await startCollector();
  const stop = await startTelemetry({
    endpoint: collector.url,
    serviceName: 'tributary',
    ratio,
    role: 'all',
  });
  let stopping: Promise<void> | undefined;
  const stopOnce = () => (stopping ??= stop());
  onTestFinished(stopOnce);
  const find = (name: string) =>
    vi.waitUntil(() => collector.spans.find((span) => span.name === name), { timeout: 10_000 });
  return { ...collector, stop: stopOnce, find };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const WEBHOOK = 'POST /v1/integrations/webhooks/:providerId/:token';
const PING = { zen: 'Water in the morning.', hook_id: 1 };

async function ping(app: TestApp, headers: Record<string, string>): Promise<void> {
  const hook = await connectGitHub(await app.caller());
  const delivery = await githubDelivery('ping', PING, hook.secret);
  const { status } = await postLate(hook.url, { ...delivery, headers: { ...delivery.headers, ...headers } });
  expect(status).toBe(202);
}

/** The body leaves only when the server has read the headers, so that it comes by an event of its own. */
async function postLate(url: string, { headers, body }: Delivery): Promise<{ status: number | undefined }> {
  const asked = request(url, { method: 'POST', headers: { ...headers, expect: '100-continue' } });
  asked.flushHeaders();
  await once(asked, 'continue');
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode };
}

it('goes on from the caller’s trace, and what is done after the body was read still belongs to it', async () => {
  const tracing = await useTracing();
  const app = await useTestApp();
  await ping(app, { traceparent: `00-${TRACE}-${SPAN}-01`, 'x-correlation-id': 'theirs' });
  const served = await vi.waitUntil(
    () => tracing.spans.find(({ name, traceId }) => name === WEBHOOK && traceId === TRACE),
    { timeout: 10_000 },
  );
  expect(served).toMatchObject({
    parentSpanId: SPAN,
    kind: 2,
    attributes: { 'http.response.status_code': 202, 'tributary.correlation_id': 'theirs' },
  });
  const append = await tracing.find('journal append');
  expect(append).toMatchObject({ traceId: TRACE, parentSpanId: served.spanId });
  const stored = await app.database.query('select trace_id, span_id from signals');
  expect(stored).toEqual([{ trace_id: TRACE, span_id: served.spanId }]);
});

it('tells a provider the trace, under the span of the very request, and the id of what asked for it', async () => {
  const tracing = await useTracing();
  const { provider, token } = await startFakeExample(systemClock);
  onTestFinished(() => provider.close());
  const app = await useTestApp({ env: { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url } });
  const caller = await app.caller();
  const { connect } = await caller.get(ConnectDocument, {
    input: { providerId: 'example', name: 'main', authMethod: 'BEARER', credential: { token } },
  });
  provider.next((asked) => asked.method === 'GET', answer(exampleError(503)));
  await caller.get(VerifyDocument, { connectionId: connect.connection.id });
  await tracing.stop();

  const calls = tracing.spans.filter(({ kind }) => kind === 3);
  expect(calls.map(({ status }) => status)).toEqual([2, 0]);
  const told = provider.requests.map(({ headers }) => headers['traceparent']);
  expect(told).toEqual(calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
  // Both tries in one trace, under the request that asked.
  const [first, second] = calls;
  expect(first?.parentSpanId).toBe(second?.parentSpanId);
  const asking = tracing.spans.find(({ spanId }) => spanId === first?.parentSpanId);
  expect(asking).toMatchObject({ name: 'POST /graphql', kind: 2 });
  const ids = new Set(provider.requests.map(({ headers }) => headers['x-correlation-id']));
  expect([...ids]).toEqual([asking?.attributes['tributary.correlation_id']]);
});

it.each(['connection_init', 'upgrade'])(
  'does the same for each operation of a socket, whose %s says where it comes from',
  async (where) => {
    const tracing = await useTracing();
    const { provider, token } = await startFakeExample(systemClock);
    onTestFinished(() => provider.close());
    const app = await useTestApp({ env: { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url } });
    const caller = await app.caller();
    const { connect } = await caller.get(ConnectDocument, {
      input: { providerId: 'example', name: 'main', authMethod: 'BEARER', credential: { token } },
    });
    const origin = { traceparent: `00-${TRACE}-${SPAN}-01`, 'x-correlation-id': 'theirs' };
    const isInit = where === 'connection_init';
    class Opened extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: isInit ? {} : origin });
      }
    }
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Opened,
      connectionParams: { authorization: `Bearer ${caller.token}`, ...(isInit && origin) },
      retryAttempts: 0,
    });
    onTestFinished(() => void client.dispose());
    const variables = { connectionId: connect.connection.id };
    const { value } = await client.iterate({ query: print(VerifyDocument), variables }).next();
    expect(value).toMatchObject({ data: { verify: {} } });
    await client
      .iterate({ query: '{ nope }' })
      .next()
      .catch(() => {});
    const { signals } = app.app.services;
    const seen: unknown[] = [];
    const subscribe = signals.subscribe.bind(signals);
    vi.spyOn(signals, 'subscribe').mockImplementation(async (...given) => {
      const source = await subscribe(...given);
      seen.push(currentCorrelation());
      const next = source.next.bind(source);
      return Object.assign(source, {
        next() {
          seen.push(currentCorrelation());
          return next();
        },
      });
    });
    const stream = client.iterate({ query: 'subscription { signalReceived { id } }' });
    const told = stream.next();
    await vi.waitUntil(() => tracing.spans.filter(({ name }) => name === 'WS /graphql').length === 3, {
      timeout: 10_000,
    });
    await stream.return?.();
    await told;
    await tracing.stop();

    const operations = tracing.spans.filter(({ name }) => name === 'WS /graphql');
    for (const operation of operations)
      expect(operation).toMatchObject({
        traceId: TRACE,
        parentSpanId: SPAN,
        kind: 2,
        attributes: { 'http.route': '/graphql', 'tributary.correlation_id': 'theirs' },
      });
    const call = tracing.spans.find(({ kind, traceId }) => kind === 3 && traceId === TRACE);
    expect(operations.map(({ spanId }) => spanId)).toContain(call?.parentSpanId);
    expect(provider.requests.at(-1)?.headers['x-correlation-id']).toBe('theirs');
    expect(seen).toEqual(['theirs', 'theirs']);
  },
);

it('records nothing of a trace that its caller does not record, and passes that on', async () => {
  const tracing = await useTracing();
  const app = await useTestApp();
  await ping(app, { traceparent: `00-${TRACE}-${SPAN}-00` });
  await tracing.stop();
  expect(tracing.spans.map(({ name }) => name)).toContain('POST /graphql');
  expect(tracing.spans.filter(({ traceId }) => traceId === TRACE)).toEqual([]);
});

it('begins a trace of its own where the header is none, and records as many as it shall', async () => {
  const tracing = await useTracing(0);
  const app = await useTestApp();
  await ping(app, { traceparent: '00-nonsense' });
  await tracing.stop();
  expect(tracing.bodies).toEqual([]);
});

it('tells of an error its code and never its message, and of probes nothing', async () => {
  const tracing = await useTracing();
  const app = await useTestApp();
  for (const path of ['healthz', 'readyz', 'metrics']) await fetch(`${app.url}/${path}`);
  const failing = inSpan('fails', {}, () =>
    Promise.reject(Object.assign(new Error('quotes a secret'), { code: '23505' })),
  );
  await expect(failing).rejects.toThrow('quotes a secret');
  expect(await tracing.find('fails')).toMatchObject({ status: 2, attributes: { 'error.type': '23505' } });
  await tracing.stop();
  expect(tracing.bodies.join('')).not.toContain('quotes a secret');
  expect(tracing.spans.map(({ name }) => name)).toEqual(['fails']);
});

it('a job goes on with the trace and the id that it was scheduled under', async () => {
  const tracing = await useTracing();
  const { urls } = await postgresStore.open();
  const seen: (string | undefined)[] = [];
  const run = async (): Promise<void> => void seen.push(currentCorrelation(), traceIds()?.traceId);
  const scheduler = await useScheduler(urls);
  scheduler.define(keyed({ name: 'errand', run }));
  const schedule = () => inSpan('asked', {}, () => scheduler.schedule('errand', { key: 'a', data: null }));
  await withCorrelation('decision-9', schedule);
  // Only now: nothing of the request is left but what was stored.
  await scheduler.start();
  const [asked, job] = [await tracing.find('asked'), await tracing.find('job errand')];
  expect(job).toMatchObject({ traceId: asked.traceId, parentSpanId: asked.spanId, kind: 5 });
  expect(seen).toEqual(['decision-9', asked.traceId]);
});

it('off, there are no spans, no headers and no context manager, and lines have the correlation id', async () => {
  const stop = await startTelemetry({ endpoint: undefined, serviceName: 'x', ratio: 1, role: 'all' });
  expect(isTracing()).toBe(false);
  const told = await withCorrelation('decision-10', () =>
    inSpan('x', {}, () => Promise.resolve([traceHeaders(), traceIds(), placeOf()])),
  );
  expect(told).toEqual([{}, undefined, { correlationId: 'decision-10' }]);
  const key = createContextKey('kept');
  const kept = context.with(context.active().setValue(key, 1), () => context.active().getValue(key));
  expect(kept).toBeUndefined();
  await stop();
});
