import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Refusal,
  describeKeyProvider,
  describeServiceCalls,
  failureOf,
} from '../../../test/support/fake-kms/contract.js';
import {
  fakeVaultKey,
  fakeVaultToken,
  startFakeVault,
  vaultAnswer,
} from '../../../test/support/fake-kms/vault.js';
import { Secret } from '../../core/secret.js';
import { createHttpClient } from '../../outbound/client.js';
import { createEgressPolicy } from '../../outbound/egress.js';
import { createHashicorpVault } from '../hashicorp-vault.js';
import { createVaultTransitKeyProvider } from './vault-transit.js';

const name = { tenantId: 'acme', version: 1 };

async function start(deadlineMs?: number, { token = fakeVaultToken, allow = ['127.0.0.0/8'] } = {}) {
  const { server, ...fake } = await startFakeVault();
  const client = createHttpClient({ egress: createEgressPolicy(allow) });
  const vault = createHashicorpVault({ client, address: server.url, token: new Secret(token) });
  const options = { vault, key: fakeVaultKey, deadlineMs };
  const provider = createVaultTransitKeyProvider(options);
  onTestFinished(async () => {
    await provider.close();
    await client.close();
    await server.close();
  });
  const rotate = () => {
    fake.rotate();
    return provider;
  };
  return { provider, server, fake, rotate, options };
}

function refusal(status: number, message: string, kind: Refusal['kind'], advice: RegExp): Refusal {
  return { answer: vaultAnswer(status, message), kind, advice };
}

const refusals: Readonly<Record<string, Refusal>> = {
  '429': refusal(429, 'rate limit quota exceeded', 'throttled', /rate limit quota/),
  '412': refusal(412, 'required index state not present', 'unavailable', /vault status/),
  '473': refusal(473, 'performance standby', 'unavailable', /vault status/),
  '500': refusal(500, 'internal error', 'unavailable', /vault status/),
  '503 sealed': refusal(503, 'Vault is sealed', 'unavailable', /unsealed.*Vault is sealed/),
  '403': refusal(403, 'permission denied', 'denied', /VAULT_TOKEN/),
  '404': refusal(404, 'no handler for route', 'missing', /transit engine/),
  '400 without the key': refusal(400, 'encryption key not found', 'missing', /TRIBUTARY_VAULT_TRANSIT_KEY/),
  '400 of another type': refusal(400, 'associated_data is not supported', 'missing', /aes256-gcm96/),
};

describe('Vault’s transit engine', () => {
  describeKeyProvider(start);
  describeServiceCalls(start, refusals);

  it('names mount, key and version', async () => {
    const { provider, rotate } = await start();
    expect((await provider.wrap(randomBytes(32), name)).keyId).toBe('security/transit/tributary:v1');
    expect((await rotate().wrap(randomBytes(32), name)).keyId).toBe('security/transit/tributary:v2');
  });

  it.each(['security/transit/other', '../sys/seal', 'security/transit/tributary/../other'])(
    'is asked for no key but those configured: %s',
    async (key) => {
      const { provider, server } = await start();
      const wrapped = await provider.wrap(randomBytes(32), name);
      const failure = await failureOf(provider.unwrap({ ...wrapped, keyId: `${key}:v1` }, name));
      expect(failure.kind).toBe('missing');
      expect(failure.message).toContain('TRIBUTARY_VAULT_TRANSIT_KEY_PREVIOUS');
      expect(server.requests).toHaveLength(1);
    },
  );

  it('still unwraps by a key that is configured as an earlier one', async () => {
    const { provider, options } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    const moved = createVaultTransitKeyProvider({
      ...options,
      key: 'security/transit/new',
      previousKeys: [fakeVaultKey],
    });
    expect(await moved.unwrap(wrapped, name)).toHaveLength(32);
  });

  it('does not unwrap by a version that was retired', async () => {
    const { provider, fake, rotate } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    rotate();
    fake.retireOldVersions();
    const failure = await failureOf(provider.unwrap(wrapped, name));
    expect(failure.kind).toBe('missing');
    expect(failure.message).toContain('min_decryption_version');
  });

  it('refuses a wrong token', async () => {
    const { provider } = await start(undefined, { token: 'another' });
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'denied' });
  });

  it('is not called where the egress policy forbids it', async () => {
    const { provider, server } = await start(undefined, { allow: [] });
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('EGRESS_ALLOW') as string,
    });
    expect(server.requests).toEqual([]);
  });
});
