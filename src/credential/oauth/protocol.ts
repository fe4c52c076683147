import {
  AuthorizationResponseError,
  OperationProcessingError,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  clientCredentialsGrantRequest,
  generateRandomCodeVerifier,
  generateRandomState,
  genericTokenEndpointRequest,
  nopkce,
  refreshTokenGrantRequest,
  revocationRequest,
  validateAuthResponse,
} from 'oauth4webapi';
import type { OAuth, TokenSet } from '../../connector/index.js';
import type { Clock } from '../../core/clock.js';
import { Secret } from '../../core/secret.js';
import type { HttpClient } from '../../outbound/client.js';
import { toFetch } from '../../outbound/fetch.js';
import { type Assertion, signAssertion } from './assertion.js';
import { type Answer, OAuthFailure, failureOfAnswer, failureOfCode, failureOfError } from './failure.js';
import { type OAuthApp, type Server, toServer } from './server.js';
import { keepUnsaid, readTokens } from './tokens.js';

export interface OAuthClientDeps {
  readonly client: HttpClient;
  readonly clock: Clock;
  /** For one request, connecting and reading included. */
  readonly deadlineMs?: number;
}

/** What `begin` needs beside the app. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  /** By default the provider's. */
  readonly scopes?: readonly string[];
}

/** An authorization that has begun. All three belong to one flow; verifier and state are kept until its callback. */
export interface Authorization {
  /** Where the person goes. */
  readonly authorizationUrl: URL;
  /** 256 bits, base64url. */
  readonly state: string;
  /** RFC 7636; undefined when the provider does not take one. */
  readonly codeVerifier: Secret | undefined;
}

export interface CodeExchange {
  /** The query of the callback. */
  readonly callback: URLSearchParams;
  readonly state: string;
  readonly codeVerifier: Secret | undefined;
  readonly redirectUri: string;
}

/** The requests of OAuth 2.0, one method each. All throw {@link OAuthFailure}; none is ever sent twice. */
export interface OAuthClient {
  begin(app: OAuthApp, request: AuthorizationRequest): Promise<Authorization>;
  /** Checks the callback and turns its code into tokens (RFC 6749 §4.1.3). */
  exchange(app: OAuthApp, exchange: CodeExchange): Promise<TokenSet>;
  /** RFC 6749 §6. `redirectUri`: for the providers that want it again. */
  refresh(app: OAuthApp, tokens: TokenSet, redirectUri?: string): Promise<TokenSet>;
  /** RFC 6749 §4.4. */
  clientCredentials(app: OAuthApp, scopes?: readonly string[]): Promise<TokenSet>;
  /** RFC 7523 §2.1. The assertion is the proof; the app's own secret is not sent. */
  jwtBearer(app: Pick<OAuthApp, 'oauth' | 'settings'>, assertion: Assertion): Promise<TokenSet>;
  /** RFC 7009. A token that is not there any more counts as revoked. False: the provider has no such request. */
  revoke(app: OAuthApp, token: Secret, hint: 'access_token' | 'refresh_token'): Promise<boolean>;
}

const DEADLINE_MS = 10_000;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export function createOAuthClient({ client, clock, deadlineMs = DEADLINE_MS }: OAuthClientDeps): OAuthClient {
  const fetch = toFetch(client, deadlineMs);

  async function askForTokens(
    app: OAuthApp,
    request: (server: Server) => Promise<Response>,
  ): Promise<TokenSet> {
    const server = toServer(app, fetch);
    const sentAt = clock.now();
    const answer = await receive(request(server));
    return readTokens(answer, app.oauth, sentAt, clock.now());
  }

  return {
    async begin(app, { redirectUri, scopes = app.oauth.scopes }) {
      const { as, client: registered } = toServer(app, fetch);
      const state = generateRandomState();
      const codeVerifier = app.oauth.pkce === 'S256' ? new Secret(generateRandomCodeVerifier()) : undefined;
      const authorizationUrl = new URL(as.authorization_endpoint ?? '');
      const params = {
        ...app.oauth.authorizationParams,
        response_type: 'code',
        client_id: registered.client_id,
        redirect_uri: redirectUri,
        state,
        ...(scopes.length > 0 && { scope: scopes.join(app.oauth.scopeSeparator) }),
        ...(codeVerifier && {
          code_challenge: await calculatePKCECodeChallenge(codeVerifier.reveal()),
          code_challenge_method: 'S256',
        }),
      };
      for (const [name, value] of Object.entries(params)) authorizationUrl.searchParams.set(name, value);
      return { authorizationUrl, state, codeVerifier };
    },

    exchange: (app, { callback, state, codeVerifier, redirectUri }) =>
      askForTokens(app, (server) => {
        const params = checkCallback(server, app.oauth, callback, state);
        const verifier = codeVerifier?.reveal() ?? nopkce;
        const { as, client: registered, auth, options } = server;
        return authorizationCodeGrantRequest(as, registered, auth, params, redirectUri, verifier, options);
      }),

    async refresh(app, tokens, redirectUri) {
      const { refreshToken } = tokens;
      if (!refreshToken) throw new OAuthFailure('invalid_grant', 'The provider gave no refresh token.');
      const needsUri = app.oauth.refreshToken.needsRedirectUri && redirectUri !== undefined;
      const fresh = await askForTokens(app, ({ as, client: registered, auth, options }) =>
        refreshTokenGrantRequest(as, registered, auth, refreshToken.reveal(), {
          ...options,
          ...(needsUri && { additionalParameters: { redirect_uri: redirectUri } }),
        }),
      );
      return keepUnsaid(fresh, tokens);
    },

    clientCredentials: (app, scopes = app.oauth.scopes) =>
      askForTokens(app, ({ as, client: registered, auth, options }) => {
        const scope = scopes.join(app.oauth.scopeSeparator);
        return clientCredentialsGrantRequest(as, registered, auth, scope === '' ? {} : { scope }, options);
      }),

    jwtBearer: (app, assertion) =>
      askForTokens(
        { ...app, clientId: assertion.issuer, clientSecret: assertion.privateKey },
        async ({ as, client: registered, options }) => {
          const signed = await signAssertion(assertion, as.token_endpoint ?? '', clock.now());
          const params = { assertion: signed };
          return genericTokenEndpointRequest(as, registered, noClientAuth, JWT_BEARER, params, options);
        },
      ),

    async revoke(app, token, hint) {
      if (!app.oauth.revocation) return false;
      const { as, client: registered, auth, options } = toServer(app, fetch);
      const additionalParameters = { token_type_hint: hint };
      const sent = revocationRequest(as, registered, auth, token.reveal(), {
        ...options,
        additionalParameters,
      });
      const answer = await receive(sent);
      if (answer.status >= 200 && answer.status < 300) return true;
      throw failureOfAnswer(answer, app.oauth, clock.now());
    },
  };
}

async function receive(sent: Promise<Response>): Promise<Answer> {
  const response = await sent.catch((error: unknown) => {
    throw error instanceof OAuthFailure ? error : failureOfError(error);
  });
  const text = await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), text, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, whatever it is called: what that means is for the reader of the answer to say.
    return undefined;
  }
}

/** One code, with our state, from the issuer we sent the person to. */
function checkCallback(
  { as, client }: Server,
  oauth: OAuth,
  callback: URLSearchParams,
  state: string,
): URLSearchParams {
  try {
    const params = validateAuthResponse(as, client, toCallback(oauth, callback), state);
    if (params.getAll('code').length === 1) return params;
  } catch (error) {
    if (error instanceof AuthorizationResponseError) throw failureOfCode(error.error, oauth);
    // What it holds is the whole callback, and with it the code: that goes no further.
    if (!(error instanceof OperationProcessingError)) throw error;
  }
  throw new OAuthFailure('invalid_request', 'The callback does not belong to this authorization.');
}

/** Where nothing is known of the provider's issuer, there is nothing to hold its `iss` against. */
function toCallback({ issuer }: OAuth, callback: URLSearchParams): URLSearchParams {
  const params = new URLSearchParams(callback);
  if (issuer === undefined) params.delete('iss');
  return params;
}

function noClientAuth(): void {}
