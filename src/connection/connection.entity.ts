import { defineEntity, p } from '@mikro-orm/postgresql';
import type { AuthMethod, Capability, JsonObject } from '../connector/index.js';
import type { ConnectionStatus, StatusReason } from './status.js';

/** The account at the provider that the credential belongs to. */
export interface ExternalAccount {
  readonly id: string;
  readonly name: string;
  readonly url?: string;
}

const connectionSchema = defineEntity({
  name: 'Connection',
  tableName: 'connections',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    providerId: p.text(),
    name: p.text(),
    description: p.text().nullable(),
    status: p.text().$type<ConnectionStatus>(),
    statusReason: p.json<StatusReason>().nullable(),
    authMethod: p.text().$type<AuthMethod>(),
    account: p.json<ExternalAccount>().nullable(),
    grantedScopes: p.array().nullable(),
    capabilities: p.array<Capability>(),
    settings: p.json<JsonObject>(),
    tags: p.array(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    verifiedAt: p.datetime().nullable(),
  },
});

/** A tenant's authorised link to a provider. */
export class Connection extends connectionSchema.class {}
connectionSchema.setClass(Connection);

const credentialSchema = defineEntity({
  name: 'Credential',
  tableName: 'credentials',
  properties: {
    connectionId: p.uuid().primary(),
    tenantId: p.text(),
    version: p.integer(),
    sealed: p.blob(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
  },
});

/** A connection's secret, sealed. */
export class CredentialRecord extends credentialSchema.class {}
credentialSchema.setClass(CredentialRecord);

const endpointSchema = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoints',
  properties: {
    connectionId: p.uuid().primary(),
    tenantId: p.text(),
    providerId: p.text(),
    tokenHash: p.blob(),
    sealedToken: p.blob(),
    sealedSecret: p.blob(),
    secretCreatedAt: p.datetime(),
    /** Still good until then. */
    sealedPreviousSecret: p.blob().nullable(),
    previousSecretUntil: p.datetime().nullable(),
    previousTokenHash: p.blob().nullable(),
    previousTokenUntil: p.datetime().nullable(),
    createdAt: p.datetime(),
  },
});

/** Where a connection's webhooks arrive: found by the token's hash, authenticated by the secret. */
export class WebhookEndpoint extends endpointSchema.class {}
endpointSchema.setClass(WebhookEndpoint);
