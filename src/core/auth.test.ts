import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type IssuerFailure, useIssuer } from '../../test/support/issuer.js';
import { type Config, readConfig } from '../config.js';
import { ConfigError } from './errors.js';
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

  it('expire also for who was known a moment before', async () => {
    const config = developmentConfig();
    const token = await issueDevelopmentToken(config, claims, systemClock);
    let aheadMs = 0;
    const clock = { now: () => new Date(Date.now() + aheadMs) };
    const { authenticate } = createAuthenticator(config, clock);
    const first = await authenticate(`Bearer ${token}`);
    expect(await authenticate(`Bearer ${token}`), 'its signature is checked once').toBe(first);
    aheadMs = 61_000;
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are not known by what is nearly the same', async () => {
    const config = developmentConfig();
    const token = await issueDevelopmentToken(config, claims, systemClock);
    const { authenticate } = createAuthenticator(config, systemClock);
    await authenticate(`Bearer ${token}`);
    const forged = token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA');
    await expect(authenticate(`Bearer ${forged}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('of another data directory are refused', async () => {
    const token = await issueDevelopmentToken(developmentConfig(), claims, systemClock);
    await expect(
      createAuthenticator(developmentConfig(), systemClock).authenticate(`Bearer ${token}`),
    ).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('are not signed with what is no key, and the file is named', async () => {
    const config = developmentConfig();
    writeFileSync(join(config.TRIBUTARY_DATA_DIR, 'token.key'), '');
    expect(() => createAuthenticator(config, systemClock)).toThrow(ConfigError);
    await expect(issueDevelopmentToken(config, claims, systemClock)).rejects.toThrow(
      /token\.key: not a private key/,
    );
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

async function issuer() {
  const { env, sign, fail } = await useIssuer();
  return { sign, fail, authenticator: createAuthenticator(readConfig(env), systemClock) };
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

  it.each<IssuerFailure>(['answers 500', 'answers no JSON', 'refuses', 'says nothing'])(
    'are not judged while the issuer %s',
    async (failure) => {
      const { sign, fail, authenticator } = await issuer();
      fail(failure);
      await expect(authenticator.authenticate(`Bearer ${await sign()}`)).rejects.toMatchObject({
        code: 'KEYS_UNAVAILABLE',
        status: 503,
        details: { retry_after_seconds: 5 },
      });
    },
  );

  it('by a key that is not among the published ones are refused', async () => {
    const { authenticator } = await issuer();
    const stranger = await useIssuer();
    const token = await stranger.sign({}, 'ES256', 'two');
    await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toMatchObject({
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
