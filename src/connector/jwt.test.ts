import { createHmac } from 'node:crypto';
import {
  createQueryStringHash,
  decodeSymmetric,
  encodeSymmetric,
  fromMethodAndUrl,
  SymmetricAlgorithm,
} from 'atlassian-jwt';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../core/secret.js';
import { verifyJwtHs256 } from './jwt.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const SECONDS = NOW.getTime() / 1000;
const SECRET = 'the client secret of the test';
const good = { iss: 'app', exp: SECONDS + 180 };
const nowhere = { method: 'POST', path: undefined };

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by hand, with whatever header. */
function signed(claims: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256'): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${createHmac(hash, SECRET).update(text).digest('base64url')}`;
}

const accepts = (token: string | undefined, secrets = [SECRET], request: object = nowhere): boolean =>
  verifyJwtHs256({
    token,
    secrets: secrets.map((text) => new Secret(text)),
    now: NOW,
    request: { ...nowhere, ...request },
  });

describe('a JSON Web Token by HS256', () => {
  it('counts by any of the secrets, until it ends', () => {
    expect(accepts(signed(good))).toBe(true);
    expect(accepts(signed(good), ['another', SECRET])).toBe(true);
    expect(accepts(signed(good), ['another'])).toBe(false);
    expect(accepts(signed(good), [])).toBe(false);
    expect(accepts(signed({ ...good, exp: SECONDS - 59 }))).toBe(true);
    expect(accepts(signed({ ...good, exp: SECONDS - 60 }))).toBe(false);
    expect(accepts(signed({ ...good, nbf: SECONDS + 60 }))).toBe(true);
    expect(accepts(signed({ ...good, nbf: SECONDS + 61 }))).toBe(false);
  });

  it.each<[string, string | undefined]>([
    ['missing', undefined],
    ['empty', ''],
    ['of two parts', signed(good).split('.').slice(0, 2).join('.')],
    ['of four parts', `${signed(good)}.x`],
    ['without an end', signed({ iss: 'app' })],
    ['with an end that is no number', signed({ exp: String(SECONDS + 180) })],
    ['with a beginning that is no number', signed({ ...good, nbf: 'now' })],
    ['of no claims', signed('text')],
    ['by none', signed(good, { alg: 'none' })],
    ['unsigned', `${encoded({ alg: 'none' })}.${encoded(good)}.`],
    ['by HS512', signed(good, { alg: 'HS512' }, 'sha512')],
    ['that says HS512 and is HS256', signed(good, { alg: 'HS512' })],
    ['that says hs256', signed(good, { alg: 'hs256' })],
    ['with what has to be understood', signed(good, { alg: 'HS256', crit: ['exp'] })],
    ['with a padded signature', `${signed(good)}=`],
  ])('is refused when %s', (_, token) => {
    expect(accepts(token)).toBe(false);
  });

  it('with one character changed is none', () => {
    const token = signed(good);
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'A' ? 'B' : 'A';
      expect(accepts(token.slice(0, index) + other + token.slice(index + 1)), String(index)).toBe(false);
    }
  });
});

describe('the request that a token is for', () => {
  const path = '/v1/integrations/webhooks/jira/token';
  const qsh = createQueryStringHash(fromMethodAndUrl('POST', `${path}?b=2&a=1%20x`), false, '');
  const token = signed({ ...good, qsh });
  const query = { a: '1 x', b: '2' };

  it('is just the one it names', () => {
    expect(accepts(token, [SECRET], { path, query })).toBe(true);
    expect(accepts(token, [SECRET], { path, query: { ...query, a: '1' } })).toBe(false);
    expect(accepts(token, [SECRET], { path: `${path}x`, query })).toBe(false);
    expect(accepts(token, [SECRET], { path, query, method: 'GET' })).toBe(false);
    expect(accepts(token)).toBe(false);
  });
});

describe('atlassian-jwt', () => {
  const anyText = fc.string({ minLength: 1 });
  const anyQuery = fc.dictionary(
    anyText.filter((name) => name !== 'jwt' && name !== '__proto__'),
    anyText,
  );

  it('signs what we accept, and nobody else', () => {
    fc.assert(
      fc.property(anyText, fc.dictionary(anyText, fc.jsonValue()), anyQuery, (secret, claims, query) => {
        const path = '/one/two';
        const request = { method: 'POST', pathname: path, query };
        const all = { ...claims, nbf: 0, exp: SECONDS + 1, qsh: createQueryStringHash(request, false, '') };
        const token = encodeSymmetric(all, secret);
        expect(accepts(token, [secret], { path, query })).toBe(true);
        expect(accepts(token, [`${secret}x`], { path, query })).toBe(false);
      }),
    );
  });

  it('accepts what we accept; ends and beginnings it leaves to its callers', () => {
    const ours = (token: string): unknown => decodeSymmetric(token, SECRET, SymmetricAlgorithm.HS256);
    expect(ours(signed(good))).toMatchObject(good);
    expect(() => ours(signed(good, { alg: 'HS512' }, 'sha512'))).toThrow('does not match');
    expect(() => ours(`${signed(good)}x`)).toThrow('verification failed');
    expect(ours(signed({ exp: 1 }))).toEqual({ exp: 1 });
  });
});
