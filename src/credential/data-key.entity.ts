import { defineEntity, p } from '@mikro-orm/postgresql';
import type { KeyProviderName } from './key-provider/key-provider.js';

const schema = defineEntity({
  name: 'DataKey',
  tableName: 'data_keys',
  properties: {
    tenantId: p.text().primary(),
    version: p.integer().primary(),
    provider: p.text().$type<KeyProviderName>(),
    keyId: p.text(),
    wrapped: p.blob(),
    createdAt: p.datetime(),
    /** When it was last wrapped: anew when the key-encryption key changes. */
    wrappedAt: p.datetime(),
  },
});

/** One version of a tenant's data key, wrapped. The newest seals; older ones open what is not sealed anew yet. */
export class DataKeyRecord extends schema.class {}
schema.setClass(DataKeyRecord);
