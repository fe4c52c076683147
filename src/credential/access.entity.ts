import { defineEntity, p } from '@mikro-orm/postgresql';
import type { Access } from './access.js';

const schema = defineEntity({
  name: 'SecretAccess',
  tableName: 'secret_accesses',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    field: p.text().$type<Access['field']>(),
    secretVersion: p.integer().nullable(),
    actor: p.text(),
    purpose: p.text(),
    correlationId: p.text().nullable(),
    accessedAt: p.datetime(),
  },
});

/** One use of a secret in clear: who, what for, and which of the secrets. */
export class SecretAccess extends schema.class {}
schema.setClass(SecretAccess);
