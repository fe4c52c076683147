import {
  type Connector,
  type Credential,
  type OAuth,
  ProviderFailure,
  type TokenSet,
} from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { Secret } from '../core/secret.js';
import { type Assertion, signJwt } from '../credential/oauth/assertion.js';
import { OAuthFailure } from '../credential/oauth/failure.js';
import type { ProviderGate } from '../outbound/provider.js';
import type { Connection } from './connection.entity.js';
import { unsignedContext } from './unsigned.js';

export interface IssueDeps {
  readonly clock: Clock;
  readonly gate: ProviderGate;
}

/**
 * An access token of a service account, in its provider's own way. Throws {@link OAuthFailure}, as token endpoints do:
 * who renews tokens knows no other.
 */
export async function issueToken(
  { clock, gate }: IssueDeps,
  connection: Pick<Connection, 'id' | 'tenantId' | 'settings'>,
  connector: Connector,
  credential: Credential,
  correlationId: string,
): Promise<TokenSet> {
  const { issue } = connector.auth;
  if (!issue) throw new Error(`${connector.manifest.id} has no service accounts`);
  const context = unsignedContext(gate, connection, connector, correlationId, credential);
  try {
    const { accessToken, expiresAt } = await issue(
      { ...context, signJwt: (request) => signJwt(request, clock.now()) },
      credential,
    );
    return {
      accessToken: new Secret(accessToken),
      tokenType: 'bearer',
      ...(expiresAt && { expiresAt }),
    };
  } catch (error) {
    if (error instanceof ProviderFailure) throw asOAuth(error);
    throw error;
  }
}

/** Nothing is spent by asking: whatever went wrong, it may be asked again, unless the account itself is refused. */
function asOAuth(failure: ProviderFailure): OAuthFailure {
  const { category, code, message, providerStatus: status, retryAt } = failure.details;
  const isRefused = category === 'AUTH' || category === 'NOT_FOUND' || category === 'INVALID';
  return new OAuthFailure(isRefused ? 'invalid_client' : 'server', message, { code, status, retryAt });
}

/** How an account vouches for itself by RFC 7523, from the fields of `serviceAccountSchema`. */
export function assertionOf(
  { scopes, scopeSeparator }: OAuth,
  { issuer, privateKey, subject, keyId, algorithm }: Credential,
): Assertion {
  if (!issuer || !privateKey) throw new Error('a service account needs an issuer and a private key');
  return {
    issuer: issuer.reveal(),
    privateKey,
    algorithm: algorithm?.reveal() === 'ES256' ? 'ES256' : 'RS256',
    ...(subject && { subject: subject.reveal() }),
    ...(keyId && { keyId: keyId.reveal() }),
    ...(scopes.length > 0 && { claims: { scope: scopes.join(scopeSeparator) } }),
  };
}
