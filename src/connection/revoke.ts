import { type Connector, ProviderFailure, type TokenSet } from '../connector/index.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
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

export interface RevokerDeps {
  readonly db: Db;
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
  revoke(connection: Connection, correlationId: string): Promise<Revocation | null>;
  /** Tokens that came and are not taken. */
  revokeTokens(
    connection: Connection,
    app: OAuthApp,
    tokens: TokenSet,
    correlationId: string,
  ): Promise<Revocation>;
}

export function createRevoker({ db, vault, catalog, oauth, apps, gate, log }: RevokerDeps): Revoker {
  async function tokensOf({ id, tenantId }: Connection): Promise<TokenSet | null> {
    const record = await db.for({ tenantId }).findOne(CredentialRecord, { connectionId: id });
    if (!record) return null;
    const place = { tenantId, id, field: 'credential', version: record.version } as const;
    const fields = JSON.parse((await vault.openSecret(record.sealed, place)).reveal()) as Fields;
    return fromFields(fields, record.expiresAt ?? null);
  }

  /** The provider's own way where it has one; else RFC 7009, by the refresh token, with which the whole grant ends. */
  async function end(
    { id: connectionId, tenantId, settings }: Connection,
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
    const unsigned = { ...connector, auth: { ...connector.auth, sign: () => ({}) } };
    const target = { tenantId, connectionId, connector: unsigned, credential: {}, settings, correlationId };
    await connector.auth.revoke(gate.contextFor(target), { ...app, tokens });
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
      if (!(error instanceof OAuthFailure) && !(error instanceof ProviderFailure)) throw error;
      const { id, tenantId, providerId } = connection;
      log.warn({ err: error, connectionId: id, tenantId, providerId }, 'oauth: tokens could not be revoked');
      return 'failed';
    }
  }

  return {
    async revoke(connection, correlationId) {
      if (connection.authMethod !== 'OAUTH2') return null;
      const tokens = await tokensOf(connection);
      if (!tokens) return null;
      const connector = catalog.require(connection.providerId);
      const app = await apps.find(connection.tenantId, connector, connection.settings);
      return app ? revokeTokens(connection, app, tokens, correlationId) : 'unsupported';
    },
    revokeTokens,
  };
}
