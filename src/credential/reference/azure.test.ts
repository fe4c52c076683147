import { describe, expect, it } from 'vitest';
import { type FakeAzure, azureError, startFakeAzure } from '../../../test/support/fake-secrets/azure.js';
import {
  PLANTED,
  TENANT,
  describeStore,
  failureOf,
  referencesTo,
} from '../../../test/support/fake-secrets/contract.js';
import type { SecretReferences } from './references.js';

const PATTERN = 'azure-kv://tributary-{tenant}/*';
const VERSION = '0123456789abcdef0123456789abcdef';

async function start(): Promise<{ fake: FakeAzure; references: SecretReferences }> {
  const fake = await startFakeAzure();
  fake.secrets.set('tributary-acme/github', '{"token":"new"}');
  fake.secrets.set(`tributary-acme/github/${VERSION}`, '{"token":"old"}');
  return { fake, references: referencesTo({ fake, options: { azure: fake.options }, pattern: PATTERN }) };
}

describeStore('Azure Key Vault', async () => {
  const fake = await startFakeAzure();
  fake.secrets.set('tributary-acme/github', PLANTED);
  return {
    fake,
    options: { azure: fake.options },
    pattern: PATTERN,
    reference: 'azure-kv://tributary-acme/github',
    match: 'GET /secrets/{name}/',
    isRetried: true,
  };
});

describe('Azure Key Vault', () => {
  it.each([
    ['azure-kv://tributary-acme/github', '{"token":"new"}'],
    ['azure-kv://tributary-acme/github#token', 'new'],
    ['azure-kv://Tributary-ACME/GitHub#token', 'new'],
    [`azure-kv://tributary-acme/github/${VERSION}#token`, 'old'],
  ])('gives %s', async (reference, text) => {
    const { references } = await start();
    expect((await references.resolve(reference, TENANT)).reveal()).toBe(text);
  });

  it('brings the token that the challenge asks for, and from then on at once', async () => {
    const { fake, references } = await start();
    const resolve = () =>
      references.resolve('azure-kv://tributary-acme/github#token', TENANT, { fresh: true });
    await resolve();
    expect(fake.requests.map(({ headers }) => headers['authorization'] !== undefined)).toEqual([false, true]);
    await resolve();
    expect(fake.requests).toHaveLength(3);
    expect(fake.scopes).toEqual(['https://vault.test/.default']);
  });

  it('does not take a challenge that wants the token for somebody else', async () => {
    const { fake, references } = await start();
    const headers = {
      'www-authenticate': 'Bearer authorization="https://login.example/x", resource="https://elsewhere.test"',
    };
    fake.next('GET /secrets/{name}/', ({ send }) => send({ ...azureError(401, 'Unauthorized'), headers }));
    await failureOf(references.resolve('azure-kv://tributary-acme/github', TENANT));
    expect(fake.scopes).toEqual([]);
  });

  it.each([
    [azureError(404, 'SecretNotFound'), 'missing', 'no such secret'],
    [azureError(403, 'Forbidden', 'SecretDisabled'), 'missing', 'disabled'],
    [azureError(403, 'Forbidden', 'AccessDenied'), 'denied', 'Key Vault Secrets User'],
    [azureError(403, 'Forbidden', 'ForbiddenByFirewall'), 'denied', 'firewall'],
    [azureError(401, 'Unauthorized'), 'denied', 'own Azure credentials'],
    [azureError(429, 'Throttled'), 'unavailable', 'HTTP 429'],
    [azureError(500, 'InternalError'), 'unavailable', 'HTTP 500'],
  ])('%j is %s', async (failure, kind, hint) => {
    const { fake, references } = await start();
    fake.failing.set('tributary-acme/github', failure);
    expect(await failureOf(references.resolve('azure-kv://tributary-acme/github', TENANT))).toMatchObject({
      kind,
      message: expect.stringContaining(hint),
    });
  });

  it('is unavailable when its certificate is not to be trusted', async () => {
    const { fake } = await start();
    const other = await startFakeAzure();
    other.options.agent?.destroy();
    const azure = { ...fake.options, agent: other.options.agent };
    const references = referencesTo({ fake: other, options: { azure }, pattern: PATTERN });
    expect(await failureOf(references.resolve('azure-kv://tributary-acme/github', TENANT))).toMatchObject({
      kind: 'unavailable',
    });
    expect(fake.requests).toEqual([]);
  });
});
