import type { Credential, TokenSet } from '../connector/index.js';
import { ProviderFailure } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { OAuthFailure } from '../credential/oauth/failure.js';
import type { CodeExchange, OAuthClient } from '../credential/oauth/protocol.js';
import type { OAuthApp } from '../credential/oauth/server.js';
import { toFields } from '../credential/oauth/tokens.js';
import type { Vault } from '../credential/vault.js';
import { type Change, changeConnection, requireTransition } from './change.js';
import { Connection, CredentialRecord } from './connection.entity.js';
import { oauthFailure } from './material.js';
import type { OAuthApps } from './oauth-app.js';
import type { Revocation, Revoker } from './revoke.js';
import { sameAccount } from './rotate.js';
import { allows } from './status.js';
import { type Finding, type VerifyDeps, activate, identify } from './verify.js';

export interface ConsentDeps extends VerifyDeps {
  readonly vault: Vault;
  readonly oauth: OAuthClient;
  readonly apps: OAuthApps;
  readonly revoker: Revoker;
  readonly log: Log;
}

/** A person back from the provider, in the browser that began. */
export interface Consent {
  /** Who began the authorization. */
  readonly caller: Caller;
  readonly connectionId: string;
  readonly returnTo: string | null;
  readonly exchange: CodeExchange;
}

/** How an authorization ended. */
export interface Authorized {
  readonly connection: Connection;
  readonly returnTo: string | null;
  /** Why it did not work; a connection that worked before goes on as it was. */
  readonly failure: AuthorizationFailure | null;
}

export interface AuthorizationFailure {
  /** Stable, lower_snake. */
  readonly code: string;
  /** Safe to show to whoever sits at the browser. */
  readonly message: string;
}

type Outcome = Omit<Authorized, 'returnTo'>;

/**
 * Turns the callback into a working connection. The person is gone by then: what goes wrong is kept on the
 * connection and answered, not thrown. Throws AUTHORIZATION_OVER when the connection is not to be authorized any more,
 * and UNSUPPORTED when its OAuth app is gone.
 */
export async function settleConsent(
  deps: ConsentDeps,
  { caller, connectionId, returnTo, exchange }: Consent,
): Promise<Authorized> {
  const connection = await deps.db.for(caller).findOneOrFail(Connection, { id: connectionId });
  // Suspended or disconnected since: the code is left to end by itself.
  if (!allows('authorized', connection.status)) throw isOver();
  const connector = deps.catalog.require(connection.providerId);
  const app = await deps.apps.require(caller.tenantId, connector, connection.settings);
  try {
    const tokens = await deps.oauth.exchange(app, exchange);
    return { ...(await adopt(deps, caller, connection, app, tokens, exchange.redirectUri)), returnTo };
  } catch (error) {
    if (!(error instanceof OAuthFailure)) throw error;
    const { code } = oauthFailure(error).details;
    return { ...(await refuse(deps, caller, connectionId, { code, message: error.message })), returnTo };
  }
}

/** Tried first, and only then put in the place of what may still work. What is not taken is revoked. */
async function adopt(
  deps: ConsentDeps,
  caller: Caller,
  connection: Connection,
  app: OAuthApp,
  tokens: TokenSet,
  redirectUri: string,
): Promise<Outcome> {
  const candidate: Credential = { accessToken: tokens.accessToken };
  let finding: Finding | undefined;
  try {
    finding = sameAccount(connection, await identify(deps, caller, connection, 'authorize', candidate));
    if (finding.failure) throw finding.failure;
    const stored = await store(deps, caller, connection.id, finding, app, tokens, redirectUri);
    return { connection: stored, failure: null };
  } catch (error) {
    const failure = toFailure(error);
    if (!failure && finding && (await mayBeStored(deps, caller, connection, finding))) throw error;
    const consent = await deps.revoker.revokeTokens(connection, app, tokens, caller.correlationId);
    if (!failure) throw error;
    return refuse(deps, caller, connection.id, failure, consent);
  }
}

/**
 * Whether a commit has taken effect, though its answer was lost. Looked up under the connection's lock, so that one that
 * is still under way is over. In doubt it has: tokens that work must not be revoked.
 */
async function mayBeStored(
  { log, ...deps }: ConsentDeps,
  caller: Caller,
  { id: connectionId, tenantId }: Connection,
  { credentialVersion }: Finding,
): Promise<boolean> {
  try {
    return await changeConnection(deps, caller, connectionId, async ({ transaction }) => {
      const record = await transaction.findOne(CredentialRecord, { connectionId });
      return (record?.version ?? 0) > credentialVersion;
    });
  } catch (error) {
    if (error instanceof TributaryError && error.code === 'NOT_FOUND') return false;
    log.error(
      { err: error, connectionId, tenantId },
      'oauth: new tokens may not be stored, and were not revoked',
    );
    return true;
  }
}

function store(
  { vault, ...deps }: ConsentDeps,
  caller: Caller,
  connectionId: string,
  { identity, credentialVersion }: Finding,
  app: OAuthApp,
  tokens: TokenSet,
  redirectUri: string,
): Promise<Connection> {
  return changeConnection(deps, caller, connectionId, async ({ transaction, connection, now, attest }) => {
    requireTransition(connection, 'authorized', 'authorized');
    const { tenantId, id } = connection;
    const version = credentialVersion + 1;
    const record = await transaction.findOne(CredentialRecord, { connectionId });
    if ((record?.version ?? 0) !== credentialVersion) {
      throw new TributaryError('CONFLICT', 'The credential was replaced by someone else at the same time.');
    }
    const place = { tenantId, id, field: 'credential', version } as const;
    // Some want it again with every refresh.
    const stored = { ...toFields(tokens), redirect_uri: redirectUri };
    const sealed = await vault.seal(JSON.stringify(stored), place);
    const fields = { version, sealed, createdAt: now, expiresAt: tokens.expiresAt ?? null };
    if (record) transaction.assign(record, fields);
    else transaction.create(CredentialRecord, { connectionId, tenantId, ...fields }, { persist: true });
    if (identity) {
      const grantedScopes = identity.grantedScopes ?? tokens.scopes;
      activate(connection, { ...identity, grantedScopes }, 'authorized', now);
      connection.appClientId = app.clientId;
    }
    attest(
      'authorize',
      'SUCCESS',
      {},
      {
        status: connection.status,
        account: connection.account ?? null,
        credential_version: version,
        expires_at: tokens.expiresAt?.toISOString() ?? null,
      },
    );
    return connection;
  });
}

/**
 * Only one that never worked has anything to tell: what works, works on, and what needs a person says so already.
 * `consent`: what became of tokens that came and are not taken.
 */
async function refuse(
  deps: ConsentDeps,
  caller: Caller,
  connectionId: string,
  failure: AuthorizationFailure,
  consent: Revocation | null = null,
): Promise<Outcome> {
  const settle = ({ connection, now, attest }: Change): Connection => {
    if (connection.status === 'AUTHORIZING') {
      connection.statusReason = { ...failure, since: now.toISOString() };
      connection.updatedAt = now;
    }
    attest('authorize', 'FAILURE', {}, { status: connection.status, reason: failure.code, consent });
    return connection;
  };
  return { connection: await changeConnection(deps, caller, connectionId, settle), failure };
}

function toFailure(error: unknown): AuthorizationFailure | null {
  if (error instanceof ProviderFailure) return { code: error.details.code, message: error.message };
  if (error instanceof TributaryError && error.code !== 'NOT_FOUND') {
    return { code: error.code.toLowerCase(), message: error.message };
  }
  return null;
}

/** One answer for all that is wrong with a link or a callback: whoever guesses learns nothing. */
export function isOver(): TributaryError {
  return new TributaryError(
    'AUTHORIZATION_OVER',
    'This authorization is unknown, over, already used, or was begun in another browser.',
  );
}
