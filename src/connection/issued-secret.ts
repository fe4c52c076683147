import type { RegisteredWebhook } from '../connector/index.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import type { Change } from './change.js';
import { type Connection, WebhookEndpoint } from './connection.entity.js';
import { replaceSecret } from './webhook-endpoint.js';
import { type RegistrationDeps, failureOf } from './webhook-setup.js';

/** How long the secret before counts beside one that the provider has made, where nobody says otherwise: a day. */
export const ISSUED_OVERLAP_SECONDS = 86_400;

/**
 * Seals the secret that the provider has made with a webhook, in the transaction that stores it: from its commit on
 * deliveries are verified by it, and by the one before for the overlap.
 */
export async function sealIssued(
  vault: Vault,
  { transaction, connection, now }: Change,
  { issuedSecret }: RegisteredWebhook,
  overlapSeconds = ISSUED_OVERLAP_SECONDS,
): Promise<void> {
  if (issuedSecret === undefined) return;
  const endpoint = await transaction.findOneOrFail(WebhookEndpoint, { connectionId: connection.id });
  const until = new Date(now.getTime() + overlapSeconds * 1000);
  await replaceSecret(vault, endpoint, new Secret(issuedSecret), until, now);
}

/**
 * Takes away at the provider what a stored webhook takes the place of. One that stays sends what is refused or known
 * already; the next registration finds it again.
 */
export async function removeReplaced(
  { log }: RegistrationDeps,
  { id: connectionId, providerId }: Connection,
  { replaces = [], target }: RegisteredWebhook,
  unregister: (externalId: string) => Promise<void>,
): Promise<void> {
  for (const externalId of replaces) {
    const failure = await failureOf(unregister(externalId));
    const about = { connectionId, providerId, externalId, target };
    if (failure) log.error({ ...about, reason: failure.details.code }, 'webhook: replaced, left there');
  }
}
