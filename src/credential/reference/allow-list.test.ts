import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../core/errors.js';
import { parseReferencePatterns, requireAllowed } from './allow-list.js';
import { SecretReferenceError } from './error.js';
import { parseReference } from './reference.js';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

/** Null, or the kind of the error. */
function judge(list: readonly string[], reference: string, tenantId: string): string | null {
  try {
    requireAllowed(parseReferencePatterns(list), parseReference(reference).location, tenantId);
    return null;
  } catch (error) {
    if (error instanceof SecretReferenceError) return error.kind;
    throw error;
  }
}

describe('the operator’s list', () => {
  it.each([
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/acme/db#f'],
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/acme/deep/er?version=2#f'],
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/%61cme/db#f'],
    ['vault://kv/{tenant}', 'vault://kv/acme#f'],
    ['vault://kv/{tenant}-prod/db', 'vault://kv/acme-prod/db#f'],
    ['aws-sm://tributary/{tenant}/*', 'aws-sm://tributary/acme/db?stage=AWSPREVIOUS'],
    [`aws-sm://${ARN}tributary/{tenant}/*`, `aws-sm://${ARN}tributary/acme/db-AbCdEf`],
    ['gcp-sm://projects/tributary-{tenant}/*', 'gcp-sm://projects/tributary-acme/secrets/s/versions/3'],
    ['gcp-sm://projects/my-project/secrets/{tenant}', 'gcp-sm://projects/my-project/secrets/acme/versions/3'],
    ['azure-kv://Kv-{tenant}/*', 'azure-kv://kv-ACME/Name'],
    ['shared:vault://kv/common/*', 'vault://kv/common/smtp#f'],
    ['shared:env://*', 'env://TRIBUTARY_SECRET_A'],
  ])('lets acme follow by %s: %s', (pattern, reference) => {
    expect(judge([pattern], reference, 'acme')).toBeNull();
  });

  it.each([
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/acme#f'],
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/acme2/db#f'],
    ['vault://kv/tenants/{tenant}/*', 'vault://kv/tenants/Acme/db#f'],
    ['vault://kv/tenants/{tenant}/*', 'vault://other/tenants/acme/db#f'],
    ['vault://kv/{tenant}', 'vault://kv/acme/db#f'],
    ['aws-sm://tributary/{tenant}/*', `aws-sm://${ARN}tributary/acme/db`],
    [`aws-sm://${ARN}tributary/{tenant}/*`, 'aws-sm://tributary/acme/db'],
    ['azure-kv://kv-{tenant}/*', 'azure-kv://kv-acme2/name'],
    ['shared:vault://kv/common/*', 'aws-sm://kv/common/smtp'],
  ])('does not let acme follow by %s: %s', (pattern, reference) => {
    expect(judge([pattern], reference, 'acme')).toBe('forbidden');
  });

  it('forbids everything while it is empty, and names the variable', () => {
    expect(() => requireAllowed([], parseReference('vault://kv/a#f').location, 'acme')).toThrow(
      expect.objectContaining({
        kind: 'forbidden',
        message: expect.stringContaining('TRIBUTARY_SECRET_REFERENCES'),
      }),
    );
  });

  it('tells a tenant what it may use, in its own name', () => {
    const patterns = parseReferencePatterns(['vault://kv/tenants/{tenant}/*', 'shared:vault://common/*']);
    expect(() => requireAllowed(patterns, parseReference('vault://kv/tenants/b/c#f').location, '$&')).toThrow(
      /Allowed are: vault:\/\/kv\/tenants\/\$&\/\*, vault:\/\/common\/\*\./,
    );
  });

  it.each([
    ['kv/{tenant}/*', 'begin'],
    ['https://kv/{tenant}/*', 'begin'],
    ['vault://kv/tenants/*', 'every tenant'],
    ['vault://*', 'every tenant'],
    ['vault://kv/{TENANT}/*', 'every tenant'],
    ['shared:vault://kv/{tenant}/*', 'contradict'],
    ['vault://kv/{tenant}/*/db', 'form'],
    ['vault://kv/{tenant}*', 'form'],
    ['vault://kv/{tenant}//*', 'form'],
    ['vault://kv/../{tenant}/*', 'form'],
    ['vault://kv/%2e/{tenant}/*', 'form'],
    ['vault://kv/{tenant}/{user}', 'form'],
    ['vault://{tenant}', 'form'],
    ['vault://kv/{tenant}?version=1', 'form'],
    [`aws-sm://${ARN}tributary-{tenant}`, 'form'],
    ['gcp-sm://my-project/secrets/{tenant}', 'form'],
    ['gcp-sm://projects/p/secrets/{tenant}/versions/1', 'form'],
    ['azure-kv://acme/{tenant}/*', 'form'],
    ['shared:azure-kv://{TENANT}/*', 'form'],
    ['env://OTHER_{tenant}', 'form'],
  ])('refuses %s', (pattern, problem) => {
    const refused = () => parseReferencePatterns(['vault://kv/fine/{tenant}', pattern]);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(`TRIBUTARY_SECRET_REFERENCES: ${pattern}: `);
    expect(refused).toThrow(problem);
  });

  it.each([
    ['vault://kv/{tenant}/*', 'vault://kv/tenants/{tenant}/*'],
    ['azure-kv://kv-{tenant}/*', 'azure-kv://kv-eu-{tenant}/*'],
    ['azure-kv://kv-{tenant}/*', 'azure-kv://KV-EU-{tenant}/*'],
    ['vault://kv/{tenant}-a', 'vault://kv/b-{tenant}'],
    ['vault://kv/{tenant}/*', 'vault://kv/{tenant}-old/*'],
  ])('refuses %s together with %s: one tenant’s name could be part of another’s path', (one, other) => {
    expect(() => parseReferencePatterns([one, other])).toThrow(other);
    expect(() => parseReferencePatterns([other, one])).toThrow(other);
  });

  it.each([
    ['vault://kv/{tenant}/*', 'vault://kv/{tenant}/db'],
    ['vault://kv/{tenant}/*', 'vault://secret/{tenant}/*'],
    ['vault://kv/{tenant}', 'vault://kv/tenants/{tenant}'],
    ['vault://kv/{tenant}/*', 'aws-sm://kv/tenants/{tenant}/*'],
    ['vault://kv/a-{tenant}/*', 'vault://kv/b-{tenant}/*'],
    ['vault://kv/{tenant}/*', 'shared:vault://kv/common/*'],
  ])('takes %s together with %s', (one, other) => {
    expect(parseReferencePatterns([one, other])).toHaveLength(2);
  });
});

/** What means something to some syntax on the way. */
const SPECIAL = ['a', 'b', '*', '/', '%', '#', '?', '.', '{', '}', '$&', '\\', '-', ':', '@', ' '];

/** Ids made of that, and ids that are parts of each other. */
const tenants = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 3 }),
  fc.constantFrom('a', 'b', 'aa', 'a-b', 'tenants', 'kv'),
  fc.string({ unit: fc.constantFrom(...SPECIAL, '%2f', '..', '{tenant}'), minLength: 1, maxLength: 5 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
);

/** The rest of a reference: an honest one, or one by someone who means no good. */
const crafted = fc.oneof(
  fc.constantFrom('s', 's/t'),
  fc
    .array(
      fc.oneof(fc.constantFrom('s', '..', '%2f', '%2e%2e', '*', 'x%2F..%2Fy', '?version=1', '#f'), tenants),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .chain((pieces) => fc.constantFrom('/', '/', '').map((separator) => pieces.join(separator))),
);

const lists: [string, string][] = [
  ['vault://kv/tenants/{tenant}/*', 'vault://other/{tenant}-x/*'],
  ['vault://{tenant}/*', 'shared:aws-sm://a/*'],
  ['vault://kv/{tenant}-x/*', 'vault://kv/tenants/{tenant}'],
  ['aws-sm://tributary/{tenant}/*', 'aws-sm://{tenant}'],
  [`aws-sm://${ARN}tributary/{tenant}/*`, 'aws-sm://{tenant}/*'],
  ['azure-kv://kv-{tenant}/*', 'azure-kv://other/{tenant}'],
  ['gcp-sm://projects/tributary-{tenant}/*', 'gcp-sm://projects/my-project/secrets/{tenant}'],
];

describe('whatever the tenants are called', () => {
  const names = fc.constantFrom('a', 'b', 'a-a', 'a-b', 'b-a', 'b-b', 'a-a-b', 'a-b-b');
  const segment = fc.constantFrom('a', 'b', 'a-a', '{tenant}', 'a-{tenant}', '{tenant}-b');
  const pattern = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 2 }), fc.constantFrom('', '/*'))
    .map(([segments, end]) => `vault://a/${segments.join('/')}${end}`);

  it('a list that is taken gives a reference to one of them only', () => {
    let followed = 0;
    fc.assert(
      fc.property(pattern, pattern, names, names, (one, other, a, b) => {
        if (a === b || !isTaken([one, other])) return;
        followed += 1;
        for (const rest of ['b', 'a-a', 'b/b', 'a-b']) {
          const text = refer(one, a, rest);
          expect(judge([one, other], text, a)).toBeNull();
          expect(judge([one, other], text, b)).toBe('forbidden');
        }
      }),
      { numRuns: 1_000 },
    );
    expect(followed).toBeGreaterThan(20);
  });

  it.each(lists)('one can follow by %s and %s what no other can', (...list) => {
    let followed = 0;
    fc.assert(
      fc.property(tenants, tenants, crafted, (a, b, rest) => {
        if (a === b) return;
        for (const text of spellings(a).flatMap((id) => list.map((each) => refer(each, id, rest)))) {
          if (judge(list, text, a) !== null) continue;
          followed += 1;
          expect(judge(list, text, b)).not.toBeNull();
        }
      }),
      { numRuns: 400 },
    );
    expect(followed).toBeGreaterThan(20);
  });

  it('no crafted reference leaves the tenant’s own prefix', () => {
    let followed = 0;
    fc.assert(
      fc.property(tenants, tenants, crafted, (tenant, other, rest) => {
        for (const id of [...spellings(tenant), ...spellings(other)]) {
          const text = `vault://kv/tenants/${id}/${rest}#f`;
          if (judge(['vault://kv/tenants/{tenant}/*'], text, tenant) !== null) continue;
          followed += 1;
          const { path } = parseReference(text).location;
          expect(path.slice(0, 3)).toEqual(['kv', 'tenants', tenant]);
          // What a URL parser makes of it is still there.
          const own = `http://vault/kv/tenants/${encodeURIComponent(tenant)}/`;
          expect(new URL(`http://vault/${path.map(encodeURIComponent).join('/')}`).href).toContain(own);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(followed).toBeGreaterThan(20);
  });

  it.each(['', '*', 'a/b', '..', '.', '%2e%2e', 'a%2Fb', 'a#f', 'a?version=1', '{tenant}', 'a\\b', 'a\0'])(
    '%j has nothing that its name would reach',
    (tenant) => {
      for (const id of [tenant, encodeURIComponent(tenant), 'a', 'a/b', 'x']) {
        expect(judge(['vault://kv/{tenant}/*'], `vault://kv/${id}/s#f`, tenant)).not.toBeNull();
      }
    },
  );
});

describe('a tenant whose id no name can hold', () => {
  it.each([
    ['the head of an ARN', ARN, 'aws-sm://{tenant}/*', `aws-sm://${ARN}other/db`],
    ['nothing', '', 'vault://kv/a-{tenant}/*', 'vault://kv/a-/db#f'],
    [
      'with a capital, where case does not count',
      'Acme',
      'azure-kv://kv-{tenant}/*',
      'azure-kv://kv-Acme/db',
    ],
  ])('has no references: %s', (_, tenant, pattern, reference) => {
    expect(judge([pattern], reference, tenant)).toBe('forbidden');
  });
});

function isTaken(list: readonly string[]): boolean {
  try {
    return parseReferencePatterns(list).length > 0;
  } catch {
    return false;
  }
}

/** As it is, and percent-encoded if that can be. */
function spellings(id: string): string[] {
  return id.isWellFormed() ? [id, encodeURIComponent(id)] : [id];
}

function refer(pattern: string, id: string, rest: string): string {
  const field = pattern.startsWith('vault') ? '#f' : '';
  const path = pattern.replaceAll('{tenant}', () => id);
  return path.replace(/\*$/, () => (path.startsWith('gcp') ? 'secrets/s' : rest)) + field;
}
