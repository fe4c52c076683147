import { v7 as uuidV7 } from 'uuid';
import type {
  AuthMethod,
  Connector,
  Credential,
  JsonObject,
  ProviderFailure,
  RefreshTokenRule,
  TokenSet,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { OAuthFailure } from '../credential/oauth/failure.js';
import type { CredentialKey, Replacement } from '../credential/oauth/lease.js';
import type { OAuthClient } from '../credential/oauth/protocol.js';
import type { RefreshOutcome, Refresher } from '../credential/oauth/refresh.js';
import { givenFields } from '../credential/oauth/tokens.js';
import { SecretReferenceError } from '../credential/reference/error.js';
import type { SecretReferences } from '../credential/reference/references.js';
import type { ProviderGate } from '../outbound/provider.js';
import { attestChange, changeConnection, move } from './change.js';
import { Connection, CredentialRecord } from './connection.entity.js';
import {
  type Fields,
  type Material,
  type StoredFields,
  type TokenDemand,
  oauthFailure,
  resolveFields,
  tokenMaterial,
} from './material.js';
import { type OAuthApps, requireOAuth } from './oauth-app.js';
import { assertionOf, issueToken } from './service-account.js';
import { allows } from './status.js';

export interface TokenKeeperDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly oauth: OAuthClient;
  readonly apps: OAuthApps;
  readonly refresher: Refresher;
  readonly references: SecretReferences;
  readonly gate: ProviderGate;
}

/** Access tokens that end: kept good for as long as the provider lets us. */
export interface TokenKeeper {
  /** Undefined where the connection's method has no tokens that end. */
  materialOf(connection: Connection, connector: Connector, stored: StoredFields): Material | undefined;
  /** A token for client credentials (RFC 6749 §4.4) or a service account that is only tried; the failure as data. */
  grant(
    connection: ServiceConnection,
    connector: Connector,
    credential: Credential,
  ): Promise<TokenSet | ProviderFailure>;
}

/** What asking for a token needs to know of a connection. */
type ServiceConnection = Pick<Connection, 'id' | 'tenantId' | 'authMethod' | 'settings'>;

type Renew = (tokens: TokenSet) => Promise<TokenSet>;

/** Asking once more does no harm: each grant gives a token of its own. */
const GRANTED: RefreshTokenRule = { rotates: false, reuseSeconds: 0 };

/** The methods whose access tokens we get ourselves. */
export const tokenMethods: readonly AuthMethod[] = ['OAUTH2', 'OAUTH2_CLIENT_CREDENTIALS', 'SERVICE_ACCOUNT'];

export function createTokenKeeper(deps: TokenKeeperDeps): TokenKeeper {
  const { oauth, apps, refresher, references, log, metrics } = deps;

  function renewOf(connection: Connection, connector: Connector, fields: Fields): Renew {
    const { tenantId, settings } = connection;
    if (connection.authMethod === 'OAUTH2') {
      return async (tokens) => {
        const app = await beforeSending(() => apps.find(tenantId, connector, settings));
        if (!app)
          throw new OAuthFailure(
            'invalid_client',
            `No OAuth app is registered for ${connector.manifest.name}.`,
          );
        return oauth.refresh(app, tokens, fields['redirect_uri']);
      };
    }
    return async () => {
      const given = givenFields(fields);
      const credential = await beforeSending(() => resolveFields(references, tenantId, given));
      return tokenFor(connection, connector, credential);
    };
  }

  /** A token for what was given, without a refresh token: asking once more gives another. */
  function tokenFor(
    connection: ServiceConnection,
    connector: Connector,
    credential: Credential,
  ): Promise<TokenSet> {
    if (connection.authMethod === 'SERVICE_ACCOUNT') {
      if (connector.auth.issue) return issueToken(deps, connection, connector, credential, uuidV7());
      const app = { oauth: apps.of(connector, connection.settings), settings: connection.settings };
      return oauth.jwtBearer(app, assertionOf(app.oauth, credential));
    }
    return clientCredentials(connector, connection.settings, credential);
  }

  /**
   * What fails here has sent nothing, and must not look like an answer that was lost: the refresh token is as good as
   * it was.
   */
  async function beforeSending<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SecretReferenceError && error.kind !== 'unavailable') {
        throw new OAuthFailure('invalid_client', error.message, { code: `secret_${error.kind}` });
      }
      log.error({ err: error }, 'oauth: what a renewal needs could not be read');
      throw new OAuthFailure('unreachable', 'The OAuth app or client could not be read.');
    }
  }

  function clientCredentials(
    connector: Connector,
    settings: JsonObject,
    { clientId, clientSecret }: Credential,
  ): Promise<TokenSet> {
    if (!clientId || !clientSecret) throw new Error('client credentials need an id and a secret');
    const app = { oauth: apps.of(connector, settings), settings, clientId: clientId.reveal(), clientSecret };
    return oauth.clientCredentials(app);
  }

  async function ask(
    connection: Connection,
    connector: Connector,
    { fields }: StoredFields,
    demand: TokenDemand,
  ): Promise<RefreshOutcome> {
    const isCode = connection.authMethod === 'OAUTH2';
    const outcome = await refresher.tokensOf({
      tenantId: connection.tenantId,
      connectionId: connection.id,
      rule: isCode ? requireOAuth(connector).refreshToken : GRANTED,
      renew: renewOf(connection, connector, fields),
      ...demand,
    });
    count(connection.providerId, outcome);
    return outcome;
  }

  /** Who only looked, or waited for somebody else's attempt, has attempted nothing. */
  function count(provider: string, outcome: RefreshOutcome): void {
    if (outcome.kind !== 'ready') metrics.refreshes.inc({ provider, outcome: outcome.kind });
    else if (outcome.isRenewed) metrics.refreshes.inc({ provider, outcome: 'renewed' });
  }

  return {
    materialOf(connection, connector, stored) {
      if (!tokenMethods.includes(connection.authMethod)) return undefined;
      return tokenMaterial({
        version: stored.version,
        tokens: (demand) => ask(connection, connector, stored, demand),
        expire: (failure, version) => expireConnection(deps, connection, version, failure),
      });
    },
    async grant(connection, connector, credential) {
      try {
        return await tokenFor(connection, connector, credential);
      } catch (error) {
        if (!(error instanceof OAuthFailure)) throw error;
        return oauthFailure(error);
      }
    },
  };
}

/** Attests new tokens, in the transaction that stores them. For the lease store. */
export async function attestRefresh(
  transaction: EntityManager,
  { tenantId, connectionId }: CredentialKey,
  { version, createdAt, expiresAt }: Replacement,
): Promise<void> {
  const connection = await transaction.findOneOrFail(Connection, { id: connectionId });
  await attestChange(transaction, systemOf(tenantId), connection, connection.status, createdAt, {
    verb: 'refresh',
    outcome: 'SUCCESS',
    request: {},
    result: {
      status: connection.status,
      credential_version: version,
      expires_at: expiresAt?.toISOString() ?? null,
    },
  });
}

/**
 * Only a person can bring it back: said on the connection, once, with a receipt. Not of a credential that somebody has
 * replaced meanwhile.
 */
async function expireConnection(
  deps: Pick<TokenKeeperDeps, 'db' | 'clock'>,
  { id, tenantId }: Connection,
  version: number,
  failure: OAuthFailure,
): Promise<void> {
  await changeConnection(deps, systemOf(tenantId), id, async ({ transaction, connection, now, attest }) => {
    const record = await transaction.findOne(CredentialRecord, { connectionId: id });
    if (record?.version !== version || !allows('expired', connection.status)) return;
    const code = failure.kind === 'lost' ? 'refresh_lost' : 'refresh_refused';
    move(connection, 'expired', now, { code, message: failure.message, since: now.toISOString() });
    attest('refresh', 'FAILURE', {}, { status: connection.status, reason: code });
  });
}

function systemOf(tenantId: string): Caller {
  return { tenantId, subject: 'system', scopes: new Set(), correlationId: uuidV7() };
}
