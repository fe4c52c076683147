import { createPrivateKey, randomUUID } from 'node:crypto';
import { type CryptoKey, SignJWT, importPKCS8 } from 'jose';
import type { JwtRequest } from '../../connector/index.js';
import type { Secret } from '../../core/secret.js';
import { OAuthFailure } from './failure.js';

/** Who vouches for whom in a JWT bearer grant (RFC 7523 §3): a service account. */
export interface Assertion {
  /** `iss`: the service account. */
  readonly issuer: string;
  /** `sub`: the user it acts for; without one, it acts for itself. */
  readonly subject?: string;
  /** `aud`; by default the token URL. */
  readonly audience?: string;
  /** PEM, PKCS #1 or #8. */
  readonly privateKey: Secret;
  readonly algorithm: 'RS256' | 'ES256';
  readonly keyId?: string;
  /** Beside the standard claims: Google wants `scope` here. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** Good for one request that leaves now: short, but long enough for clocks that disagree. */
const LIFE_SECONDS = 300;

/** Throws {@link OAuthFailure} when the key can’t be read. */
export async function signAssertion(assertion: Assertion, tokenUrl: string, now: Date): Promise<string> {
  const { issuer, subject = issuer, audience = tokenUrl, privateKey, algorithm, keyId, claims } = assertion;
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(await readKey(privateKey, algorithm));
}

/** A token that an app signs for itself, as a connector asks for it. Throws {@link OAuthFailure} like the above. */
export async function signJwt(request: JwtRequest, now: Date): Promise<string> {
  const { issuer, algorithm, privateKey, issuedSecondsAgo, lifeSeconds } = request;
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setIssuer(issuer)
    .setIssuedAt(seconds - issuedSecondsAgo)
    .setExpirationTime(seconds + lifeSeconds)
    .sign(await readKey(privateKey, algorithm));
}

/** What the parser says is dropped: it has seen the key. */
async function readKey(privateKey: Secret, algorithm: string): Promise<CryptoKey> {
  try {
    // GitHub hands out PKCS #1, which the library does not read.
    const pem = createPrivateKey(privateKey.reveal()).export({ type: 'pkcs8', format: 'pem' });
    return await importPKCS8(pem.toString(), algorithm);
  } catch {
    throw new OAuthFailure('invalid_client', `The private key is no key for ${algorithm} in PEM.`);
  }
}
