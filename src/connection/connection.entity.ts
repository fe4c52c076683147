import { defineEntity, p } from '@mikro-orm/postgresql';
import type { AuthMethod, Capability, FailureCategory, Json, JsonObject } from '../connector/index.js';
import type { ReceiptOutcome } from '../receipt/receipt.entity.js';
import type { ConnectionStatus, HandshakeState, StatusReason } from './status.js';

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
    /** How deliveries to an app name the account; see ProviderIdentity.appAccount. */
    appAccount: p.text().nullable(),
    /** Of the OAuth app that a person gave consent to. */
    appClientId: p.text().nullable(),
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
    /** Of the version before; still tried until then, when the provider refuses this one. */
    sealedPrevious: p.blob().nullable(),
    previousUntil: p.datetime().nullable(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    /** Who renews it at this moment, and the rest of that story: written by src/credential/oauth alone. */
    refreshOwner: p.uuid().nullable(),
    refreshUntil: p.datetime().nullable(),
    refreshSentAt: p.datetime().nullable(),
    refreshFailures: p.integer().default(0),
    refreshAfter: p.datetime().nullable(),
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
    handshake: p.text().$type<HandshakeState>().nullable(),
    createdAt: p.datetime(),
  },
});

/** Where a connection's webhooks arrive: found by the token's hash, authenticated by the secret. */
export class WebhookEndpoint extends endpointSchema.class {}
endpointSchema.setClass(WebhookEndpoint);

/** Why a webhook that ends could not be renewed the last time, as it is stored and shown. */
export interface RenewalFailure {
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly providerStatus?: number;
  /** RFC 3339. */
  readonly at: string;
}

const registrationSchema = defineEntity({
  name: 'WebhookRegistration',
  tableName: 'webhook_registrations',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    target: p.json<JsonObject>(),
    externalId: p.text(),
    events: p.array(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    /** How far failed deliveries have been asked for again; see {@link WebhookRegistrar.redeliver}. */
    redeliveryCursor: p.json<Json>().nullable(),
    /** How deliveries to an app's address name it; see {@link RegisteredWebhook.routes}. */
    routes: p.array().default([]),
    /** When the provider lets it end. */
    expiresAt: p.datetime().nullable(),
    renewalDueAt: p.datetime().nullable(),
    /** In a row. */
    renewalFailures: p.integer().default(0),
    renewalFailure: p.json<RenewalFailure>().nullable(),
  },
});

/** A webhook that we have set up at the provider. */
export class WebhookRegistration extends registrationSchema.class {}
registrationSchema.setClass(WebhookRegistration);

const changeSchema = defineEntity({
  name: 'ConnectionChange',
  tableName: 'connection_changes',
  properties: {
    /** Given by the database, as the row is inserted. */
    sequence: p.bigint('string').primary().autoincrement(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    verb: p.text(),
    outcome: p.text().$type<ReceiptOutcome>(),
    previousStatus: p.text().$type<ConnectionStatus>().nullable(),
    status: p.text().$type<ConnectionStatus>(),
    occurredAt: p.datetime(),
  },
});

/** One change of a connection: what left a receipt, with the status before and after. */
export class ConnectionChange extends changeSchema.class {}
changeSchema.setClass(ConnectionChange);
