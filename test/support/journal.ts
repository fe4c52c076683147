import { randomUUID } from 'node:crypto';
import type { DeliveryRecord, JournalEntry } from '../../src/signal/journal.js';

/** A journal entry with one signal, for tests that need many and don't care what is in them. */
export function journalEntry(tenantId: string, connectionId: string, eventId: string): JournalEntry {
  const now = new Date().toISOString();
  const deliveryId = randomUUID();
  const delivery: DeliveryRecord = {
    id: deliveryId,
    tenant_id: tenantId,
    connection_id: connectionId,
    provider_id: 'example',
    event_id: eventId,
    event_type: 'thing.happened',
    api_version: undefined,
    content_type: 'application/json',
    received_at: now,
    failure: undefined,
    via: 'WEBHOOK',
  };
  return {
    delivery,
    body: Buffer.from(`sealed ${eventId}`),
    signals: [
      {
        id: randomUUID(),
        tenant_id: tenantId,
        connection_id: connectionId,
        provider_id: 'example',
        delivery_id: deliveryId,
        environment: 'dev',
        kind: 'event',
        type: 'provider_event',
        occurred_at: now,
        ingested_at: now,
        trace_id: undefined,
        span_id: undefined,
        correlation_id: eventId,
        repository: undefined,
        schema_version: '1.0.0',
        content: { resource: {}, payload: { eventId }, evidence: [], correlation_hints: [] },
      },
    ],
  };
}
