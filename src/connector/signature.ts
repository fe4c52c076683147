import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.js';

export interface HmacCheck {
  readonly algorithm: 'sha256' | 'sha1' | 'sha512';
  /** Every secret that counts at the moment: while one is being rotated, the new and the previous. */
  readonly secrets: readonly Secret[];
  /** Exactly the bytes the provider signed; usually the raw body. */
  readonly signed: Buffer | readonly (Buffer | string)[];
  /** The signature as it stands in the header. */
  readonly given: string | undefined;
  readonly encoding: 'hex' | 'base64' | 'base64url';
  /** Text in front of the signature, such as `sha256=`. A signature without it is refused. */
  readonly prefix?: string;
  /** The key's bytes, where the secret's text only stands for them. Undefined: this secret is no key, and fits nothing. */
  readonly keyOf?: (secret: Secret) => Buffer | undefined;
}

/**
 * The one place where a webhook's HMAC is checked. Constant time over the digest; closed on every doubt:
 * no secret, no header, wrong prefix, wrong length and wrong alphabet are all plain false.
 */
export function verifyHmac(check: HmacCheck): boolean {
  const given = decode(check);
  if (!given) return false;
  let isValid = false;
  // No early exit: which of two secrets fits must not show in the time it takes.
  for (const secret of check.secrets) {
    const expected = digest(check, secret);
    if (expected && expected.length === given.length && timingSafeEqual(expected, given)) isValid = true;
  }
  return isValid;
}

function decode({ given, prefix = '', encoding }: HmacCheck): Buffer | undefined {
  if (given === undefined || !given.startsWith(prefix)) return undefined;
  const text = given.slice(prefix.length);
  const bytes = Buffer.from(text, encoding);
  // Buffer.from skips what it can't read; only text that reads back the same was a signature.
  const isExact =
    encoding === 'hex' ? bytes.toString('hex') === text.toLowerCase() : bytes.toString(encoding) === text;
  return isExact && bytes.length > 0 ? bytes : undefined;
}

function digest({ algorithm, signed, keyOf }: HmacCheck, secret: Secret): Buffer | undefined {
  const key = keyOf ? keyOf(secret) : secret.reveal();
  if (key === undefined || key.length === 0) return undefined;
  const hmac = createHmac(algorithm, key);
  for (const part of Buffer.isBuffer(signed) ? [signed] : signed) hmac.update(part);
  return hmac.digest();
}

/** Whether a text is one of the secrets, in constant time. For providers that send the secret itself. */
export function isSecret(given: string | undefined, secrets: readonly Secret[]): boolean {
  if (!given) return false;
  let isKnown = false;
  for (const secret of secrets) {
    // Digests have one length, so that neither length nor content shows in the time it takes.
    const [one, other] = [given, secret.reveal()].map((text) => createHash('sha256').update(text).digest());
    if (one && other && timingSafeEqual(one, other)) isKnown = true;
  }
  return isKnown;
}
