import { defineEntity, p } from '@mikro-orm/postgresql';
import type { HealthReason, HealthStatus } from './judge.js';

const changeSchema = defineEntity({
  name: 'HealthChange',
  tableName: 'health_changes',
  properties: {
    /** Given by the database, as the row is inserted. */
    sequence: p.bigint('string').primary().autoincrement(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    previousStatus: p.text().$type<HealthStatus>(),
    status: p.text().$type<HealthStatus>(),
    reason: p.text().$type<HealthReason>().nullable(),
    occurredAt: p.datetime(),
  },
});

/** One edge: a connection's health became another. */
export class HealthChange extends changeSchema.class {}
changeSchema.setClass(HealthChange);
