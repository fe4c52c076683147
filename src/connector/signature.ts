import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.js';

export interface HmacCheck {
  readonly algorithm: 'sha256' | 'sha1' | 'sha512';
  /** Every secret that counts at the moment: while one is being rotated, the new and the previous. */
  readonly secrets: readonly Secret[];
  /** Exactly the bytes the provider signed; usually the raw body. */
  readonly signed: Buffer | readonly (Buffer | string)[];
  /** The signature as it stands in the header. */
  readonly given: string | undefined;
  readonly encoding: 'hex' | 'base64';
  /** Text in front of the signature, such as `sha256=`. A signature without it is refused. */
  readonly prefix?: string;
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
    if (expected.length === given.length && timingSafeEqual(expected, given)) isValid = true;
  }
  return isValid;
}

function decode({ given, prefix = '', encoding }: HmacCheck): Buffer | undefined {
  if (given === undefined || !given.startsWith(prefix)) return undefined;
  const text = given.slice(prefix.length);
  const bytes = Buffer.from(text, encoding);
  // Buffer.from skips what it can't read; only text that reads back the same was a signature.
  const isExact =
    encoding === 'hex' ? bytes.toString('hex') === text.toLowerCase() : bytes.toString('base64') === text;
  return isExact && bytes.length > 0 ? bytes : undefined;
}

function digest({ algorithm, signed }: HmacCheck, secret: Secret): Buffer {
  const hmac = createHmac(algorithm, secret.reveal());
  for (const part of Buffer.isBuffer(signed) ? [signed] : signed) hmac.update(part);
  return hmac.digest();
}
