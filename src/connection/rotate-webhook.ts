import { randomBytes } from 'node:crypto';
import { type Connector, ProviderFailure } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { changeConnection } from './change.js';
import { type Connection, WebhookEndpoint, type WebhookRegistration } from './connection.entity.js';
import type { RegistrationFailure } from './registered-webhooks.js';
import { updateRegistrations } from './update-registrations.js';
import {
  type WebhookSetup,
  handsOutSecret,
  hashToken,
  makeWebhookSecret,
  openWebhookSetup,
  placeOf,
  replaceSecret,
} from './webhook-endpoint.js';
import { findRegistrations } from './webhook-registration.js';
import { type RegistrationDeps, isSentHere, requireEndpoint } from './webhook-setup.js';

export interface WebhookRotation {
  readonly what: 'WEBHOOK_SECRET' | 'WEBHOOK_TOKEN';
  readonly overlapSeconds: number;
  /** The provider's own, where its admin was shown one. Left out: a fresh one is made. */
  readonly webhookSecret?: string | null | undefined;
}

/** What came of it. */
export interface RotatedWebhook {
  readonly connection: Connection;
  readonly webhook: WebhookSetup;
  readonly registrationFailures: readonly RegistrationFailure[];
}
type Replaced = Pick<RotatedWebhook, 'connection' | 'webhook'>;

/**
 * The old secret or token goes on working beside the new one for `overlapSeconds`. Webhooks that we registered are told
 * only after the new one counts: the provider may use it before it has answered. Where the provider makes the secrets,
 * a registered webhook gets its new one from there; one that its admin hands over is nothing to tell it.
 */
export async function rotateWebhook(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  rotation: WebhookRotation,
): Promise<RotatedWebhook> {
  const { what, overlapSeconds, webhookSecret } = rotation;
  const registered = (await findRegistrations(deps, caller, connection.id)).filter(isSentHere);
  const { webhook } = deps.catalog.require(connection.providerId);
  const isTheirs = webhook?.issuesSecret === true && what === 'WEBHOOK_SECRET';
  const isAsked = isTheirs && webhookSecret == null && registered.length > 0;
  const rotated = isAsked
    ? await asItIs(deps, caller, connection)
    : await replace(deps, caller, connection.id, rotation);
  if (isTheirs && !isAsked) return { ...rotated, registrationFailures: [] };
  const registrationFailures = await tellProvider(deps, caller, connection, registered, overlapSeconds);
  return { ...rotated, registrationFailures };
}

/** Before a provider has made the next secret, which nobody is shown. */
async function asItIs(deps: RegistrationDeps, caller: Caller, connection: Connection): Promise<Replaced> {
  const endpoint = await requireEndpoint(deps, caller, connection.id);
  const { url } = await openWebhookSetup(deps.vault, endpoint, deps.publicUrl());
  return { connection, webhook: { url, secret: null } };
}

/** The new one counts already, and is shown this once: nothing that fails now may keep it from the caller. */
async function tellProvider(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  registered: readonly WebhookRegistration[],
  overlapSeconds: number,
): Promise<readonly RegistrationFailure[]> {
  try {
    return await updateRegistrations(deps, caller, connection, overlapSeconds);
  } catch (error) {
    const { id: connectionId, tenantId } = connection;
    deps.log.error(
      { err: error, connectionId, tenantId },
      'webhook: rotated, but telling the provider broke off',
    );
    const failure = new ProviderFailure(
      {
        category: 'UNKNOWN',
        code: 'not_told',
        message: 'The provider may not know the new URL or secret. Register the webhook once more.',
        isAmbiguous: true,
      },
      { cause: error },
    );
    return registered.map((registration) => ({ registration, failure }));
  }
}

function replace(
  { vault, publicUrl, ...deps }: RegistrationDeps,
  caller: Caller,
  connectionId: string,
  { what, overlapSeconds, webhookSecret }: WebhookRotation,
): Promise<Replaced> {
  return changeConnection(deps, caller, connectionId, async ({ transaction, connection, now, attest }) => {
    const endpoint = await transaction.findOne(WebhookEndpoint, { connectionId });
    if (!endpoint) throw new TributaryError('UNSUPPORTED', 'This connection takes no webhooks.');
    const until = new Date(now.getTime() + overlapSeconds * 1000);
    const isToken = what === 'WEBHOOK_TOKEN';
    if (isToken) await replaceToken(vault, endpoint, until);
    const connector = deps.catalog.require(connection.providerId);
    const isAwaited = handsOutSecret(connector);
    const theirs = isToken ? null : requireTheirs(connector, webhookSecret ?? null);
    if (!isToken) await replaceSecret(vault, endpoint, theirs ?? makeWebhookSecret(connector), until, now);
    // The provider hands the next one out as it did the first.
    if (isAwaited && !isToken) endpoint.handshake = 'AWAITED';
    connection.updatedAt = now;
    const request = { what, overlap_seconds: overlapSeconds };
    attest('rotate', 'SUCCESS', request, { previous_until: until.toISOString() });
    const { url, secret } = await openWebhookSetup(vault, endpoint, publicUrl());
    return { connection, webhook: { url, secret: isToken || isAwaited || theirs ? null : secret } };
  });
}

/** The secret that the provider has made, if it is given. Throws INVALID_INPUT where that is the other way round. */
function requireTheirs(connector: Connector, given: string | null): Secret | null {
  const { manifest, webhook } = connector;
  if (given === null && webhook?.issuesSecret) {
    throw invalidInput('webhookSecret', `is needed: ${manifest.name} makes it and shows it to its admin`);
  }
  if (given !== null && handsOutSecret(connector)) {
    throw invalidInput('webhookSecret', `must be left out: ${manifest.name} sends it to the URL`);
  }
  return given === null ? null : new Secret(given);
}

async function replaceToken(vault: Vault, endpoint: WebhookEndpoint, until: Date): Promise<void> {
  const token = randomBytes(32).toString('base64url');
  endpoint.previousTokenHash = endpoint.tokenHash;
  endpoint.previousTokenUntil = until;
  endpoint.tokenHash = hashToken(token);
  endpoint.sealedToken = await vault.seal(token, placeOf(endpoint, 'webhook_token'));
}
