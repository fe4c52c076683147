import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestClock, createTestClock } from '../../../test/support/clock.js';
import {
  answer,
  drip,
  drop,
  flood,
  hang,
  mislabel,
  resetMidBody,
} from '../../../test/support/fake-behavior.js';
import { type Behavior, type FakeProvider, startFakeProvider } from '../../../test/support/fake-provider.js';
import type { OAuth, TokenSet } from '../../connector/index.js';
import { Secret } from '../../core/secret.js';
import { createHttpClient } from '../../outbound/client.js';
import { createEgressPolicy } from '../../outbound/egress.js';
import { OAuthFailure } from './failure.js';
import { type OAuthClient, createOAuthClient } from './protocol.js';
import type { OAuthApp } from './server.js';

const TOKENS: TokenSet = {
  accessToken: new Secret('old-access'),
  refreshToken: new Secret('old-refresh'),
  tokenType: 'bearer',
  scopes: ['read'],
};

interface Setup {
  readonly fake: FakeProvider;
  readonly clock: TestClock;
  readonly client: OAuthClient;
  readonly app: OAuthApp;
}

async function start(changes: Partial<OAuth> = {}, deadlineMs = 5_000): Promise<Setup> {
  const fake = await startFakeProvider();
  fake.on('POST /token', () => ({
    status: 200,
    body: {
      access_token: 'new-access',
      refresh_token: 'new-refresh',
      token_type: 'Bearer',
      expires_in: 3_600,
    },
  }));
  const http = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']), maxResponseBytes: 10_000 });
  onTestFinished(async () => {
    await http.close();
    await fake.close();
  });
  const clock = createTestClock();
  const oauth: OAuth = {
    authorizationUrl: `${fake.url}/authorize`,
    tokenUrl: `${fake.url}/token`,
    revocation: { style: 'rfc7009', url: `${fake.url}/revoke` },
    scopes: ['read', 'write'],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'post',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0 },
    defaultExpiresInSeconds: null,
    ...changes,
  };
  const app = { oauth, settings: {}, clientId: 'id-1.a_b', clientSecret: new Secret('s3cret&+') };
  return { fake, clock, app, client: createOAuthClient({ client: http, clock, deadlineMs }) };
}

function failureOf(sent: Promise<unknown>): Promise<OAuthFailure> {
  return sent.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => {
      if (error instanceof OAuthFailure) return error;
      throw error;
    },
  );
}

describe('an authorization', () => {
  it('asks for what the provider wants to be asked', async () => {
    const { client, app, fake } = await start({
      scopeSeparator: ',',
      authorizationParams: { prompt: 'consent', state: 'never this' },
    });
    const redirectUri = 'https://tributary.example/callback';
    const { authorizationUrl, state, codeVerifier } = await client.begin(app, { redirectUri });
    expect(authorizationUrl.href.split('?')[0]).toBe(`${fake.url}/authorize`);
    expect(Object.fromEntries(authorizationUrl.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'id-1.a_b',
      redirect_uri: redirectUri,
      scope: 'read,write',
      prompt: 'consent',
      state,
      code_challenge_method: 'S256',
    });
    expect(Buffer.from(state, 'base64url')).toHaveLength(32);
    expect(authorizationUrl.searchParams.get('code_challenge')).not.toBe(codeVerifier?.reveal());
    const other = await client.begin(app, { redirectUri });
    expect(other.state).not.toBe(state);
    expect(other.codeVerifier?.reveal()).not.toBe(codeVerifier?.reveal());
  });

  it('leaves out what the provider has not', async () => {
    const { client, app } = await start({ pkce: 'none', scopes: [] });
    const { authorizationUrl, codeVerifier } = await client.begin(app, { redirectUri: 'https://t.example' });
    expect(codeVerifier).toBeUndefined();
    expect([...authorizationUrl.searchParams.keys()]).not.toContain('code_challenge');
    expect([...authorizationUrl.searchParams.keys()]).not.toContain('scope');
  });

  it.each(['evil.example/x', 'a@evil.example', '..', '', undefined])(
    'goes nowhere when a setting is no part of an address: %s',
    async (host) => {
      const { client, app } = await start({ authorizationUrl: 'https://{host}/authorize' });
      const begun = (settings: object) =>
        client.begin({ ...app, settings: { ...settings } }, { redirectUri: 'https://t.example' });
      expect((await failureOf(begun({ host }))).kind).toBe('invalid_request');
      const { authorizationUrl } = await begun({ host: 'gitlab.example:8443' });
      expect(authorizationUrl.href).toMatch(/^https:\/\/gitlab\.example:8443\/authorize\?/);
    },
  );
});

describe('a token request', () => {
  it.each([
    ['post', 'form', undefined, { client_id: 'id-1.a_b', client_secret: 's3cret&+' }],
    ['basic', 'form', 'id-1.a_b:s3cret%26%2B', {}],
    ['post', 'json', undefined, { client_id: 'id-1.a_b', client_secret: 's3cret&+' }],
    ['basic', 'json', 'id-1.a_b:s3cret%26%2B', {}],
  ] as const)('authenticates by %s and sends %s', async (clientAuthentication, tokenBody, basic, fields) => {
    const { client, app, fake } = await start({ clientAuthentication, tokenBody });
    await client.refresh(app, TOKENS);
    const [request] = fake.requests;
    const body =
      tokenBody === 'json' ? request?.body : Object.fromEntries(new URLSearchParams(request?.text));
    expect(body).toEqual({ grant_type: 'refresh_token', refresh_token: 'old-refresh', ...fields });
    expect(request?.headers['accept']).toBe('application/json');
    expect(request?.headers['authorization']).toBe(basic && `Basic ${Buffer.from(basic).toString('base64')}`);
  });

  it('repeats the redirect URI for the provider that wants it', async () => {
    const refreshToken = { rotates: true, reuseSeconds: 0, needsRedirectUri: true };
    const { client, app, fake } = await start({ refreshToken });
    await client.refresh(app, TOKENS, 'https://tributary.example/callback');
    expect(fake.requests[0]?.text).toContain('redirect_uri=https%3A%2F%2Ftributary.example%2Fcallback');
  });

  it('never goes out in the clear to another machine', async () => {
    const { client, app } = await start({ tokenUrl: 'http://token.example/token' });
    await expect(client.refresh(app, TOKENS)).rejects.toThrow('only requests to HTTPS are allowed');
  });

  it('proves a service account by an assertion, and by nothing else', async () => {
    const { client, app, fake, clock } = await start();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const assertion = {
      issuer: 'robot',
      privateKey: new Secret(pem),
      algorithm: 'ES256',
      keyId: 'k1',
    } as const;
    await client.jwtBearer(app, { ...assertion, subject: 'admin', claims: { scope: 'read' } });
    const fields = Object.fromEntries(new URLSearchParams(fake.requests[0]?.text));
    expect(Object.keys(fields).toSorted()).toEqual(['assertion', 'grant_type']);
    expect(decodeProtectedHeader(fields['assertion'] ?? '')).toMatchObject({ alg: 'ES256', kid: 'k1' });
    const claims = decodeJwt(fields['assertion'] ?? '');
    expect(claims).toMatchObject({
      iss: 'robot',
      sub: 'admin',
      aud: app.oauth.tokenUrl,
      scope: 'read',
    });
    expect(claims.exp).toBeLessThanOrEqual(clock.now().getTime() / 1000 + 300);

    const broken = { ...assertion, privateKey: new Secret('-----BEGIN PRIVATE KEY-----\nno\n') };
    expect(await failureOf(client.jwtBearer(app, broken))).toMatchObject({ kind: 'invalid_client' });
  });
});

describe('an answer', () => {
  it('counts by our clock from before the request left, whatever the server’s says', async () => {
    const { client, app, fake, clock } = await start();
    clock.advance(-86_400_000);
    fake.next('POST /token', ({ perform, send }) => {
      clock.advance(5_000);
      send({ ...perform(), headers: { date: 'Thu, 01 Jan 2099 00:00:00 GMT' } });
    });
    const sentAt = clock.now().getTime();
    const { expiresAt } = await client.refresh(app, TOKENS);
    expect(Math.abs((expiresAt?.getTime() ?? 0) - sentAt - 3_600_000)).toBeLessThan(1_000);
  });

  it.each([
    [undefined, null, undefined],
    [undefined, 7_200, 7_200],
    ['600', null, 600],
    [0, 7_200, 7_200],
    [null, 7_200, 7_200],
    ['soon', 7_200, 7_200],
  ])('with expires_in %s and a default of %s lasts %s seconds', async (expires_in, usual, seconds) => {
    const { client, app, fake, clock } = await start({ defaultExpiresInSeconds: usual });
    fake.next('POST /token', answer({ status: 200, body: { access_token: 'a', expires_in } }));
    const now = clock.now().getTime();
    const { expiresAt } = await client.refresh(app, TOKENS);
    expect(expiresAt && Math.round((expiresAt.getTime() - now) / 1000)).toBe(seconds);
  });

  it.each([
    // Notion has no new refresh token to tell of, and no scopes; what was there before stays.
    [{ access_token: 'n', refresh_token: null }, {}, ['n', 'old-refresh', 'bearer', ['read']]],
    [
      { ok: true, access_token: 'b', token_type: 'bot', scope: 'a,b' },
      {},
      ['b', 'old-refresh', 'bot', ['a', 'b']],
    ],
    [
      { ok: true, authed_user: { access_token: 'u', refresh_token: 'r', scope: 'c' } },
      { tokenPath: ['authed_user'] },
      ['u', 'r', 'bearer', ['c']],
    ],
    [
      { access_token: 't', scope: ['a', 'b'] },
      { tokenPath: ['authed_user'] },
      ['t', 'old-refresh', 'bearer', ['a', 'b']],
    ],
  ] as const)('is read as providers send it: %j', async (body, changes, [access, refresh, type, scopes]) => {
    const { client, app, fake } = await start(changes);
    fake.next('POST /token', answer({ status: 200, body }));
    const tokens = await client.refresh(app, TOKENS);
    expect(tokens.accessToken.reveal()).toBe(access);
    expect(tokens.refreshToken?.reveal()).toBe(refresh);
    expect(tokens).toMatchObject({ tokenType: type, scopes });
  });

  it('counts whatever type it says it has', async () => {
    const { client, app, fake } = await start();
    fake.next('POST /token', mislabel('text/html'));
    expect((await client.refresh(app, TOKENS)).accessToken.reveal()).toBe('new-access');
  });
});

const page = '<html><body>old-refresh is not welcome, s3cret&+</body></html>';
const troubles: readonly [string, Behavior, Partial<OAuthFailure>][] = [
  ['HTML with 200', answer({ status: 200, body: page }), { kind: 'lost', status: 200 }],
  ['JSON without a token', answer({ status: 200, body: { ok: true } }), { kind: 'lost' }],
  ['nothing with 204', answer({ status: 204 }), { kind: 'lost' }],
  ['a reset before the answer', drop(), { kind: 'lost', code: 'interrupted' }],
  ['a reset in the middle of it', resetMidBody(), { kind: 'lost', code: 'interrupted' }],
  ['no answer in time', hang(), { kind: 'lost', code: 'timeout' }],
  ['an answer without end', drip(), { kind: 'lost', code: 'timeout' }],
  ['an answer of any size', flood(100_000), { kind: 'lost', code: 'too_large' }],
  ['HTML with 502', answer({ status: 502, body: page }), { kind: 'server', status: 502 }],
  ['HTML with 403', answer({ status: 403, body: page }), { kind: 'server', status: 403 }],
  ['a redirect', answer({ status: 302, headers: { location: '/login' } }), { kind: 'server' }],
  ['500', answer({ status: 500, body: { error: 'invalid_grant' } }), { kind: 'server', status: 500 }],
  ['429', answer({ status: 429, body: {} }), { kind: 'server', status: 429 }],
  ['400 invalid_grant', answer({ status: 400, body: { error: 'invalid_grant' } }), { kind: 'invalid_grant' }],
  ['403 invalid_grant', answer({ status: 403, body: { error: 'invalid_grant' } }), { kind: 'invalid_grant' }],
  [
    '401 with a challenge',
    answer({ status: 401, headers: { 'www-authenticate': 'Basic' }, body: { error: 'invalid_client' } }),
    { kind: 'invalid_client' },
  ],
  ['400 invalid_scope', answer({ status: 400, body: { error: 'invalid_scope' } }), { kind: 'invalid_scope' }],
  [
    'an error with 200',
    answer({ status: 200, body: { ok: false, error: 'bad_one' } }),
    { kind: 'invalid_grant' },
  ],
  [
    'an error that is no code',
    answer({ status: 400, body: { error: 'old-refresh is <spent>', error_description: 's3cret&+' } }),
    { kind: 'invalid_request', code: 'unknown' },
  ],
  [
    'an error named as a method',
    answer({ status: 400, body: { error: 'toString' } }),
    { kind: 'invalid_request' },
  ],
];

describe('trouble', () => {
  it.each(troubles)('%s is told by its kind, without a secret', async (_, behavior, expected) => {
    const { client, app, fake } = await start({ errorCodes: { bad_one: 'invalid_grant' } }, 300);
    fake.next('POST /token', behavior);
    const failure = await failureOf(client.refresh(app, TOKENS));
    expect(failure).toMatchObject(expected);
    const told = [failure.message, failure.code, String(failure.cause), JSON.stringify(failure)].join();
    expect(told).not.toMatch(/old-refresh|s3cret|new-/);
    expect(fake.requests).toHaveLength(1);
  });

  it('says when the server wants to be asked again', async () => {
    const { client, app, fake, clock } = await start();
    fake.next('POST /token', answer({ status: 429, headers: { 'retry-after': '120' }, body: {} }));
    const { retryAt } = await failureOf(client.refresh(app, TOKENS));
    expect(Math.abs((retryAt?.getTime() ?? 0) - clock.now().getTime() - 120_000)).toBeLessThan(2_000);
  });

  it('is unreachable when nothing was sent', async () => {
    const { client, app, fake } = await start();
    await fake.close();
    expect(await failureOf(client.refresh(app, TOKENS))).toMatchObject({ kind: 'unreachable' });
  });

  it('is no request at all without a refresh token', async () => {
    const { client, app, fake } = await start();
    const { refreshToken, ...tokens } = TOKENS;
    expect(refreshToken).toBeDefined();
    expect(await failureOf(client.refresh(app, tokens))).toMatchObject({ kind: 'invalid_grant' });
    expect(fake.requests).toEqual([]);
  });
});

describe('a revocation', () => {
  it('is answered by 2xx', async () => {
    const { client, app, fake } = await start();
    fake.on('POST /revoke', () => ({ status: 200, body: {} }));
    expect(await client.revoke(app, new Secret('t'), 'refresh_token')).toBe(true);
    expect(fake.requests[0]?.text).toContain('token_type_hint=refresh_token&token=t');
  });

  it('fails by its kind, and is not there for every provider', async () => {
    const { client, app, fake } = await start();
    fake.on('POST /revoke', () => ({ status: 503, headers: { 'retry-after': '5' } }));
    const failure = await failureOf(client.revoke(app, new Secret('t'), 'access_token'));
    expect(failure).toMatchObject({ kind: 'server', retryAt: expect.any(Date) });
    const { revocation, ...oauth } = app.oauth;
    expect(revocation).toBeDefined();
    expect(await client.revoke({ ...app, oauth }, new Secret('t'), 'access_token')).toBe(false);
  });
});
