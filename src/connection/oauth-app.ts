import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import {
  BASE_URL_PATTERN,
  type Connector,
  type JsonObject,
  type OAuth,
  selfManagedUrl,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput } from '../core/schema.js';
import type { Secret } from '../core/secret.js';
import type { OAuthApp } from '../credential/oauth/server.js';
import type { Vault } from '../credential/vault.js';
import { attestSetting } from '../receipt/setting.js';
import type { ProviderCatalog } from './catalog.js';
import { OAuthAppRecord } from './oauth-app.entity.js';

const setCommand = z.strictObject({
  providerId: z.string(),
  clientId: z.string().trim().min(1, 'must not be empty').max(500, 'must be at most 500 characters'),
  clientSecret: z.string().min(1, 'must not be empty').max(2_000, 'must be at most 2,000 characters'),
  baseUrl: z
    .string()
    .max(255, 'must be at most 255 characters')
    .regex(new RegExp(BASE_URL_PATTERN), 'must be an https address without a slash at its end')
    .nullish(),
});

/** What `setOAuthApp` takes. */
export type SetOAuthAppCommand = z.input<typeof setCommand>;

/** The operator's app for a provider: TRIBUTARY_PROVIDER_<ID>_CLIENT_ID and _CLIENT_SECRET. */
export interface OperatorApp {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

export interface OAuthAppDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  /** By provider. */
  readonly operatorApps: ReadonlyMap<string, OperatorApp>;
  /** By provider: where its OAuth endpoints are instead, for sandboxes and tests. */
  readonly urls: ReadonlyMap<string, string>;
}

/**
 * As which app we speak to providers: the tenant's own where it has one, else the operator's. An app is known at one place
 * only, and its secret goes nowhere else: a connection with a `baseUrl` takes the tenant's app of that place.
 */
export interface OAuthApps {
  /** Throws UNSUPPORTED where the provider has no OAuth, or nobody has registered an app with it. */
  require(tenantId: string, connector: Connector, settings: JsonObject): Promise<OAuthApp>;
  /** The same; undefined where nobody has registered an app. */
  find(tenantId: string, connector: Connector, settings: JsonObject): Promise<OAuthApp | undefined>;
  /** How the provider speaks OAuth, in this deployment. Throws UNSUPPORTED. */
  of(connector: Connector, settings: JsonObject): OAuth;
  /** Replaces the tenant's app. Throws INVALID_INPUT, UNSUPPORTED or NOT_FOUND for the provider. */
  set(caller: Caller, command: SetOAuthAppCommand): Promise<OAuthAppRecord>;
  /** Takes the tenant's app away; the operator's counts again. False: there was none. */
  remove(caller: Caller, providerId: string): Promise<boolean>;
  /** The tenant's own apps. */
  list(caller: Caller): Promise<readonly OAuthAppRecord[]>;
}

export function createOAuthApps(deps: OAuthAppDeps): OAuthApps {
  const { db, clock, vault, catalog, operatorApps, urls } = deps;

  function of(connector: Connector, settings: JsonObject): OAuth {
    const oauth = requireOAuth(connector);
    const url = urls.get(connector.manifest.id) ?? selfManagedUrl(connector.manifest, settings);
    return url === undefined ? oauth : at(url, oauth);
  }

  async function ownOrOperators(
    tenantId: string,
    providerId: string,
    baseUrl: string | undefined,
  ): Promise<OperatorApp | undefined> {
    const own = await db.for({ tenantId }).findOne(OAuthAppRecord, { providerId, baseUrl: baseUrl ?? null });
    if (!own) return baseUrl === undefined ? operatorApps.get(providerId) : undefined;
    const clientSecret = await vault.openSecret(own.sealedSecret, placeOf(own));
    return { clientId: own.clientId, clientSecret };
  }

  async function find(tenantId: string, connector: Connector, settings: JsonObject) {
    const oauth = of(connector, settings);
    const { manifest } = connector;
    const app = await ownOrOperators(tenantId, manifest.id, selfManagedUrl(manifest, settings));
    return app && { ...app, oauth, settings };
  }

  return {
    find,
    async require(tenantId, connector, settings) {
      const app = await find(tenantId, connector, settings);
      if (app) return app;
      const { id, name } = connector.manifest;
      const place = selfManagedUrl(connector.manifest, settings);
      if (place !== undefined) {
        throw new TributaryError(
          'UNSUPPORTED',
          `No OAuth app of yours is registered at ${place}. Register one there and set it by setOAuthApp, with this baseUrl.`,
        );
      }
      const prefix = `TRIBUTARY_PROVIDER_${id.toUpperCase().replaceAll('-', '_')}`;
      throw new TributaryError(
        'UNSUPPORTED',
        `No OAuth app is registered for ${name}. Register one there and set it by setOAuthApp; or the operator sets ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET.`,
      );
    },
    of,
    async set(caller, command) {
      const { providerId, clientId, clientSecret, baseUrl = null } = requireInput(setCommand, command);
      requirePlace(catalog.require(providerId), baseUrl);
      const { tenantId } = caller;
      const known = await db.for(caller).findOne(OAuthAppRecord, { providerId });
      const id = known?.id ?? uuidV7();
      const sealedSecret = await vault.seal(clientSecret, placeOf({ tenantId, id }));
      const record = { tenantId, providerId, id, clientId, baseUrl, sealedSecret, updatedAt: clock.now() };
      return db.for(caller).transactional(async (transaction) => {
        const app = await transaction.upsert(OAuthAppRecord, record, {
          onConflictFields: ['tenantId', 'providerId'],
          onConflictExcludeFields: ['id'],
        });
        const request = { client_id: clientId, ...(baseUrl && { base_url: baseUrl }) };
        attestSetting(transaction, caller, {
          setting: 'oauth_app',
          providerId,
          verb: 'set_oauth_app',
          request,
          occurredAt: clock.now(),
        });
        return app;
      });
    },
    remove: (caller, providerId) =>
      db.for(caller).transactional(async (transaction) => {
        const removed = await transaction.nativeDelete(OAuthAppRecord, { providerId });
        if (removed > 0)
          attestSetting(transaction, caller, {
            setting: 'oauth_app',
            providerId,
            verb: 'remove_oauth_app',
            request: {},
            occurredAt: clock.now(),
          });
        return removed > 0;
      }),
    list: (caller) => db.for(caller).find(OAuthAppRecord, {}, { orderBy: { providerId: 'asc' } }),
  };
}

/** Throws UNSUPPORTED. */
export function requireOAuth({ manifest }: Connector): OAuth {
  if (manifest.oauth) return manifest.oauth;
  throw new TributaryError('UNSUPPORTED', `${manifest.name} can’t be connected by OAuth.`);
}

/** Throws UNSUPPORTED, and INVALID_INPUT for a place where no such provider can be. */
function requirePlace(connector: Connector, baseUrl: string | null): void {
  requireOAuth(connector);
  if (baseUrl === null || connector.manifest.selfManaged) return;
  throw invalidInput('baseUrl', `must be left out: ${connector.manifest.name} is in one place only`);
}

/** The same paths elsewhere. */
function at(url: string, oauth: OAuth): OAuth {
  const moved = (address: string): string => address.replace(/^https:\/\/[^/]+/, () => url);
  const { issuer: _elsewhere, revocation, ...rest } = oauth;
  return {
    ...rest,
    authorizationUrl: moved(oauth.authorizationUrl),
    tokenUrl: moved(oauth.tokenUrl),
    ...(revocation && { revocation: { ...revocation, url: moved(revocation.url) } }),
  };
}

function placeOf({ tenantId, id }: Pick<OAuthAppRecord, 'tenantId' | 'id'>) {
  return { tenantId, id, field: 'oauth_client_secret' } as const;
}
