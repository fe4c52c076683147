import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answer } from '../../../test/support/fake-behavior.js';
import { azureAnswer, fakeAzureToken, startFakeAzureKeyVault } from '../../../test/support/fake-kms/azure.js';
import {
  type Refusal,
  describeKeyProvider,
  describeServiceCalls,
  failureOf,
} from '../../../test/support/fake-kms/contract.js';
import { type AzureKeyVaultOptions, createAzureKeyVaultKeyProvider } from './azure-key-vault.js';

const name = { tenantId: 'acme', version: 1 };

async function start(deadlineMs?: number, overrides: Partial<AzureKeyVaultOptions> = {}) {
  const { server, keyUrl, agent, ...fake } = await startFakeAzureKeyVault();
  const options = { key: keyUrl, agent, credential: withToken(fakeAzureToken), deadlineMs, ...overrides };
  const provider = createAzureKeyVaultKeyProvider(options);
  onTestFinished(async () => {
    await provider.close();
    await fake.close();
  });
  const rotate = () => {
    fake.rotate();
    return provider;
  };
  return { provider, server, fake, rotate, options, keyUrl };
}

function withToken(token: string) {
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}

function refusal(
  status: number,
  code: string,
  kind: Refusal['kind'],
  advice: RegExp,
  inner?: string,
): Refusal {
  return { answer: azureAnswer(status, code, 'as the service puts it', inner), kind, advice };
}

const refusals: Readonly<Record<string, Refusal>> = {
  '429': refusal(429, 'Throttled', 'throttled', /vault’s limits.*as the service puts it/),
  '500': refusal(500, 'InternalServerError', 'unavailable', /azure\.status/),
  '503': refusal(503, 'ServiceUnavailable', 'unavailable', /azure\.status/),
  '401': refusal(401, 'Unauthorized', 'denied', /AZURE_CLIENT_ID/),
  '403': refusal(403, 'Forbidden', 'denied', /Crypto Service Encryption User/, 'ForbiddenByRbac'),
  '403 by the firewall': refusal(403, 'Forbidden', 'denied', /firewall/, 'ForbiddenByFirewall'),
  '403 KeyDisabled': refusal(403, 'Forbidden', 'missing', /Enable it/, 'KeyDisabled'),
  '404': refusal(404, 'KeyNotFound', 'missing', /TRIBUTARY_AZURE_KEY/),
  '400': refusal(400, 'BadParameter', 'missing', /RSA key/),
};

describe('Azure Key Vault', () => {
  describeKeyProvider(start);
  describeServiceCalls(start, refusals);

  it('names the version that wrapped, and is asked for that one', async () => {
    const { provider, server, keyUrl, rotate } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    expect(wrapped.keyId.startsWith(`${keyUrl}/`)).toBe(true);
    await rotate().unwrap(wrapped, name);
    expect(server.requests.at(-1)?.path).toBe(`${new URL(wrapped.keyId).pathname}/unwrapkey`);
  });

  it('is sent no token before it has said what it wants one for', async () => {
    const { provider, server } = await start();
    await provider.wrap(randomBytes(32), name);
    expect(server.requests[0]).toMatchObject({ text: '' });
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is not sent a token that it wants for somebody else', async () => {
    const { provider, server } = await start();
    server.next(
      () => true,
      answer({
        ...azureAnswer(401, 'Unauthorized', 'no token'),
        headers: {
          'www-authenticate': 'Bearer authorization="https://a.b/c", resource="https://graph.example"',
        },
      }),
    );
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('TRIBUTARY_AZURE_KEY') as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each(['https://evil.example/keys/tributary', 'https://evil.vault.azure.net/keys/tributary'])(
    'is not looked for at %s, which stands in the row',
    async (keyUrl) => {
      const { provider, server } = await start();
      const wrapped = await provider.wrap(randomBytes(32), name);
      const calls = server.requests.length;
      const failure = await failureOf(provider.unwrap({ ...wrapped, keyId: `${keyUrl}/1` }, name));
      expect(failure.kind).toBe('missing');
      expect(failure.message).toContain('TRIBUTARY_AZURE_KEY_PREVIOUS');
      expect(server.requests).toHaveLength(calls);
    },
  );

  it('still unwraps by a key that is configured as an earlier one', async () => {
    const { provider, options, keyUrl } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    const moved = createAzureKeyVaultKeyProvider({
      ...options,
      key: `${keyUrl}-new`,
      previousKeys: [keyUrl],
    });
    expect(await moved.unwrap(wrapped, name)).toHaveLength(32);
  });

  it('unwraps by a version that has expired, also for a process that never met it', async () => {
    const { provider, rotate, options } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    rotate();
    expect(await createAzureKeyVaultKeyProvider(options).unwrap(wrapped, name)).toHaveLength(32);
  });

  it('does not unwrap by a disabled version', async () => {
    const { provider, fake } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    fake.disable();
    const failure = await failureOf(provider.unwrap(wrapped, name));
    expect(failure).toMatchObject({
      kind: 'missing',
      message: expect.stringContaining('Enable it') as string,
    });
  });

  it('refuses a wrong token', async () => {
    const { provider } = await start(undefined, { credential: withToken('another') });
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'denied' });
  });

  it('can’t be asked without credentials', async () => {
    const { CredentialUnavailableError } = await import('@azure/identity');
    const getToken = () => Promise.reject(new CredentialUnavailableError('none'));
    const { provider } = await start(undefined, { credential: { getToken } });
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('AZURE_TENANT_ID') as string,
    });
  });

  it('is not waited for when the search for credentials hangs', async () => {
    const { provider } = await start(300, { credential: { getToken: () => new Promise(() => {}) } });
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'unavailable' });
  });
});
