import { defineEntity, p } from '@mikro-orm/postgresql';

const appSchema = defineEntity({
  name: 'OAuthApp',
  tableName: 'oauth_apps',
  properties: {
    tenantId: p.text().primary(),
    providerId: p.text().primary(),
    /** Where its secret is sealed to. */
    id: p.uuid(),
    clientId: p.text(),
    /** Where it is registered; null: with the provider's own service. */
    baseUrl: p.text().nullable(),
    sealedSecret: p.blob(),
    updatedAt: p.datetime(),
  },
});

/** An OAuth app that a tenant has registered with a provider itself, in place of the operator's. */
export class OAuthAppRecord extends appSchema.class {}
appSchema.setClass(OAuthAppRecord);

const flowSchema = defineEntity({
  name: 'OAuthFlow',
  tableName: 'oauth_flows',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    linkHash: p.blob(),
    stateHash: p.blob(),
    sealed: p.blob(),
    actor: p.text(),
    correlationId: p.text(),
    returnTo: p.text().nullable(),
    expiresAt: p.datetime(),
  },
});

/** An authorization that waits for a person. */
export class OAuthFlow extends flowSchema.class {}
flowSchema.setClass(OAuthFlow);
