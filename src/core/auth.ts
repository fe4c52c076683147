import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync, hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import {
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  SignJWT,
  createRemoteJWKSet,
  errors,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { v4 as uuidV4 } from 'uuid';
import type { Config } from '../config.js';
import { type Caller, OPERATOR } from './caller.js';
import type { Clock } from './clock.js';
import { ConfigError, TributaryError } from './errors.js';
import { readOrCreateKeyFile } from './key-file.js';

const DEV_ISSUER = 'tributary-dev';
const DEV_AUDIENCE = 'tributary';
const DEV_ALGORITHM = 'EdDSA';
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** As long as one fetch of the keys may take. */
const KEYS_RETRY_SECONDS = 5;

/** Who a token speaks for, and until when. */
export interface Identity extends Omit<Caller, 'correlationId'> {
  readonly expiresAt: Date;
}

export interface Authenticator {
  /** Takes the value of an Authorization header, `Bearer <token>`. Throws UNAUTHENTICATED saying what is wrong with it, or KEYS_UNAVAILABLE. */
  authenticate(authorization: string | undefined): Promise<Identity>;
}

/** Visible ASCII, so that it can stand in a header, a log line and a database. */
export const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

/** The caller's own id for this request, when it is one that can be passed on; else a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-correlation-id'];
  return typeof given === 'string' && CORRELATION_ID.test(given) ? given : uuidV4();
}

const MAX_KNOWN = 10_000;
/** A key that its issuer withdraws counts here for at most so much longer; the keys themselves are fetched less often. */
const KNOWN_MS = 60_000;

/**
 * Verifies tokens by the published keys of AUTH_JWKS_URL, or, where that is unset, by the development key of the data
 * directory. Who comes again within a minute is known by the token's hash: its signature is checked once.
 */
export function createAuthenticator(config: Config, clock: Clock): Authenticator {
  const { key, options } = config.AUTH_JWKS_URL ? jwks(config) : development(config);
  const known = new LRUCache<string, Identity>({ max: MAX_KNOWN, ttl: KNOWN_MS });

  async function verify(token: string): Promise<Identity> {
    const { payload } = await jwtVerify(token, key, {
      ...options,
      algorithms: ALGORITHMS,
      currentDate: clock.now(),
      requiredClaims: ['sub', 'exp', 'tenant_id'],
    }).catch((error: unknown) => {
      throw describe(error);
    });
    return toIdentity(payload);
  }

  return {
    async authenticate(authorization) {
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      if (!token) throw unauthenticated('Send a token as `Authorization: Bearer <token>`.');
      const name = hash('sha256', token, 'base64');
      const identity = known.get(name);
      if (identity && clock.now() < identity.expiresAt) return identity;
      const verified = await verify(token);
      known.set(name, verified);
      return verified;
    },
  };
}

function toIdentity({ sub = '', exp = 0, tenant_id: tenantId, scope = '' }: JWTPayload): Identity {
  if (typeof tenantId !== 'string' || tenantId === '' || tenantId.length > 255) {
    throw unauthenticated('The token’s tenant_id must be a text of 1 to 255 characters.');
  }
  if (tenantId === OPERATOR) throw unauthenticated('The token’s tenant_id is reserved.');
  if (typeof scope !== 'string')
    throw unauthenticated('The token’s scope must be one text, separated by spaces.');
  return {
    tenantId,
    subject: sub,
    scopes: new Set(scope.split(' ').filter((one) => one !== '')),
    expiresAt: new Date(exp * 1000),
  };
}

interface Verification {
  readonly key: JWTVerifyGetKey;
  readonly options: JWTVerifyOptions;
}

function jwks(config: Config): Verification {
  const find = createRemoteJWKSet(new URL(config.AUTH_JWKS_URL ?? ''));
  const key: JWTVerifyGetKey = (header, token) =>
    find(header, token).catch((error: unknown) => {
      throw isVerdict(error) ? error : keysUnavailable(error);
    });
  return {
    key,
    options: { issuer: config.AUTH_ISSUER ?? '', audience: config.AUTH_AUDIENCE ?? '' },
  };
}

/** Whether the published keys were read and the token is signed by none of them; else they could not be read. */
function isVerdict(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

function keysUnavailable(cause: unknown): TributaryError {
  const details = { retry_after_seconds: KEYS_RETRY_SECONDS };
  const message = 'The keys that sign tokens can’t be fetched right now; the token may be good.';
  return new TributaryError('KEYS_UNAVAILABLE', message, details, { cause });
}

function development(config: Config): Verification {
  const publicKey = createPublicKey(developmentKey(config));
  return { key: async () => publicKey, options: { issuer: DEV_ISSUER, audience: DEV_AUDIENCE } };
}

function developmentKey({ TRIBUTARY_DATA_DIR }: Config): KeyObject {
  const path = join(TRIBUTARY_DATA_DIR, 'token.key');
  const text = readOrCreateKeyFile(path, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const message = `${path}: not a private key. Delete the file for a new one; development tokens must then be made again.`;
    throw new ConfigError(message, { cause });
  }
}

export interface DevelopmentToken {
  readonly tenantId: string;
  readonly subject: string;
  /** Separated by spaces. */
  readonly scope: string;
  readonly lifetimeSeconds: number;
}

/** Signs a token with the data directory's key. Throws in prod, where such tokens are refused, and where AUTH_JWKS_URL decides. */
export async function issueDevelopmentToken(
  config: Config,
  claims: DevelopmentToken,
  clock: Clock,
): Promise<string> {
  if (config.TRIBUTARY_ENVIRONMENT === 'prod' || config.AUTH_JWKS_URL) {
    throw new Error('Development tokens are off: tokens come from the issuer behind AUTH_JWKS_URL.');
  }
  const now = Math.floor(clock.now().getTime() / 1000);
  return new SignJWT({ tenant_id: claims.tenantId, scope: claims.scope })
    .setProtectedHeader({ alg: DEV_ALGORITHM })
    .setSubject(claims.subject)
    .setIssuer(DEV_ISSUER)
    .setAudience(DEV_AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(now + claims.lifetimeSeconds)
    .sign(developmentKey(config));
}

function describe(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired; get a fresh one.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthenticated(`The token’s claim ${error.claim} is not acceptable.`);
  if (error instanceof errors.JOSEError)
    return unauthenticated('The token is not valid: malformed, or signed by an unknown key.');
  return error;
}

function unauthenticated(message: string): TributaryError {
  return new TributaryError('UNAUTHENTICATED', message);
}
