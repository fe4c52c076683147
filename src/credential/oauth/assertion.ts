import { randomUUID } from 'node:crypto';
import { type CryptoKey, SignJWT, importPKCS8 } from 'jose';
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
  /** PKCS #8 in PEM. */
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

/** What the parser says is dropped: it has seen the key. */
async function readKey(privateKey: Secret, algorithm: string): Promise<CryptoKey> {
  try {
    return await importPKCS8(privateKey.reveal(), algorithm);
  } catch {
    throw new OAuthFailure('invalid_client', `The private key is no PKCS #8 key for ${algorithm}.`);
  }
}
