import { defineEntity, p } from '@mikro-orm/postgresql';

export const incidentKinds = [
  'CIRCUIT_OPEN',
  'REPEATED_FAILURE',
  'LIMIT_EXHAUSTED',
  'BUDGET_EXHAUSTED',
  'CREDENTIALS_EXPIRED',
] as const;
export type IncidentKind = (typeof incidentKinds)[number];

const incidentSchema = defineEntity({
  name: 'Incident',
  tableName: 'incidents',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    providerId: p.text(),
    kind: p.text().$type<IncidentKind>(),
    message: p.text(),
    openedAt: p.datetime(),
    /** Since when its cause is gone. */
    quietSince: p.datetime().nullable(),
    resolvedAt: p.datetime().nullable(),
  },
});

/** Something about a connection that somebody should know of. */
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
