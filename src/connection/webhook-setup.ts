import {
  type Credential,
  ProviderFailure,
  type RegisteredWebhook,
  type WantedWebhook,
} from '../connector/index.js';
import { type Caller, OPERATOR } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { Secret } from '../core/secret.js';
import { storable } from '../core/storable.js';
import type { AccessLog } from '../credential/access.js';
import type { Vault } from '../credential/vault.js';
import { type Connection, WebhookEndpoint, type WebhookRegistration } from './connection.entity.js';
import type { VerifyDeps } from './verify.js';
import { WebhookApp } from './webhook-app.entity.js';
import { openWebhookSetup, webhookUrl } from './webhook-endpoint.js';

export interface RegistrationDeps extends VerifyDeps {
  readonly vault: Vault;
  readonly accesses: AccessLog;
  readonly publicUrl: () => string;
  readonly log: Log;
  /** By provider: the client id of the operator's OAuth app. */
  readonly operatorApps: ReadonlyMap<string, { readonly clientId: string }>;
}

/** What a provider is told of where to deliver, and by what to sign. */
export type ToldSetup = Pick<WantedWebhook, 'url' | 'appUrl' | 'secret'>;

/** Whoever uses one of a connection's secrets for a caller. */
export function toAccessor({ subject: actor, correlationId }: Caller, purpose: string) {
  return { actor, purpose, correlationId };
}

export async function requireEndpoint(
  { db }: RegistrationDeps,
  caller: Caller,
  connectionId: string,
): Promise<WebhookEndpoint> {
  const endpoint = await db.for(caller).findOne(WebhookEndpoint, { connectionId });
  if (!endpoint) throw new TributaryError('UNSUPPORTED', 'This connection takes no webhooks.');
  return endpoint;
}

/** URLs and secret, to be told to the provider; that they are is written down. */
export async function openForProvider(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  endpoint: WebhookEndpoint,
  purpose: string,
): Promise<ToldSetup> {
  const { vault, accesses, clock, publicUrl } = deps;
  const { tenantId, connectionId } = endpoint;
  accesses.record({
    ...toAccessor(caller, purpose),
    tenantId,
    connectionId,
    field: 'webhook_secret',
    secretVersion: null,
    at: clock.now(),
  });
  const setup = await openWebhookSetup(vault, endpoint, publicUrl());
  const appUrl = await findAppUrl(deps, connection);
  return { ...setup, ...(appUrl && { appUrl }) };
}

/** Where the app's webhooks come that the connection's person consented to: the operator's, or else the tenant's own. */
async function findAppUrl(
  { catalog, operatorApps, db, vault, publicUrl }: RegistrationDeps,
  { tenantId, providerId, appClientId }: Connection,
): Promise<string | undefined> {
  if (!catalog.require(providerId).webhook?.routesOf) return undefined;
  const isOperators = Boolean(appClientId) && appClientId === operatorApps.get(providerId)?.clientId;
  const owner = isOperators ? OPERATOR : tenantId;
  const app = await db.for({ tenantId: owner }).findOne(WebhookApp, { providerId });
  if (!app) return undefined;
  const place = { tenantId: owner, id: app.id, field: 'webhook_app_token' } as const;
  const token = await vault.openSecret(app.sealedToken, place);
  return webhookUrl(publicUrl(), providerId, token.reveal());
}

/** What a webhook is known by: its secret, and the parts of its URLs that are one. */
export function secretsOf({ url, appUrl, secret }: ToldSetup): Credential {
  return { secret, token: tokenOf(url), ...(appUrl && { appToken: tokenOf(appUrl) }) };
}

function tokenOf(url: string): Secret {
  return new Secret(url.slice(url.lastIndexOf('/') + 1));
}

/** By what is replaced in a rotation. Sealed values alone don't tell: they are sealed anew now and then. */
export function isSameEndpoint(one: WebhookEndpoint, other: WebhookEndpoint): boolean {
  return (
    one.secretCreatedAt.getTime() === other.secretCreatedAt.getTime() &&
    Buffer.compare(one.tokenHash, other.tokenHash) === 0
  );
}

/** Whether it sends to the connection's own address, not to its app's. */
export function isSentHere({ routes }: WebhookRegistration): boolean {
  return routes.length === 0;
}

/** So long before its end a webhook is renewed; the rest is for trying again. */
const AHEAD_MS = 7 * 24 * 60 * 60_000;
/** Where a provider lets webhooks end sooner than that. */
const LEAST_MS = 60 * 60_000;

/** What is kept of a webhook as the provider has it now. Its renewal begins anew. */
export function toStored(
  { externalId, events, routes = [], expiresAt = null }: RegisteredWebhook,
  now: Date,
) {
  const renewalDueAt =
    expiresAt && new Date(Math.max(expiresAt.getTime() - AHEAD_MS, now.getTime() + LEAST_MS));
  return {
    ...storable({ externalId, events: [...events], routes: [...routes] }),
    expiresAt,
    renewalDueAt,
    renewalFailures: 0,
    renewalFailure: null,
  };
}

/**
 * What kept a piece of work from being done, as data; undefined when it is done. Errors of ours that the caller would be
 * told of are told like a refusal of the provider's, since they come to the same.
 */
export async function failureOf(work: Promise<unknown>): Promise<ProviderFailure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    if (!(error instanceof TributaryError)) throw error;
    const { code, message } = error;
    return new ProviderFailure({ category: 'UNKNOWN', code: code.toLowerCase(), message }, { cause: error });
  }
}
