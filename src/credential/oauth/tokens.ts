import { type OAuth, type TokenSet, at, compact, isObject, textAt } from '../../connector/index.js';
import { Secret } from '../../core/secret.js';
import { type Answer, failureOfAnswer } from './failure.js';

/** What no life of a token exceeds; a time further off would fit no date. */
const MAX_LIFE_SECONDS = 100 * 366 * 86_400;

/**
 * Reads a token response (RFC 6749 §5.1) as providers really send it: Slack has a type of its own and says 200 to
 * errors, as GitHub does; Notion sends null where there is no refresh token; lifetimes come as text. `sentAt` is when
 * the request left, by our clock: the server's clock plays no part, and the time on the way only makes us early.
 */
export function readTokens(answer: Answer, oauth: OAuth, sentAt: Date, now: Date): TokenSet {
  const { status, body } = answer;
  const nested = oauth.tokenPath ? at(body, ...oauth.tokenPath) : undefined;
  const fields = isObject(nested) && textAt(nested, 'access_token') ? nested : body;
  const accessToken = textAt(fields, 'access_token');
  if (status < 200 || status > 299 || accessToken === undefined) throw failureOfAnswer(answer, oauth, now);
  return compact({
    accessToken: new Secret(accessToken),
    refreshToken: toSecret(textAt(fields, 'refresh_token')),
    tokenType: textAt(fields, 'token_type')?.toLowerCase() ?? 'bearer',
    scopes: toScopes(at(fields, 'scope')),
    expiresAt: after(sentAt, lifeOf(at(fields, 'expires_in')) ?? oauth.defaultExpiresInSeconds ?? undefined),
    refreshExpiresAt: after(sentAt, lifeOf(at(fields, 'refresh_token_expires_in'))),
  });
}

/** A refresh that says nothing of the refresh token or the scopes leaves them as they were (RFC 6749 §6). */
export function keepUnsaid(fresh: TokenSet, previous: TokenSet): TokenSet {
  const { refreshToken, refreshExpiresAt, scopes } = previous;
  return compact({
    ...fresh,
    refreshToken: fresh.refreshToken ?? refreshToken,
    refreshExpiresAt: fresh.refreshExpiresAt ?? (fresh.refreshToken ? undefined : refreshExpiresAt),
    scopes: fresh.scopes ?? scopes,
  });
}

/** The fields of a credential as it is sealed; the access token's expiry stands beside the seal, in a column. */
export function toFields(tokens: TokenSet): Record<string, string> {
  return compact({
    access_token: tokens.accessToken.reveal(),
    refresh_token: tokens.refreshToken?.reveal(),
    token_type: tokens.tokenType,
    scope: tokens.scopes?.join(' '),
    refresh_expires_at: tokens.refreshExpiresAt?.toISOString(),
  });
}

const TOKEN_FIELDS = new Set(['access_token', 'refresh_token', 'token_type', 'scope', 'refresh_expires_at']);

/** The credential with its tokens replaced; whatever else was sealed with them stays. */
export function withTokens(
  fields: Readonly<Record<string, string>>,
  tokens: TokenSet,
): Record<string, string> {
  return { ...givenFields(fields), ...toFields(tokens) };
}

/** What was sealed beside the tokens: the client's or account's own proof. */
export function givenFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !TOKEN_FIELDS.has(name)));
}

/** The way back from {@link toFields}. Throws when there is no access token: then it is the credential of another method. */
export function fromFields(fields: Readonly<Record<string, string>>, expiresAt: Date | null): TokenSet {
  const { access_token, refresh_token, token_type = 'bearer', scope, refresh_expires_at } = fields;
  if (access_token === undefined) throw new Error('the credential holds no access token');
  return compact({
    accessToken: new Secret(access_token),
    refreshToken: toSecret(refresh_token),
    tokenType: token_type,
    scopes: toScopes(scope),
    expiresAt: expiresAt ?? undefined,
    refreshExpiresAt: refresh_expires_at === undefined ? undefined : new Date(refresh_expires_at),
  });
}

function toSecret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}

/** GitHub is asked with blanks and answers with commas; GitLab’s and others’ JSON may hold a list. */
function toScopes(scope: unknown): readonly string[] | undefined {
  if (Array.isArray(scope)) return scope.map(String);
  return typeof scope === 'string' ? scope.split(/[\s,]+/).filter((name) => name !== '') : undefined;
}

/** Seconds. What is no positive number says nothing, and must not cost us the tokens that came with it. */
function lifeOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, MAX_LIFE_SECONDS) : undefined;
}

function after(moment: Date, seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(moment.getTime() + seconds * 1000);
}
