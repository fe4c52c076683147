import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  fakeAwsAlias,
  fakeAwsCredentials,
  fakeAwsRegion,
  startFakeAwsKms,
} from '../../../test/support/fake-kms/aws.js';
import type { HashicorpVault } from '../hashicorp-vault.js';
import { createKeyProviders } from './index.js';
import { keyProviderNames } from './key-provider.js';

const name = { tenantId: 'acme', version: 1 };
const local = { masterKey: randomBytes(32) };
const vault: HashicorpVault = { call: () => Promise.reject(new Error('nobody should call')) };

/** All that may be configured. No client finds a service behind it. */
const everything = {
  local,
  awsKms: { key: fakeAwsAlias },
  gcpKms: { key: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' },
  azureKeyVault: { key: 'https://v.vault.azure.net/keys/k' },
  vaultTransit: { vault, key: 'transit/k' },
};

const optionsOf = {
  local: 'local',
  'aws-kms': 'awsKms',
  'gcp-kms': 'gcpKms',
  'azure-key-vault': 'azureKeyVault',
  'vault-transit': 'vaultTransit',
} as const;

describe('the key providers', () => {
  it.each(keyProviderNames)('have %s where it is configured', async (current) => {
    const providers = createKeyProviders({ current, ...everything });
    expect(providers.current.name).toBe(current);
    for (const each of keyProviderNames) expect(providers.of(each).name).toBe(each);
    await providers.close();
  });

  it.each([
    ['local', 'TRIBUTARY_MASTER_KEY'],
    ['aws-kms', 'TRIBUTARY_AWS_KMS_KEY'],
    ['gcp-kms', 'TRIBUTARY_GCP_KMS_KEY'],
    ['azure-key-vault', 'TRIBUTARY_AZURE_KEY'],
    ['vault-transit', 'TRIBUTARY_VAULT_TRANSIT_KEY, VAULT_ADDR'],
  ] as const)('name what to set where %s is not', (missing, variables) => {
    const expected = {
      kind: 'missing',
      message: expect.stringContaining(`${missing}, which is not configured. Set ${variables}`) as string,
    };
    expect(errorOf(() => createKeyProviders({ current: missing }))).toMatchObject(expected);
    const { [optionsOf[missing]]: _, ...others } = everything;
    const current = missing === 'local' ? 'aws-kms' : 'local';
    expect(errorOf(() => createKeyProviders({ current, ...others }).of(missing))).toMatchObject(expected);
  });

  it('move a data key from one provider to another', async () => {
    vi.stubEnv('AWS_REGION', fakeAwsRegion);
    vi.stubEnv('AWS_ACCESS_KEY_ID', fakeAwsCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', fakeAwsCredentials.secretAccessKey);
    const { server } = await startFakeAwsKms();
    const providers = createKeyProviders({
      current: 'aws-kms',
      local,
      awsKms: { key: fakeAwsAlias, endpoint: server.url },
    });
    onTestFinished(async () => {
      await providers.close();
      await server.close();
      vi.unstubAllEnvs();
    });
    const key = randomBytes(32);
    const before = await createKeyProviders({ current: 'local', local }).current.wrap(key, name);
    const opened = await providers.of(before.provider).unwrap(before, name);
    const after = await providers.current.wrap(opened, name);
    expect(after.provider).toBe('aws-kms');
    expect(await providers.of(after.provider).unwrap(after, name)).toEqual(key);
  });
});

function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('a client library', () => {
  const libraries = ['@aws-sdk/client-kms', '@google-cloud/kms', '@azure/keyvault-keys', '@azure/identity'];

  /** What a fresh process has loaded of the libraries once everything is configured and `act` was done. */
  async function loadedAfter(act: string): Promise<string[]> {
    const folder = import.meta.dirname;
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = new Set();
      registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
      const { createKeyProviders } = await import(${JSON.stringify(join(folder, 'index.ts'))});
      const { randomBytes } = await import('node:crypto');
      const key = randomBytes(32);
      const name = { tenantId: 'acme', version: 1 };
      const vault = { call: async () => ({}) };
      const nowhere = { endpoint: 'http://127.0.0.1:1', deadlineMs: 50 };
      const providers = createKeyProviders({
        current: 'local',
        local: { masterKey: randomBytes(32) },
        awsKms: { key: 'k', ...nowhere },
        gcpKms: { key: 'k', ...nowhere },
        azureKeyVault: { key: 'https://127.0.0.1:1/keys/k', deadlineMs: 50 },
        vaultTransit: { vault, key: 'transit/k' },
      });
      ${act}
      await providers.close();
      const libraries = ${JSON.stringify(libraries)};
      const isLoaded = (library) => [...loaded].some((url) => url.includes('/node_modules/' + library + '/'));
      console.log(JSON.stringify(libraries.filter(isLoaded)));
      process.exit();
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { env: { PATH: process.env['PATH'], AWS_REGION: 'eu-fake-1', AWS_EC2_METADATA_DISABLED: 'true' } },
    );
    return JSON.parse(stdout) as string[];
  }

  it('is not loaded by being configured, nor by another provider’s use', async () => {
    expect(await loadedAfter(`await providers.current.wrap(key, name);`)).toEqual([]);
  });

  it('is loaded when its provider is first used, and no other with it', async () => {
    const act = `await providers.of('aws-kms').wrap(key, name).catch(() => {});`;
    expect(await loadedAfter(act)).toEqual(['@aws-sdk/client-kms']);
  });
});
