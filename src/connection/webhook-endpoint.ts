import { hash, randomBytes } from 'node:crypto';
import type { EntityManager } from '../core/db.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { type Connection, WebhookEndpoint } from './connection.entity.js';

/** What the tenant's admin enters at the provider. */
export interface WebhookSetup {
  readonly url: string;
  /** Shown this once; null where only the URL is new. */
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
  { id, tenantId, providerId, createdAt }: Connection,
  publicUrl: string,
): Promise<WebhookSetup> {
  const token = randomBytes(32).toString('base64url');
  const secret = new Secret(randomBytes(32).toString('base64url'));
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
      createdAt,
    },
    { persist: true },
  );
  return { url: webhookUrl(publicUrl, providerId, token), secret };
}
