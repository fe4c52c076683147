import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { Connector } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput } from '../core/schema.js';
import type { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { attestSetting } from '../receipt/setting.js';
import type { ProviderCatalog } from './catalog.js';
import { WebhookApp } from './webhook-app.entity.js';
import {
  handsOutSecret,
  hashToken,
  requireReceived,
  showWebhookSecret,
  takesApps,
  webhookUrl,
} from './webhook-endpoint.js';

const registerCommand = z.strictObject({
  providerId: z.string(),
  secret: z.string().min(1, 'must not be empty').max(2_000, 'must be at most 2,000 characters').nullish(),
});

/** What `registerWebhookApp` takes. `secret` is left out where the provider hands it out by a handshake. */
export type RegisterAppCommand = z.input<typeof registerCommand>;

/** What is entered at the provider. */
export interface RegisteredApp {
  readonly app: WebhookApp;
  readonly url: string;
}

/**
 * Apps whose webhooks come to one address for all their accounts. One per tenant and provider; the operator's are those
 * of {@link OPERATOR}, and reach connections of every tenant.
 */
export interface WebhookApps {
  /**
   * Registers the app, or gives it another secret: the URL stays, and the previous secret counts for a day more. Throws
   * INVALID_INPUT, UNSUPPORTED, or NOT_FOUND for the provider.
   */
  register(caller: Caller, command: RegisterAppCommand): Promise<RegisteredApp>;
  /** False: there was none. */
  remove(caller: Caller, providerId: string): Promise<boolean>;
  list(caller: Caller): Promise<readonly WebhookApp[]>;
  /** The secret that came by a handshake, once. Throws NOT_FOUND, or CONFLICT before it came and after it was shown. */
  showSecret(caller: Caller, providerId: string): Promise<Secret>;
  /** The same of a connection's own address. Throws NOT_FOUND, UNSUPPORTED or CONFLICT. */
  showConnectionSecret(caller: Caller, connectionId: string): Promise<Secret>;
}

export interface WebhookAppDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  readonly publicUrl: () => string;
}

const OVERLAP_MS = 24 * 60 * 60_000;

export function createWebhookApps(deps: WebhookAppDeps): WebhookApps {
  const { db, clock, vault, catalog, publicUrl } = deps;

  return {
    async register(caller, command) {
      const { providerId, secret } = requireInput(registerCommand, command);
      const connector = catalog.require(providerId);
      requireApps(connector);
      const isAwaited = requireSecret(connector, secret ?? null);
      return db.for(caller).transactional(async (transaction) => {
        const known = await transaction.findOne(WebhookApp, { providerId });
        const app = known ?? (await addApp(transaction, vault, caller.tenantId, providerId, clock.now()));
        await replaceSecret(vault, app, secret ?? randomSecret(), clock.now());
        if (!known) [app.sealedPreviousSecret, app.previousSecretUntil] = [null, null];
        app.handshake = isAwaited ? 'AWAITED' : null;
        attestSetting(transaction, caller, {
          setting: 'webhook_app',
          providerId,
          verb: 'register',
          request: { is_new: !known },
          occurredAt: clock.now(),
        });
        const token = await vault.openSecret(app.sealedToken, placeOf(app, 'webhook_app_token'));
        return { app, url: webhookUrl(publicUrl(), providerId, token.reveal()) };
      });
    },
    remove: (caller, providerId) =>
      db.for(caller).transactional(async (transaction) => {
        const removed = await transaction.nativeDelete(WebhookApp, { providerId });
        if (removed > 0)
          attestSetting(transaction, caller, {
            setting: 'webhook_app',
            providerId,
            verb: 'remove',
            request: {},
            occurredAt: clock.now(),
          });
        return removed > 0;
      }),
    showConnectionSecret: (caller, connectionId) => showWebhookSecret(deps, caller, connectionId),
    list: (caller) => db.for(caller).find(WebhookApp, {}, { orderBy: { providerId: 'asc' } }),
    showSecret: (caller, providerId) =>
      db.for(caller).transactional(async (transaction) => {
        const app = await transaction.findOne(WebhookApp, { providerId });
        if (!app) throw new TributaryError('NOT_FOUND', 'No app is registered for this provider.');
        requireReceived(app.handshake ?? null);
        // Of two who ask at once, one is told.
        const claim = { providerId, handshake: 'RECEIVED' } as const;
        if (!(await transaction.nativeUpdate(WebhookApp, claim, { handshake: 'SHOWN' })))
          requireReceived(null);
        attestSetting(transaction, caller, {
          setting: 'webhook_app',
          providerId,
          verb: 'show_secret',
          request: {},
          occurredAt: clock.now(),
        });
        return vault.openSecret(app.sealedSecret, placeOf(app, 'webhook_app_secret'));
      }),
  };
}

function requireApps(connector: Connector): void {
  if (takesApps(connector)) return;
  const { manifest } = connector;
  throw new TributaryError(
    'UNSUPPORTED',
    `${manifest.name} sends webhooks to an address for each connection, not for an app.`,
  );
}

/** Answers whether the provider will hand the secret out itself. */
function requireSecret(connector: Connector, secret: string | null): boolean {
  const { manifest } = connector;
  const isHandedOut = handsOutSecret(connector);
  if (isHandedOut && secret !== null) {
    throw invalidInput('secret', `must be left out: ${manifest.name} sends it to the URL`);
  }
  if (!isHandedOut && secret === null) {
    throw invalidInput('secret', `is needed: ${manifest.name} signs the app’s webhooks with it`);
  }
  return isHandedOut;
}

async function addApp(
  transaction: EntityManager,
  vault: Vault,
  tenantId: string,
  providerId: string,
  updatedAt: Date,
): Promise<WebhookApp> {
  const token = randomSecret();
  const place = { tenantId, id: uuidV7() };
  const sealedToken = await vault.seal(token, placeOf(place, 'webhook_app_token'));
  const fields = { ...place, providerId, tokenHash: hashToken(token), sealedToken, updatedAt };
  return transaction.create(WebhookApp, { ...fields, sealedSecret: Buffer.alloc(0) }, { persist: true });
}

async function replaceSecret(vault: Vault, app: WebhookApp, secret: string, now: Date): Promise<void> {
  app.sealedPreviousSecret = app.sealedSecret;
  app.previousSecretUntil = new Date(now.getTime() + OVERLAP_MS);
  app.sealedSecret = await vault.seal(secret, placeOf(app, 'webhook_app_secret'));
  app.updatedAt = now;
}

/** 256 bits. */
function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

function placeOf(
  { tenantId, id }: Pick<WebhookApp, 'tenantId' | 'id'>,
  field: 'webhook_app_token' | 'webhook_app_secret',
) {
  return { tenantId, id, field } as const;
}
