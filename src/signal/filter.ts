import type { SignalKind } from '../connector/index.js';
import type { Signal } from './signal.entity.js';

/** Which signals someone wants. Every given field must match; a list matches when it holds the value. */
export interface SignalFilter {
  readonly connectionIds?: readonly string[];
  readonly providerIds?: readonly string[];
  readonly types?: readonly string[];
  readonly kinds?: readonly SignalKind[];
  readonly repository?: string;
  /** Occurred at or after. */
  readonly since?: Date;
  /** Occurred before. */
  readonly until?: Date;
  readonly correlationId?: string;
}

/** The filter over a signal in memory: what {@link toWhere} is in SQL. */
export function matches(filter: SignalFilter, signal: Signal): boolean {
  return (
    (filter.connectionIds?.includes(signal.connectionId) ?? true) &&
    (filter.providerIds?.includes(signal.providerId) ?? true) &&
    (filter.types?.includes(signal.type) ?? true) &&
    (filter.kinds?.includes(signal.kind) ?? true) &&
    (filter.repository === undefined || filter.repository === signal.repository) &&
    (filter.since === undefined || signal.occurredAt >= filter.since) &&
    (filter.until === undefined || signal.occurredAt < filter.until) &&
    (filter.correlationId === undefined || filter.correlationId === signal.correlationId)
  );
}

/** The filter as a condition on the table: what {@link matches} is in memory. */
export function toWhere(filter: SignalFilter): object {
  const { connectionIds, providerIds, types, kinds, repository, since, until, correlationId } = filter;
  return {
    ...(connectionIds && { connectionId: { $in: connectionIds } }),
    ...(providerIds && { providerId: { $in: providerIds } }),
    ...(types && { type: { $in: types } }),
    ...(kinds && { kind: { $in: kinds } }),
    ...(repository !== undefined && { repository }),
    ...((since ?? until) && { occurredAt: { ...(since && { $gte: since }), ...(until && { $lt: until }) } }),
    ...(correlationId !== undefined && { correlationId }),
  };
}
