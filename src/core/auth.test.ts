import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT, exportJWK } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Config, readConfig } from '../config.js';
import { createAuthenticator, issueDevelopmentToken } from './auth.js';
import { systemClock } from './clock.js';

const claims = {
  tenantId: 'acme',
  subject: 'ada',
  scope: 'integrations:read integrations:write',
  lifetimeSeconds: 60,
};

function developmentConfig(): Config {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-auth-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return readConfig({ TRIBUTARY_DATA_DIR: dir });
}

describe('development tokens', () => {
  it('say who, for which tenant, with what scopes, until when', async () => {
    const config = developmentConfig();
    const token = await issueDevelopmentToken(config, claims, systemClock);
    const identity = await createAuthenticator(config, systemClock).authenticate(`Bearer ${token}`);
    expect(identity).toMatchObject({
      tenantId: 'acme',
      subject: 'ada',
      scopes: new Set(['integrations:read', 'integrations:write']),
    });
    expect(identity.expiresAt.getTime()).toBeGreaterThan(Date.now());
  });

  it('expire', async () => {
    const config = developmentConfig();
    const token = await issueDevelopmentToken(config, claims, systemClock);
    const later = { now: () => new Date(Date.now() + 61_000) };
    await expect(createAuthenticator(config, later).authenticate(`Bearer ${token}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('expired'),
    });
  });

  it('of another data directory are refused', async () => {
    const token = await issueDevelopmentToken(developmentConfig(), claims, systemClock);
    await expect(
      createAuthenticator(developmentConfig(), systemClock).authenticate(`Bearer ${token}`),
    ).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('are not issued where tokens come from elsewhere', async () => {
    const config = readConfig({ AUTH_JWKS_URL: 'http://127.0.0.1:1/', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' });
    await expect(issueDevelopmentToken(config, claims, systemClock)).rejects.toThrow(/off/);
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', 'Basic YWRhOnB3'],
    ['garbage', 'Bearer garbage'],
    [
      'an unsigned token',
      `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`,
    ],
  ])('%s is UNAUTHENTICATED', async (_name, header) => {
    await expect(
      createAuthenticator(developmentConfig(), systemClock).authenticate(header),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

/** An identity provider: one key, published over HTTP. */
async function issuer() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const config = readConfig({
    AUTH_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    AUTH_ISSUER: 'https://id.example.com',
    AUTH_AUDIENCE: 'tributary',
  });
  const sign = (overrides: Record<string, unknown> = {}, alg = 'ES256') =>
    new SignJWT({
      sub: 'ada',
      tenant_id: 'acme',
      scope: 'integrations:read',
      iss: 'https://id.example.com',
      aud: 'tributary',
      exp: Math.floor(Date.now() / 1000) + 60,
      ...overrides,
    })
      .setProtectedHeader({ alg, kid: 'one' })
      .sign(alg === 'HS256' ? Buffer.from(JSON.stringify(jwk)) : privateKey);
  return { sign, authenticator: createAuthenticator(config, systemClock) };
}

describe('tokens by published keys', () => {
  it('are accepted', async () => {
    const { sign, authenticator } = await issuer();
    expect(await authenticator.authenticate(`Bearer ${await sign()}`)).toMatchObject({
      tenantId: 'acme',
      subject: 'ada',
    });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example.com' }],
    ['another audience', { aud: 'someone-else' }],
    ['no expiry', { exp: undefined }],
    ['no tenant', { tenant_id: undefined }],
    ['an empty tenant', { tenant_id: '' }],
    ['a tenant that is no text', { tenant_id: 7 }],
    ['no subject', { sub: undefined }],
    ['scopes that are no text', { scope: ['integrations:read'] }],
  ])('with %s are refused', async (_name, overrides) => {
    const { sign, authenticator } = await issuer();
    await expect(authenticator.authenticate(`Bearer ${await sign(overrides)}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('signed symmetrically with the public key are refused', async () => {
    const { sign, authenticator } = await issuer();
    await expect(authenticator.authenticate(`Bearer ${await sign({}, 'HS256')}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});
