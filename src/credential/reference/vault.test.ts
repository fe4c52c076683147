import { describe, expect, it, onTestFinished } from 'vitest';
import {
  PLANTED,
  TENANT,
  describeStore,
  failureOf,
  referencesTo,
} from '../../../test/support/fake-secrets/contract.js';
import { type FakeVault, VAULT_TOKEN, startFakeVault } from '../../../test/support/fake-secrets/vault.js';
import { Secret } from '../../core/secret.js';
import { createHttpClient } from '../../outbound/client.js';
import { createEgressPolicy } from '../../outbound/egress.js';
import { type HashicorpVault, createHashicorpVault } from '../hashicorp-vault.js';
import type { SecretReferences } from './references.js';

const PATTERN = 'vault://kv/tenants/{tenant}/*';

function vaultOf(address: string, token = VAULT_TOKEN): HashicorpVault {
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(() => client.close());
  return createHashicorpVault({ client, address, token: new Secret(token) });
}

async function start(token?: string): Promise<{ fake: FakeVault; references: SecretReferences }> {
  const fake = await startFakeVault();
  fake.secrets.set('kv/tenants/acme/db', [{ password: 'old' }, { password: 'new', port: 5432, 'a#b': 'c' }]);
  fake.secrets.set('kv/tenants/acme/two words/ü', [{ password: 'umlaut' }]);
  fake.secrets.set('kv/tenants/acme/gone', [{ password: 'old' }, null]);
  const vault = vaultOf(fake.url, token);
  return { fake, references: referencesTo({ fake, options: { vault }, pattern: PATTERN }) };
}

describeStore('Vault', async () => {
  const fake = await startFakeVault();
  fake.secrets.set('kv/tenants/acme/db', [{ password: PLANTED }]);
  return {
    fake,
    options: { vault: vaultOf(fake.url) },
    pattern: PATTERN,
    reference: 'vault://kv/tenants/acme/db#password',
    match: ({ method }) => method === 'GET',
    isRetried: false,
  };
});

describe('Vault', () => {
  it.each([
    ['vault://kv/tenants/acme/db#password', 'new'],
    ['vault://kv/tenants/acme/db?version=1#password', 'old'],
    ['vault://kv/tenants/acme/db#a%23b', 'c'],
    ['vault://kv/tenants/acme/db#a#b', 'c'],
    ['vault://kv/tenants/acme/two words/%C3%BC#password', 'umlaut'],
    ['vault://kv/tenants/acme/gone?version=1#password', 'old'],
  ])('gives %s', async (reference, text) => {
    const { references } = await start();
    expect((await references.resolve(reference, TENANT)).reveal()).toBe(text);
  });

  it.each([
    ['a secret that never was', 'nothing#password', 'no such secret'],
    ['a version that is deleted', 'gone#password', 'deleted'],
    ['a field that is not there', 'db#user', 'no field'],
    ['a field that every object inherits', 'db#toString', 'no field'],
    ['a field that is no text', 'db#port', 'not text'],
  ])('%s is missing', async (_, rest, hint) => {
    const { references } = await start();
    expect(await failureOf(references.resolve(`vault://kv/tenants/acme/${rest}`, TENANT))).toMatchObject({
      kind: 'missing',
      message: expect.stringContaining(hint),
    });
  });

  it('is denied to an unknown token, and where the policy ends', async () => {
    const stranger = await start('another-token');
    const known = await start();
    known.fake.denied.add('kv/tenants/acme/db');
    for (const { references } of [stranger, known]) {
      const error = await failureOf(references.resolve('vault://kv/tenants/acme/db#password', TENANT));
      expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining('`read`') });
    }
  });

  it('is unavailable while it is sealed', async () => {
    const { fake, references } = await start();
    fake.isSealed = true;
    expect(await failureOf(references.resolve('vault://kv/tenants/acme/db#password', TENANT))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('sealed'),
    });
  });

  it('is unavailable where the operator has set up none', async () => {
    const { fake } = await start();
    const references = referencesTo({ fake, options: {}, pattern: PATTERN });
    expect(await failureOf(references.resolve('vault://kv/tenants/acme/db#password', TENANT))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('VAULT_ADDR'),
    });
  });
});
