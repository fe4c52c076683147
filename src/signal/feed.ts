import type { Metrics } from '../core/metrics.js';
import { type Tail, type TailDeps, createTail } from '../core/tail.js';
import { type SignalFilter, matches, toWhere } from './filter.js';
import { Signal } from './signal.entity.js';

/** The live reading of the journal, once per process for all its subscribers. */
export type Feed = Tail<Signal, SignalFilter>;

export interface FeedDeps extends TailDeps {
  readonly metrics: Metrics;
}

export function createFeed({ metrics, ...deps }: FeedDeps): Promise<Feed> {
  return createTail(deps, {
    entity: Signal,
    name: 'feed',
    channel: 'tributary_signals',
    matches,
    toWhere,
    subscribers: metrics.subscribers,
  });
}
