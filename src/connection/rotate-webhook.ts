import { randomBytes } from 'node:crypto';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import type { Vault } from '../credential/vault.js';
import { changeConnection } from './change.js';
import { type Connection, WebhookEndpoint } from './connection.entity.js';
import { type RegistrationFailure, updateRegistrations } from './registered-webhooks.js';
import { type WebhookSetup, hashToken, openWebhookSetup } from './webhook-endpoint.js';
import type { RegistrationDeps } from './webhook-registration.js';

export interface WebhookRotation {
  readonly connectionId: string;
  readonly what: 'WEBHOOK_SECRET' | 'WEBHOOK_TOKEN';
  readonly overlapSeconds: number;
}

/** What came of it. */
export interface RotatedWebhook {
  readonly connection: Connection;
  readonly webhook: WebhookSetup;
  readonly registrationFailures: readonly RegistrationFailure[];
}

/**
 * The old secret or token goes on working beside the new one for `overlapSeconds`. Webhooks that we registered are told
 * only after the new one counts: the provider may use it before it has answered.
 */
export async function rotateWebhook(
  deps: RegistrationDeps,
  caller: Caller,
  rotation: WebhookRotation,
): Promise<RotatedWebhook> {
  const rotated = await replace(deps, caller, rotation);
  const registrationFailures = await updateRegistrations(deps, caller, rotated.connection);
  return { ...rotated, registrationFailures };
}

function replace(
  { vault, publicUrl, ...deps }: RegistrationDeps,
  caller: Caller,
  { connectionId, what, overlapSeconds }: WebhookRotation,
): Promise<Pick<RotatedWebhook, 'connection' | 'webhook'>> {
  return changeConnection(deps, caller, connectionId, async ({ transaction, connection, now, attest }) => {
    const endpoint = await transaction.findOne(WebhookEndpoint, { connectionId });
    if (!endpoint) throw new TributaryError('UNSUPPORTED', 'This connection takes no webhooks.');
    const until = new Date(now.getTime() + overlapSeconds * 1000);
    const isToken = what === 'WEBHOOK_TOKEN';
    if (isToken) await replaceToken(vault, endpoint, until);
    else await replaceSecret(vault, endpoint, until, now);
    connection.updatedAt = now;
    const request = { what, overlap_seconds: overlapSeconds };
    attest('rotate', 'SUCCESS', request, { previous_until: until.toISOString() });
    const { url, secret } = await openWebhookSetup(vault, endpoint, publicUrl());
    return { connection, webhook: { url, secret: isToken ? null : secret } };
  });
}

async function replaceToken(vault: Vault, endpoint: WebhookEndpoint, until: Date): Promise<void> {
  const token = randomBytes(32).toString('base64url');
  endpoint.previousTokenHash = endpoint.tokenHash;
  endpoint.previousTokenUntil = until;
  endpoint.tokenHash = hashToken(token);
  endpoint.sealedToken = await vault.seal(token, placeOf(endpoint, 'webhook_token'));
}

async function replaceSecret(vault: Vault, endpoint: WebhookEndpoint, until: Date, now: Date): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  endpoint.sealedPreviousSecret = endpoint.sealedSecret;
  endpoint.previousSecretUntil = until;
  endpoint.sealedSecret = await vault.seal(secret, placeOf(endpoint, 'webhook_secret'));
  endpoint.secretCreatedAt = now;
}

function placeOf({ tenantId, connectionId }: WebhookEndpoint, field: 'webhook_token' | 'webhook_secret') {
  return { tenantId, id: connectionId, field } as const;
}
