import type { Secret } from '../core/secret.js';

/**
 * How a provider speaks OAuth 2.0 (RFC 6749), as data. URLs are https and may hold settings of the connection as
 * `{name}`: `https://{host}/oauth/token`. Such a setting is a host or one segment of a path.
 */
export interface OAuth {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** Absent: the provider has no way to revoke by RFC 7009. */
  readonly revocation?: OAuthRevocation;
  /** Where given, the `iss` of every callback must be this (RFC 9207): protects from mix-ups between servers. */
  readonly issuer?: string;
  /** Asked for when nobody asks for others. Empty: the provider takes them from the registered app. */
  readonly scopes: readonly string[];
  /** Between the scopes that are asked for. What comes back is read with either. */
  readonly scopeSeparator: ' ' | ',';
  readonly pkce: 'S256' | 'none';
  /** Where the client's id and secret stand: HTTP Basic, or fields of the body. */
  readonly clientAuthentication: 'basic' | 'post';
  readonly tokenBody: 'form' | 'json';
  /** Sent along with every authorization request: `{ prompt: 'consent' }`. */
  readonly authorizationParams?: Readonly<Record<string, string>>;
  /** Path to the object that holds the tokens when they are not at the top of the answer: `['authed_user']`. */
  readonly tokenPath?: readonly string[];
  readonly refreshToken: RefreshTokenRule;
  /** Life of an access token whose answer has no `expires_in`. Null: it does not expire. */
  readonly defaultExpiresInSeconds: number | null;
  /** The provider's own error codes, each with the one of RFC 6749 that says the same. */
  readonly errorCodes?: Readonly<Record<string, OAuthErrorCode>>;
}

/** RFC 7009: the token in a POST, authenticated like a token request. */
export interface OAuthRevocation {
  readonly style: 'rfc7009';
  readonly url: string;
}

/** What using a refresh token does to it. */
export interface RefreshTokenRule {
  /** Each use brings a new one, and the old one dies. */
  readonly rotates: boolean;
  /** For so long after its use the provider takes the old one again. 0: never. */
  readonly reuseSeconds: number;
  /** GitLab wants the redirect URI of the authorization with every refresh. */
  readonly needsRedirectUri?: boolean;
}

/** The errors of RFC 6749 §4.1.2.1 and §5.2. */
export type OAuthErrorCode =
  | 'access_denied'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type';

/** What a grant gave. Times are by our clock, counted from before the request left. */
export interface TokenSet {
  readonly accessToken: Secret;
  readonly refreshToken?: Secret;
  /** Lower case, `bearer` with nearly everyone. */
  readonly tokenType: string;
  /** What was granted. Absent: the provider does not tell, and RFC 6749 §5.1 makes it what was asked for. */
  readonly scopes?: readonly string[];
  /** Absent: the access token does not expire. */
  readonly expiresAt?: Date;
  readonly refreshExpiresAt?: Date;
}
