import { type KeyPairKeyObjectResult, generateKeyPairSync } from 'node:crypto';

const made: KeyPairKeyObjectResult[] = [];

/** The same key at each call with this number, since making one takes a fifth of a second. */
export function rsaKey(number: number): KeyPairKeyObjectResult {
  return (made[number] ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}
