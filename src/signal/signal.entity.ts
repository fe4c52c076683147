import { defineEntity, p } from '@mikro-orm/postgresql';
import type {
  CorrelationHint,
  EvidenceLink,
  JsonObject,
  SignalKind,
  SignalResource,
} from '../connector/index.js';

/** The part of a signal that is stored as one JSON value: nothing in it is searched by the database. */
export interface SignalContent {
  readonly resource: SignalResource;
  readonly payload: JsonObject;
  readonly evidence: readonly EvidenceLink[];
  readonly correlation_hints: readonly CorrelationHint[];
}

const signalSchema = defineEntity({
  name: 'Signal',
  tableName: 'signals',
  properties: {
    sequence: p.bigint('string').primary(),
    id: p.uuid(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    providerId: p.text(),
    deliveryId: p.uuid(),
    environment: p.text().$type<'dev' | 'stage' | 'prod'>(),
    kind: p.text().$type<SignalKind>(),
    type: p.text(),
    occurredAt: p.datetime(),
    ingestedAt: p.datetime(),
    correlationId: p.text().nullable(),
    /** The trace it came in with, and the span of that to go on from: 32 and 16 hex digits. */
    traceId: p.text().nullable(),
    spanId: p.text().nullable(),
    repository: p.text().nullable(),
    schemaVersion: p.text(),
    content: p.json<SignalContent>(),
    /** How often it was told anew by a replay: 0 for what was told once. */
    revision: p.integer(),
    revisedAt: p.datetime().nullable(),
  },
});

/** One thing that happened, normalised. Written by the journal only; a replay moves it to the feed's end, as a new version. */
export class Signal extends signalSchema.class {}
signalSchema.setClass(Signal);
