import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, originOf, signCheckpoint, tenantOf } from './checkpoint.js';
import { fromVerifierKey, openNote, publicKeyOf, signNote, toSigningKey, toVerifierKey } from './note.js';

/** The example of golang.org/x/mod/sumdb/note, which the format comes from. */
const PUBLISHED_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PUBLISHED_TEXT =
  'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n';
const PUBLISHED_NOTE = `${PUBLISHED_TEXT.replace('’', "'")}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

/** RFC 8032 §7.1, test 1. */
const RFC_SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const RFC_PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

const signingKey = toSigningKey(randomBytes(32));
const publicKey = publicKeyOf(signingKey);
const head = { origin: 'tributary.example/receipts/acme', size: 4711, root: randomBytes(32) };

describe('a signed note', () => {
  it('of others opens with their key', () => {
    const key = fromVerifierKey(PUBLISHED_KEY);
    expect(key?.name).toBe('PeterNeumann');
    expect(toVerifierKey(key!)).toBe(PUBLISHED_KEY);
    expect(openNote(PUBLISHED_NOTE, [key!])).toBe(PUBLISHED_TEXT.replace('’', "'"));
    expect(openNote(PUBLISHED_NOTE.replace('problem is', 'problem was'), [key!])).toBeUndefined();
  });

  it('is signed by the key of the seed', () => {
    const key = toSigningKey(Buffer.from(RFC_SEED, 'hex'));
    expect(publicKeyOf(key).toString('hex')).toBe(RFC_PUBLIC);
  });

  it('takes no verifier key whose id is another’s', () => {
    expect(fromVerifierKey(PUBLISHED_KEY.replace('c74f', 'c74e'))).toBeUndefined();
    expect(fromVerifierKey(PUBLISHED_KEY.replace('Peter', 'Paul'))).toBeUndefined();
    expect(fromVerifierKey('nonsense')).toBeUndefined();
  });

  it('opens when strangers have signed as well, and not when a known key’s line is wrong', () => {
    const stranger = toSigningKey(randomBytes(32));
    const key = { name: 'log', publicKey };
    const text = 'a text\n\nwith an empty line\n';
    const note = signNote(text, 'log', signingKey);
    const witnessed = note + signNote(text, 'witness', stranger).slice(text.length + 1);
    expect(openNote(witnessed, [key])).toBe(text);
    const wrong = note + signNote('another text\n', 'log', signingKey).slice('another text\n'.length + 1);
    expect(openNote(wrong, [key])).toBeUndefined();
    expect(openNote(note, [{ name: 'log', publicKey: publicKeyOf(stranger) }])).toBeUndefined();
    expect(openNote(note, [])).toBeUndefined();
  });

  it('refuses names and texts that would read as something else', () => {
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b']) {
      expect(() => signNote('text\n', name, signingKey)).toThrow(RangeError);
    }
    for (const text of ['no newline', 'bell\u0007\n', '\ud800\n']) {
      expect(() => signNote(text, 'log', signingKey)).toThrow(RangeError);
    }
  });
});

describe('a checkpoint', () => {
  it('says what was signed', () => {
    const note = signCheckpoint(head, signingKey);
    expect(note.split('\n').slice(0, 4)).toEqual([head.origin, '4711', head.root.toString('base64'), '']);
    expect(openCheckpoint(note, [publicKey])).toEqual(head);
    expect(openCheckpoint(note, [randomBytes(32), publicKey])).toEqual(head);
    expect(openCheckpoint(note, [])).toBeUndefined();
  });

  it('does not open when any byte of it is another', () => {
    const note = Buffer.from(signCheckpoint(head, signingKey));
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const altered = Buffer.from(note);
        altered[place] = altered[place]! ^ change;
        expect(openCheckpoint(altered.toString('utf8'), [publicKey])).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('does not open when its signature is written in another form', () => {
    const note = signCheckpoint(head, signingKey);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = note.length - '=\n'.length - 1;
    // Of the last letter some bits mean nothing: three others stand for the same bytes.
    for (const letter of alphabet.split('').filter((other) => other !== note[last])) {
      const altered = note.slice(0, last) + letter + note.slice(last + 1);
      expect(openCheckpoint(altered, [publicKey])).toBeUndefined();
    }
    for (const altered of [
      note.slice(0, -2) + '\n',
      `${note}\n`,
      note.slice(0, -1),
      note.replace('\n\n', '\n'),
    ])
      expect(openCheckpoint(altered, [publicKey])).toBeUndefined();
  });

  it('refuses other forms of the same size', () => {
    for (const size of ['04711', '4711.0', '4.711e3', ' 4711', '-1', '99999999999999999']) {
      const text = `${head.origin}\n${size}\n${head.root.toString('base64')}\n`;
      expect(openCheckpoint(signNote(text, head.origin, signingKey), [publicKey])).toBeUndefined();
    }
  });

  it('names a log for each tenant, whatever its id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (tenantId) => {
        const origin = originOf('tributary.example', tenantId);
        expect(tenantOf(origin)).toBe(tenantId);
        expect(openCheckpoint(signCheckpoint({ ...head, origin }, signingKey), [publicKey])?.origin).toBe(
          origin,
        );
      }),
    );
    expect(tenantOf('tributary.example/receipts/%E0')).toBeUndefined();
    expect(tenantOf('elsewhere')).toBeUndefined();
  });
});
