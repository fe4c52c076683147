import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../connector/index.js';
import { storable } from '../core/storable.js';
import type { SignalRecord } from './envelope.js';
import type { Signal } from './signal.entity.js';

/** What another normalisation makes of one signal. */
export interface SignalChange {
  readonly kind: 'ADDED' | 'CHANGED' | 'REMOVED';
  readonly signalId: string;
  readonly type: string;
  readonly deliveryId: string;
  /** Which fields differ, in GraphQL's words, one level into resource and payload; empty unless CHANGED. */
  readonly fields: readonly string[];
}

export interface SignalDiff {
  readonly changes: readonly SignalChange[];
  /** What has to be written: the added and the changed ones. */
  readonly records: readonly SignalRecord[];
}

/**
 * Holds what a delivery becomes today against what is in the journal: `stored` are the signals with the ids of both.
 * Only those that this delivery brought count: what another one brought first is told in that one's words.
 */
export function diffSignals(
  deliveryId: string,
  records: readonly SignalRecord[],
  stored: readonly Signal[],
): SignalDiff {
  const byId = new Map(stored.map((signal) => [signal.id, signal]));
  const today = new Set(records.map(({ id }) => id));
  const compared = records.map((record) => ({
    record,
    change: compare(deliveryId, record, byId.get(record.id)),
  }));
  const written = compared.filter(({ change }) => change !== null);
  const gone = stored.filter((signal) => signal.deliveryId === deliveryId && !today.has(signal.id));
  return {
    changes: [
      ...written.map(({ change }) => change).filter((change) => change !== null),
      ...gone.map(({ id, type }) => ({
        kind: 'REMOVED' as const,
        signalId: id,
        type,
        deliveryId,
        fields: [],
      })),
    ],
    records: written.map(({ record }) => record),
  };
}

/** Null where there is nothing to write. */
function compare(deliveryId: string, record: SignalRecord, stored: Signal | undefined): SignalChange | null {
  const change = { signalId: record.id, type: record.type, deliveryId };
  if (!stored) return { ...change, kind: 'ADDED', fields: [] };
  if (stored.deliveryId !== deliveryId) return null;
  const fields = differences(toComparable(record), toComparable(stored));
  return fields.length > 0 ? { ...change, kind: 'CHANGED', fields } : null;
}

/** What a normalisation decides of a signal, in the same form for the new and the stored one. */
function toComparable(signal: SignalRecord | Signal): Readonly<Record<string, unknown>> {
  const { correlation_hints: correlationHints, ...content } = signal.content;
  const isRecord = 'occurred_at' in signal;
  return JSON.parse(
    JSON.stringify(
      storable({
        kind: signal.kind,
        occurredAt: isRecord ? signal.occurred_at : signal.occurredAt,
        schemaVersion: isRecord ? signal.schema_version : signal.schemaVersion,
        ...content,
        correlationHints,
      }),
    ),
  ) as Record<string, unknown>;
}

function differences(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): readonly string[] {
  return namesOf(one, other).flatMap((name) => {
    const [a, b] = [one[name], other[name]];
    if (isDeepStrictEqual(a, b)) return [];
    if (!isObject(a) || !isObject(b)) return [name];
    return namesOf(a, b)
      .filter((field) => !isDeepStrictEqual(a[field], b[field]))
      .map((field) => `${name}.${field}`);
  });
}

function namesOf(one: object, other: object): readonly string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].toSorted();
}
