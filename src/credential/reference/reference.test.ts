import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretReferenceError } from './error.js';
import { isReference, parseReference } from './reference.js';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';
const VERSION = '0123456789abcdef0123456789abcdef';

describe('a reference', () => {
  it.each(['vault://a', 'aws-sm://', 'gcp-sm://x', 'azure-kv://x', 'env://X'])('is known: %s', (text) => {
    expect(isReference(text)).toBe(true);
  });

  it.each(['', 'vault:/a/b', ' vault://a/b', 'VAULT://a/b', 'https://a/b', 'aws-smx://a', 'p4ss://word'])(
    'is not everything: %j',
    (text) => {
      expect(isReference(text)).toBe(false);
      expect(() => parseReference(text)).toThrow(SecretReferenceError);
    },
  );

  it.each([
    ['vault://kv/a/b#f', ['kv', 'a', 'b'], { field: 'f' }],
    ['vault://kv/a?version=12#f%20g', ['kv', 'a'], { version: '12', field: 'f g' }],
    ['vault://kv/%61/b%20c#f', ['kv', 'a', 'b c'], { field: 'f' }],
    ['aws-sm://a/b', ['a', 'b'], {}],
    ['aws-sm://a?stage=AWSPREVIOUS#f', ['a'], { stage: 'AWSPREVIOUS', field: 'f' }],
    [`aws-sm://${ARN}a/b-AbCdEf`, [ARN, 'a', 'b-AbCdEf'], {}],
    ['gcp-sm://projects/my-project/secrets/S', ['projects', 'my-project', 'secrets', 'S'], {}],
    [
      'gcp-sm://projects/my-project/secrets/S/versions/7#f',
      ['projects', 'my-project', 'secrets', 'S'],
      { version: '7', field: 'f' },
    ],
    ['azure-kv://Acme/Name', ['acme', 'name'], {}],
    [`azure-kv://acme/name/${VERSION}`, ['acme', 'name'], { version: VERSION }],
    ['env://TRIBUTARY_SECRET_A', ['TRIBUTARY_SECRET_A'], {}],
  ])('is taken apart: %s', (text, path, { field, ...rest }: { field?: string; version?: string }) => {
    const reference = parseReference(text);
    expect(reference.location).toEqual({ scheme: text.split(':')[0], path, ...rest });
    expect(reference.field).toBe(field);
  });
});

describe('a reference that could be read in two ways is malformed:', () => {
  it.each([
    ['climbs', 'vault://kv/tenants/a/../b#f'],
    ['climbs, encoded', 'vault://kv/tenants/a/%2e%2E/b#f'],
    ['climbs, encoded twice', 'vault://kv/tenants/a/%252e%252e/b#f'],
    ['stays', 'aws-sm://a/./b'],
    ['an empty segment', 'vault://kv//a#f'],
    ['an empty start', 'vault:///a#f'],
    ['an empty end', 'aws-sm://a/'],
    ['nothing', 'aws-sm://'],
    ['an encoded slash', 'vault://kv/tenants/a%2fb#f'],
    ['an encoded slash in a name', 'aws-sm://tributary%2Fa'],
    ['a backslash', 'vault://kv/tenants\\a#f'],
    ['an encoded backslash', 'vault://kv/a%5cb#f'],
    ['NUL', 'vault://kv/a%00#f'],
    ['a control character', 'vault://kv/a\u0007#f'],
    ['a line break', 'vault://kv/a\n#f'],
    ['an invisible character', 'vault://kv/a\u200b#f'],
    ['half a character', 'vault://kv/a\ud800#f'],
    ['an overlong form of a slash', 'vault://kv/a%c0%afb#f'],
    ['a lone percent sign', 'vault://kv/100%#f'],
    ['an encoded question mark', 'vault://kv/a%3Flist=true#f'],
    ['an encoded number sign', 'vault://kv/a%23#f'],
    ['a space at an end', 'vault://kv/acme%20/b#f'],
    ['a wildcard', 'vault://kv/*#f'],
    ['no path', 'vault://kv#f'],
    ['no field, in Vault', 'vault://kv/a'],
    ['an empty field', 'vault://kv/a#'],
    ['a control character in a field', 'vault://kv/a#%0a'],
    ['version 0, which is the newest', 'vault://kv/a?version=0#f'],
    ['a version that is no number', 'vault://kv/a?version=1%26list=true#f'],
    ['an unknown parameter', 'vault://kv/a?list=true#f'],
    ['a parameter every object inherits', 'vault://kv/a?constructor=1#f'],
    ['two parameters', 'aws-sm://a?stage=AWSCURRENT&stage=AWSPREVIOUS'],
    ['an empty query', 'aws-sm://a?'],
    ['a colon in a name', 'aws-sm://a:b'],
    ['an ARN of another service', 'aws-sm://arn:aws:kms:eu-west-1:123456789012:secret:a'],
    ['an ARN without a name', `aws-sm://${ARN}`],
    ['a letter that only looks like one', 'azure-kv://acme/\u212aey'],
    ['a host instead of a vault', 'azure-kv://acme.example/x'],
    ['a port after a vault', 'azure-kv://acme:8443/x'],
    ['a user before a vault', 'azure-kv://a@b/x'],
    ['a version of the wrong length', 'azure-kv://acme/x/1'],
    ['more than a version', `azure-kv://acme/x/${VERSION}/y`],
    ['a number instead of a project', 'gcp-sm://projects/123456789012/secrets/s'],
    ['another collection', 'gcp-sm://projects/my-project/topics/s'],
    ['another verb', 'gcp-sm://projects/my-project/secrets/s/versions/1:destroy'],
    ['another variable', 'env://TRIBUTARY_MASTER_KEY'],
    ['the operator’s list', 'env://TRIBUTARY_SECRET_REFERENCES'],
    ['a variable in lower case', 'env://TRIBUTARY_SECRET_a'],
    ['more than a variable', 'env://TRIBUTARY_SECRET_A/B'],
  ])('%s', (_, text) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ name: 'SecretReferenceError', kind: 'malformed' }),
    );
  });

  it('whatever the text, with an error that repeats nothing of it', () => {
    const mark = 'hunter2-hunter2';
    const schemes = fc.constantFrom('vault://', 'aws-sm://', 'gcp-sm://', 'azure-kv://', 'env://', '');
    fc.assert(
      fc.property(schemes, fc.string({ unit: 'binary' }), fc.string(), (scheme, before, after) => {
        // A `%` that no code follows: never a reference.
        const error = errorOf(`${scheme}${before}${mark}%-${after}`);
        expect(error).toBeInstanceOf(SecretReferenceError);
        expect(String(error)).not.toContain(mark);
      }),
    );
  });
});

function errorOf(text: string): unknown {
  try {
    return parseReference(text);
  } catch (error) {
    return error;
  }
}
