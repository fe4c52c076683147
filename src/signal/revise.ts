import type { EntityManager } from '../core/db.js';
import { toStorableJson } from '../core/storable.js';
import type { SignalRecord } from './envelope.js';

/** What a delivery has become by being normalised again. */
export interface DeliveryRevision {
  readonly id: string;
  readonly failure: string | null;
  readonly attempts: number;
  readonly signalIds: readonly string[];
}

/**
 * Writes it, with the signals that are new or different: see `journal_revise`. The transaction holds the rows of the
 * deliveries locked, and this is the last thing it does, as the journal's lock stays with it to its end.
 */
export async function reviseJournal(
  transaction: EntityManager,
  deliveries: readonly DeliveryRevision[],
  records: readonly SignalRecord[],
  now: Date,
): Promise<void> {
  await transaction.flush();
  const rows = deliveries.map(({ signalIds, ...delivery }) => ({ ...delivery, signal_ids: signalIds }));
  const signals = records.map((record, index) => ({ ...record, index }));
  await transaction.execute('select journal_revise(?::jsonb, ?::jsonb, ?)', [
    toStorableJson(rows),
    toStorableJson(signals),
    now,
  ]);
}
