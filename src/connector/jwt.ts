import { createHash } from 'node:crypto';
import type { Secret } from '../core/secret.js';
import { type Json, isObject } from './json.js';
import { verifyHmac } from './signature.js';

export interface JwtCheck {
  /** As it stands behind `Bearer `. */
  readonly token: string | undefined;
  /** Every secret that counts at the moment: while one is being rotated, the new and the previous. */
  readonly secrets: readonly Secret[];
  readonly now: Date;
  /** What a claim `qsh` must be about. Without its path, a token with such a claim is refused. */
  readonly request: ClaimedRequest;
}

/** The request that a token came with, as Atlassian's `qsh` sees it. */
export interface ClaimedRequest {
  readonly method: string;
  /** Undefined: unknown. */
  readonly path: string | undefined;
  /** Decoded. */
  readonly query?: Readonly<Record<string, string>>;
}

/** How far the sender's clock may be from ours: RFC 7519 section 4.1.4 allows "a few minutes". */
const LEEWAY_SECONDS = 60;

/**
 * Whether one of the secrets signed this JSON Web Token by HS256 and it counts now (RFC 7515 and 7519). The algorithm is
 * ours to choose: a header that names another is refused, `none` among them. `exp` has to be there. Never throws.
 *
 * It vouches for its own claims alone: not one byte of the body is signed by it.
 */
export function verifyJwtHs256({ token, secrets, now, request }: JwtCheck): boolean {
  const [header = '', claims = '', given, ...others] = token?.split('.') ?? [];
  if (given === undefined || others.length > 0) return false;
  const signed = Buffer.from(`${header}.${claims}`);
  // First of all: nothing that nobody has signed is parsed.
  if (!verifyHmac({ algorithm: 'sha256', secrets, signed, given, encoding: 'base64url' })) return false;
  return isHs256(parse(header)) && counts(parse(claims), now, request);
}

/** Extensions that have to be understood (`crit`) are none that we know: RFC 7515 section 4.1.11. */
function isHs256(header: Json | undefined): boolean {
  return isObject(header) && header['alg'] === 'HS256' && header['crit'] === undefined;
}

function counts(claims: Json | undefined, now: Date, request: ClaimedRequest): boolean {
  if (!isObject(claims)) return false;
  const { exp, nbf = 0, qsh } = claims;
  const seconds = now.getTime() / 1000;
  if (typeof exp !== 'number' || seconds >= exp + LEEWAY_SECONDS) return false;
  if (typeof nbf !== 'number' || seconds < nbf - LEEWAY_SECONDS) return false;
  return qsh === undefined || (request.path !== undefined && qsh === queryHashOf(request));
}

function parse(part: string): Json | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json;
  } catch {
    return undefined;
  }
}

/**
 * The hash of method, path and query that Atlassian puts into a token, so that it is good for one request:
 * https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/#creating-a-query-string-hash
 */
function queryHashOf({ method, path = '', query = {} }: ClaimedRequest): string {
  const parameters = Object.entries(query)
    .filter(([name]) => name !== 'jwt')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const canonical = [method.toUpperCase(), trimmed.replaceAll('&', '%26'), parameters].join('&');
  return createHash('sha256').update(canonical).digest('hex');
}

/** Percent-encoding by RFC 3986, which leaves fewer characters alone than encodeURIComponent. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, toHex);
}

function toHex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
