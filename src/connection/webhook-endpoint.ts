import { hash, randomBytes } from 'node:crypto';
import type { Connector } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { changeConnection } from './change.js';
import { type Connection, WebhookEndpoint } from './connection.entity.js';
import type { HandshakeState } from './status.js';

/** What the tenant's admin enters at the provider. */
export interface WebhookSetup {
  readonly url: string;
  /** Shown this once; null where only the URL is new, and where the provider hands the secret out itself. */
  readonly secret: Secret | null;
}

/** Endpoints are looked up by this, so that a copy of the database gives nobody a working URL. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

export function webhookUrl(publicUrl: string, providerId: string, token: string): string {
  return `${publicUrl}/v1/integrations/webhooks/${providerId}/${token}`;
}

/** URL and secret as the provider has to know them, in clear. */
export async function openWebhookSetup(
  vault: Vault,
  { tenantId, connectionId: id, providerId, sealedToken, sealedSecret }: WebhookEndpoint,
  publicUrl: string,
): Promise<{ readonly url: string; readonly secret: Secret }> {
  const token = await vault.openSecret(sealedToken, { tenantId, id, field: 'webhook_token' });
  const secret = await vault.openSecret(sealedSecret, { tenantId, id, field: 'webhook_secret' });
  return { url: webhookUrl(publicUrl, providerId, token.reveal()), secret };
}

/** Gives the connection an endpoint with a fresh token and secret (256 bits each), in the given transaction. */
export async function addWebhookEndpoint(
  transaction: EntityManager,
  vault: Vault,
  connector: Connector,
  { id, tenantId, providerId, createdAt }: Connection,
  publicUrl: string,
): Promise<WebhookSetup> {
  const token = randomBytes(32).toString('base64url');
  const secret = makeWebhookSecret(connector);
  const isAwaited = handsOutSecret(connector);
  transaction.create(
    WebhookEndpoint,
    {
      connectionId: id,
      tenantId,
      providerId,
      tokenHash: hashToken(token),
      sealedToken: await vault.seal(token, { tenantId, id, field: 'webhook_token' }),
      sealedSecret: await vault.seal(secret.reveal(), { tenantId, id, field: 'webhook_secret' }),
      secretCreatedAt: createdAt,
      handshake: isAwaited ? 'AWAITED' : null,
      createdAt,
    },
    { persist: true },
  );
  // Until the provider's own comes, one that nobody knows stands in.
  const isTheirs = isAwaited || connector.webhook?.issuesSecret === true;
  return { url: webhookUrl(publicUrl, providerId, token), secret: isTheirs ? null : secret };
}

/** A fresh secret of 256 bits, in the form in which the provider takes one. */
export function makeWebhookSecret({ webhook }: Connector): Secret {
  if (webhook?.secretForm === 'standard_webhooks') {
    return new Secret(`whsec_${randomBytes(32).toString('base64')}`);
  }
  return new Secret(randomBytes(32).toString('base64url'));
}

/** Another secret counts from now on; the one before it until `until`. */
export async function replaceSecret(
  vault: Vault,
  endpoint: WebhookEndpoint,
  secret: Secret,
  until: Date,
  now: Date,
): Promise<void> {
  endpoint.sealedPreviousSecret = endpoint.sealedSecret;
  endpoint.previousSecretUntil = until;
  endpoint.sealedSecret = await vault.seal(secret.reveal(), placeOf(endpoint, 'webhook_secret'));
  endpoint.secretCreatedAt = now;
}

/** Where an endpoint's token and secret are sealed. */
export function placeOf(
  { tenantId, connectionId }: WebhookEndpoint,
  field: 'webhook_token' | 'webhook_secret',
) {
  return { tenantId, id: connectionId, field } as const;
}

/** Whether the secret comes from the provider, by a handshake. */
export function handsOutSecret({ webhook }: Connector): boolean {
  return webhook?.handshake?.secretOf !== undefined;
}

/** Whether its provider sends to the address of an app. */
export function takesApps({ webhook }: Connector): boolean {
  return webhook?.accountOf !== undefined || webhook?.routesOf !== undefined;
}

/** See ConnectionService.showWebhookSecret. */
export function showWebhookSecret(
  { vault, ...deps }: { readonly db: Db; readonly clock: Clock; readonly vault: Vault },
  caller: Caller,
  connectionId: string,
): Promise<Secret> {
  return changeConnection(deps, caller, connectionId, async ({ transaction, attest }) => {
    const endpoint = await transaction.findOne(WebhookEndpoint, { connectionId });
    requireReceived(endpoint?.handshake ?? null);
    if (!endpoint) throw new TributaryError('UNSUPPORTED', 'This connection takes no webhooks.');
    endpoint.handshake = 'SHOWN';
    attest('show_webhook_secret', 'SUCCESS', {}, {});
    const { tenantId } = endpoint;
    return vault.openSecret(endpoint.sealedSecret, { tenantId, id: connectionId, field: 'webhook_secret' });
  });
}

/** A secret that a handshake brought is shown once. Throws CONFLICT. */
export function requireReceived(handshake: HandshakeState | null): void {
  if (handshake === 'RECEIVED') return;
  const message =
    handshake === 'AWAITED'
      ? 'The provider has not sent its token yet: enter the URL there first.'
      : 'There is no token to show: it was shown already, or is nothing this provider sends.';
  throw new TributaryError('CONFLICT', message);
}
