import { defineEntity, p } from '@mikro-orm/postgresql';
import type { FailureCategory } from '../connector/index.js';

const schema = defineEntity({
  name: 'ProviderCall',
  tableName: 'provider_calls',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    providerId: p.text(),
    operation: p.text(),
    method: p.text(),
    endpoint: p.text(),
    status: p.integer().nullable(),
    category: p.text().$type<FailureCategory>().nullable(),
    code: p.text().nullable(),
    attempts: p.integer(),
    durationMs: p.integer(),
    correlationId: p.text(),
    traceId: p.text().nullable(),
    limitRemaining: p.integer().nullable(),
    calledAt: p.datetime(),
  },
});

/** One call to a provider, all its tries together: what the integration log is made of. Never a body or a secret. */
export class ProviderCall extends schema.class {}
schema.setClass(ProviderCall);
