import { describe, expect, it, onTestFinished } from 'vitest';
import type { OAuth } from '../src/connector/index.js';
import { systemClock } from '../src/core/clock.js';
import { Secret } from '../src/core/secret.js';
import { type OAuthClient, createOAuthClient } from '../src/credential/oauth/protocol.js';
import { createHttpClient } from '../src/outbound/client.js';
import { createEgressPolicy } from '../src/outbound/egress.js';
import { type TestAuthorizationServer, startAuthorizationServer } from './support/authorization-server.js';

interface Setup {
  readonly server: TestAuthorizationServer;
  readonly oauth: OAuthClient;
}

async function start(changes: Partial<OAuth> = {}): Promise<Setup> {
  const server = await startAuthorizationServer(changes);
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { server, oauth: createOAuthClient({ client, clock: systemClock }) };
}

/** Begun, agreed to and back again; what `exchange` takes. */
async function authorize({ server, oauth }: Setup) {
  const { app, redirectUri } = server;
  const { authorizationUrl, state, codeVerifier } = await oauth.begin(app, { redirectUri });
  return { callback: await server.login(authorizationUrl), state, codeVerifier, redirectUri };
}

describe('a code', () => {
  it.each(['basic', 'post'] as const)('becomes tokens, the client authenticated by %s', async (way) => {
    const setup = await start({ clientAuthentication: way });
    const before = Date.now();
    const tokens = await setup.oauth.exchange(setup.server.app, await authorize(setup));
    expect(tokens).toMatchObject({ tokenType: 'bearer', scopes: ['openid', 'read'] });
    expect(tokens.accessToken.reveal()).not.toBe('');
    expect(tokens.refreshToken?.reveal()).not.toBe('');
    expect(tokens.expiresAt?.getTime()).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(tokens.expiresAt?.getTime()).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });

  it('is good once, and a second time kills what it gave', async () => {
    const setup = await start();
    const authorized = await authorize(setup);
    const tokens = await setup.oauth.exchange(setup.server.app, authorized);
    const again = setup.oauth.exchange(setup.server.app, authorized);
    await expect(again).rejects.toMatchObject({ kind: 'invalid_grant' });
    expect(setup.server.revokedFamilies).toHaveLength(1);
    const refresh = setup.oauth.refresh(setup.server.app, tokens);
    await expect(refresh).rejects.toMatchObject({ kind: 'invalid_grant' });
  });

  it('needs the verifier that its authorization began with', async () => {
    const setup = await start();
    const authorized = await authorize(setup);
    const codeVerifier = new Secret('x'.repeat(43));
    const exchange = setup.oauth.exchange(setup.server.app, { ...authorized, codeVerifier });
    await expect(exchange).rejects.toMatchObject({ kind: 'invalid_grant' });
    expect(setup.server.events).toMatchObject([{ what: 'refused', grantType: 'authorization_code' }]);
  });

  const tampering: readonly [string, (callback: URLSearchParams) => void][] = [
    ['another state', (callback) => callback.set('state', 'another')],
    ['no state', (callback) => callback.delete('state')],
    ['another issuer', (callback) => callback.set('iss', 'https://other.example')],
    ['no issuer', (callback) => callback.delete('iss')],
    ['two codes', (callback) => callback.append('code', 'second')],
    ['no code', (callback) => callback.delete('code')],
  ];
  it.each(tampering)('never leaves for the server when the callback has %s', async (_, tamper) => {
    const setup = await start();
    const authorized = await authorize(setup);
    tamper(authorized.callback);
    const failure = await setup.oauth.exchange(setup.server.app, authorized).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'OAuthFailure', kind: 'invalid_request' });
    expect(failure).not.toHaveProperty('cause');
    expect(setup.server.events).toEqual([]);
  });

  it('does not come when the person says no', async () => {
    const { server, oauth } = await start();
    const { redirectUri } = server;
    const { authorizationUrl, state, codeVerifier } = await oauth.begin(server.app, { redirectUri });
    const callback = await server.login(authorizationUrl, 'deny');
    const exchange = oauth.exchange(server.app, { callback, state, codeVerifier, redirectUri });
    await expect(exchange).rejects.toMatchObject({ kind: 'denied', code: 'access_denied' });
    expect(server.events).toEqual([]);
  });

  it('is not given without PKCE', async () => {
    const { server, oauth } = await start({ pkce: 'none' });
    const { redirectUri } = server;
    const { authorizationUrl, state, codeVerifier } = await oauth.begin(server.app, { redirectUri });
    expect(codeVerifier).toBeUndefined();
    const callback = await server.login(authorizationUrl);
    const exchange = oauth.exchange(server.app, { callback, state, codeVerifier, redirectUri });
    await expect(exchange).rejects.toMatchObject({ kind: 'invalid_request' });
  });
});

describe('a refresh token', () => {
  it('gives a new pair; used twice it kills the family', async () => {
    const setup = await start();
    const { server, oauth } = setup;
    const first = await oauth.exchange(server.app, await authorize(setup));
    const second = await oauth.refresh(server.app, first);
    expect(second.refreshToken?.reveal()).not.toBe(first.refreshToken?.reveal());
    expect(second.accessToken.reveal()).not.toBe(first.accessToken.reveal());
    await expect(oauth.refresh(server.app, first)).rejects.toMatchObject({ kind: 'invalid_grant' });
    expect(server.events.at(-1)).toMatchObject({ why: 'refresh token already used' });
    await expect(oauth.refresh(server.app, second)).rejects.toMatchObject({ kind: 'invalid_grant' });
  });

  it('is worth nothing once it is revoked', async () => {
    const setup = await start();
    const { server, oauth } = setup;
    const tokens = await oauth.exchange(server.app, await authorize(setup));
    const { refreshToken = new Secret('') } = tokens;
    expect(await oauth.revoke(server.app, refreshToken, 'refresh_token')).toBe(true);
    await expect(oauth.refresh(server.app, tokens)).rejects.toMatchObject({ kind: 'invalid_grant' });
    // RFC 7009 §2.2: what is not there is revoked.
    expect(await oauth.revoke(server.app, new Secret('unknown'), 'refresh_token')).toBe(true);
  });
});

describe('the client itself', () => {
  it('gets tokens of its own', async () => {
    const { server, oauth } = await start();
    const tokens = await oauth.clientCredentials(server.app, ['read']);
    expect(tokens).toMatchObject({ tokenType: 'bearer', scopes: ['read'] });
    expect(tokens.refreshToken).toBeUndefined();
  });

  it.each(['basic', 'post'] as const)('is refused with a wrong secret by %s', async (way) => {
    const { server, oauth } = await start({ clientAuthentication: way });
    const app = { ...server.app, clientSecret: new Secret('wrong') };
    const failure = await oauth.clientCredentials(app).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'invalid_client', code: 'invalid_client', status: 401 });
    const revocation = oauth.revoke(app, new Secret('token'), 'access_token');
    await expect(revocation).rejects.toMatchObject({ kind: 'invalid_client' });
  });
});
