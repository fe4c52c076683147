import { defineEntity, p } from '@mikro-orm/postgresql';
import type { BudgetScope } from '../outbound/refusal.js';

export const incidentKinds = [
  'CIRCUIT_OPEN',
  'REPEATED_FAILURE',
  'LIMIT_EXHAUSTED',
  'BUDGET_EXHAUSTED',
  'CREDENTIALS_EXPIRED',
  'POLLS_FAILING',
  'WEBHOOK_ENDING',
  'RECEIPTS_ROLLED_BACK',
] as const;
export type IncidentKind = (typeof incidentKinds)[number];

const incidentSchema = defineEntity({
  name: 'Incident',
  tableName: 'incidents',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    scope: p.text().$type<BudgetScope>(),
    /** Null where it is about more than one connection. */
    connectionId: p.uuid().nullable(),
    /** Null where it is about the whole tenant. */
    providerId: p.text().nullable(),
    kind: p.text().$type<IncidentKind>(),
    message: p.text(),
    openedAt: p.datetime(),
    /** Since when its cause is gone. */
    quietSince: p.datetime().nullable(),
    resolvedAt: p.datetime().nullable(),
    /** When it is over by itself; null where that is not known. */
    endsAt: p.datetime().nullable(),
  },
});

/** Something about a connection, a budget of calls or the receipts' log that somebody should know of. */
export class Incident extends incidentSchema.class {}
incidentSchema.setClass(Incident);

const sinkSchema = defineEntity({
  name: 'IncidentSink',
  tableName: 'incident_sinks',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    url: p.text(),
    sealedSecret: p.blob(),
    updatedAt: p.datetime(),
  },
});

/** Where a tenant wants to be told of incidents. */
export class IncidentSink extends sinkSchema.class {}
sinkSchema.setClass(IncidentSink);
