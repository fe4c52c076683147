import {
  type Connector,
  type Credential,
  ProviderFailure,
  type TokenSet,
  compact,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import { Secret } from '../core/secret.js';
import type { AccessLog, Accessor } from '../credential/access.js';
import { OAuthFailure } from '../credential/oauth/failure.js';
import type { OAuthClient } from '../credential/oauth/protocol.js';
import type { OAuthApp } from '../credential/oauth/server.js';
import { fromFields } from '../credential/oauth/tokens.js';
import type { Vault } from '../credential/vault.js';
import type { ProviderGate } from '../outbound/provider.js';
import type { ProviderCatalog } from './catalog.js';
import { type Connection, CredentialRecord } from './connection.entity.js';
import type { Fields } from './material.js';
import type { OAuthApps } from './oauth-app.js';
import { unsignedContext } from './unsigned.js';

export interface RevokerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly accesses: AccessLog;
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  readonly oauth: OAuthClient;
  readonly apps: OAuthApps;
  readonly gate: ProviderGate;
  readonly log: Log;
}

/** What became of it: `unsupported` where the provider has no way to revoke. For receipts. */
export type Revocation = 'revoked' | 'unsupported' | 'failed';

/** Gives consents back to the provider. One that does not take them must not keep anybody from disconnecting. */
export interface Revoker {
  /** What the connection holds. Null: it holds nothing that a person has consented to. */
  revoke(
    connection: Connection,
    caller: Pick<Caller, 'subject' | 'correlationId'>,
  ): Promise<Revocation | null>;
  /** Tokens that came and are not taken. */
  revokeTokens(
    connection: Connection,
    app: OAuthApp,
    tokens: TokenSet,
    correlationId: string,
  ): Promise<Revocation>;
}

export function createRevoker({
  db,
  clock,
  vault,
  accesses,
  catalog,
  oauth,
  apps,
  gate,
  log,
}: RevokerDeps): Revoker {
  async function tokensOf({ id, tenantId }: Connection, accessor: Accessor): Promise<TokenSet | null> {
    const record = await db.for({ tenantId }).findOne(CredentialRecord, { connectionId: id });
    if (!record) return null;
    accesses.record({
      ...accessor,
      tenantId,
      connectionId: id,
      field: 'credential',
      secretVersion: record.version,
      at: clock.now(),
    });
    const place = { tenantId, id, field: 'credential', version: record.version } as const;
    const fields = JSON.parse((await vault.openSecret(record.sealed, place)).reveal()) as Fields;
    return fromFields(fields, record.expiresAt ?? null);
  }

  /** The provider's own way where it has one; else RFC 7009, by the refresh token, with which the whole grant ends. */
  async function end(
    connection: Connection,
    connector: Connector,
    app: OAuthApp,
    tokens: TokenSet,
    correlationId: string,
  ): Promise<boolean> {
    if (!connector.auth.revoke) {
      const { refreshToken, accessToken } = tokens;
      if (refreshToken) return oauth.revoke(app, refreshToken, 'refresh_token');
      return oauth.revoke(app, accessToken, 'access_token');
    }
    const unsigned = unsignedContext(
      gate,
      connection,
      connector,
      correlationId,
      secretsOf(app, tokens),
      true,
    );
    await connector.auth.revoke(unsigned, { ...app, tokens });
    return true;
  }

  async function revokeTokens(
    connection: Connection,
    app: OAuthApp,
    tokens: TokenSet,
    correlationId: string,
  ): Promise<Revocation> {
    const connector = catalog.require(connection.providerId);
    try {
      const isEnded = await end(connection, connector, app, tokens, correlationId);
      return isEnded ? 'revoked' : 'unsupported';
    } catch (error) {
      return tell(connection, error);
    }
  }

  /** Whatever is wrong here, with the provider or with what we have stored, keeps nobody from leaving. */
  function tell({ id: connectionId, tenantId, providerId }: Connection, error: unknown): Revocation {
    const isTheirs = error instanceof OAuthFailure || error instanceof ProviderFailure;
    const what = { err: error, connectionId, tenantId, providerId };
    if (isTheirs) log.warn(what, 'oauth: tokens could not be revoked');
    else log.error(what, 'oauth: what was to be revoked could not be read');
    return 'failed';
  }

  return {
    async revoke(connection, { subject, correlationId }) {
      if (connection.authMethod !== 'OAUTH2') return null;
      try {
        const tokens = await tokensOf(connection, { actor: subject, purpose: 'revoke', correlationId });
        if (!tokens) return null;
        const connector = catalog.require(connection.providerId);
        const app = await apps.find(connection.tenantId, connector, connection.settings);
        return app ? await revokeTokens(connection, app, tokens, correlationId) : 'unsupported';
      } catch (error) {
        return tell(connection, error);
      }
    },
    revokeTokens,
  };
}

/** What a revocation carries, in every form that it takes on the way. */
function secretsOf({ clientId, clientSecret }: OAuthApp, tokens: TokenSet): Credential {
  const basic = Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64');
  return compact({
    clientSecret,
    basic: new Secret(basic),
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
  });
}
