import { type Clock, systemClock } from '../core/clock.js';
import type { Metrics } from '../core/metrics.js';
import { type Tail, type TailDeps, type TailStream, createTail } from '../core/tail.js';
import { type SignalFilter, matches } from './filter.js';
import { toConditions } from './list.js';
import { SpanKind, isTracing, openSpan, toTraceParent } from '../core/trace.js';
import { SIGNAL_HINTS } from './journal.js';
import { Signal } from './signal.entity.js';

/** The live reading of the journal, once per process for all its subscribers. */
export type Feed = Tail<Signal, SignalFilter>;

export interface FeedDeps extends TailDeps {
  readonly metrics: Metrics;
  readonly clock?: Clock;
}

export async function createFeed({ metrics, clock = systemClock, ...deps }: FeedDeps): Promise<Feed> {
  const tail = await createTail<Signal, SignalFilter>(deps, {
    entity: Signal,
    name: 'feed',
    channel: SIGNAL_HINTS,
    list: 'signals',
    matches,
    toConditions,
    subscribers: metrics.subscribers,
    onRead(signals) {
      const now = clock.now().getTime();
      for (const { revisedAt, ingestedAt } of signals)
        metrics.feedLag.observe(Math.max(0, now - (revisedAt ?? ingestedAt).getTime()) / 1_000);
    },
  });
  return {
    ...tail,
    subscribe(caller, filter, after) {
      const signals = tail.subscribe(caller, filter, after);
      return isTracing() ? traced(signals) : signals;
    },
  };
}

/** Each signal that a subscriber is handed is a step of the trace that the signal came in with. */
function traced(signals: TailStream<Signal>): TailStream<Signal> {
  return {
    ...signals,
    async next() {
      const result = await signals.next();
      if (!result.done) traceDelivery(result.value);
      return result;
    },
    takeReady(most) {
      const taken = signals.takeReady(most);
      taken.forEach(traceDelivery);
      return taken;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function traceDelivery({ id, connectionId, providerId, traceId, spanId }: Signal): void {
  const traceparent = toTraceParent(traceId, spanId);
  if (traceparent === undefined) return;
  const attributes = {
    'tributary.signal_id': id,
    'tributary.provider': providerId,
    'tributary.connection_id': connectionId,
  };
  openSpan('feed deliver', { kind: SpanKind.PRODUCER, attributes, parent: { traceparent } })?.end();
}
