import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { OAuth } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import type { OAuthApp } from '../../src/credential/oauth/server.js';
import { createOidcMemory } from './oidc-memory.js';

/** What the server did at its token endpoint, by its own account. */
export interface TokenEvent {
  readonly what: 'granted' | 'refused';
  /** `refresh_token`, `authorization_code`, `client_credentials`. */
  readonly grantType: string;
  /** What the server holds against a refused one. */
  readonly why?: string;
}

/** A certified authorization server: refresh tokens rotate, using one twice kills the family, PKCE is required. */
export interface TestAuthorizationServer {
  readonly url: string;
  readonly app: OAuthApp;
  readonly redirectUri: string;
  /** In order. */
  readonly events: readonly TokenEvent[];
  /** Families of tokens that were revoked, because a token or code was used twice or by request. */
  readonly revokedFamilies: readonly string[];
  /** Runs around the work of the token endpoint, to make it slow. */
  delayTokens(before: () => Promise<unknown>, after: () => Promise<unknown>): void;
  /** Goes where a browser would, as someone who agrees or does not, and answers the query of the callback. */
  login(authorizationUrl: URL, answer?: 'allow' | 'deny'): Promise<URLSearchParams>;
  close(): Promise<void>;
}

const CLIENT_ID = 'tributary-test';
const REDIRECT_URI = 'https://tributary.example/callback';

export async function startAuthorizationServer(
  changes: Partial<OAuth> = {},
  redirectUri = REDIRECT_URI,
): Promise<TestAuthorizationServer> {
  const clientSecret = randomBytes(24).toString('base64url');
  const events: TokenEvent[] = [];
  const revokedFamilies: string[] = [];
  const denied = new Set<string>();
  let delay = { before: async () => {}, after: async () => {} } as Record<
    'before' | 'after',
    () => Promise<unknown>
  >;

  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = createProvider(url, clientSecret, redirectUri);
  provider.on('grant.success', (ctx) => void events.push({ what: 'granted', grantType: grantTypeOf(ctx) }));
  provider.on('grant.error', (ctx, error) => {
    const why = error.error_detail ?? error.error_description ?? error.message;
    events.push({ what: 'refused', grantType: grantTypeOf(ctx), why });
  });
  provider.on('grant.revoked', (_, grantId) => void revokedFamilies.push(grantId));
  provider.use(async (ctx, next) => {
    const isToken = ctx.path === '/token';
    if (isToken) await delay.before();
    await next();
    if (isToken) await delay.after();
  });

  const serve = provider.callback();
  server.on('request', (request, response) => {
    const served = request.url?.startsWith('/interaction/')
      ? interact(provider, request, response, denied)
      : serve(request, response);
    served.catch((error: unknown) => response.writeHead(500).end(String(error)));
  });

  return {
    url,
    app: toApp(url, clientSecret, changes),
    redirectUri,
    events,
    revokedFamilies,
    delayTokens: (before, after) => void (delay = { before, after }),
    login(authorizationUrl, answer = 'allow') {
      if (answer === 'deny') denied.add(authorizationUrl.searchParams.get('state') ?? '');
      return browse(authorizationUrl, redirectUri);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createProvider(url: string, clientSecret: string, redirectUri: string): Provider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Provider(url, {
    adapter: createOidcMemory(),
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'read', 'write'],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 60,
      ClientCredentials: 600,
      Grant: 86_400,
      IdToken: 3_600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  });
}

function toApp(url: string, clientSecret: string, changes: Partial<OAuth>): OAuthApp {
  const oauth: OAuth = {
    authorizationUrl: `${url}/auth`,
    tokenUrl: `${url}/token`,
    revocation: { style: 'rfc7009', url: `${url}/token/revocation` },
    issuer: url,
    scopes: ['openid', 'read'],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'basic',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0 },
    defaultExpiresInSeconds: null,
    ...changes,
  };
  return { oauth, settings: {}, clientId: CLIENT_ID, clientSecret: new Secret(clientSecret) };
}

/** The person: signs in, and agrees to what is asked or does not. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  denied: ReadonlySet<string>,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (denied.has(String(params['state']))) {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: CLIENT_ID });
  grant.addOIDCScope(String(params['scope']));
  const grantId = await grant.save();
  return provider.interactionFinished(request, response, { consent: { grantId } });
}

/** Follows redirects with a jar of cookies until one leads to us. */
async function browse(start: URL, redirectUri: string): Promise<URLSearchParams> {
  const cookies = new Map<string, string>();
  let location = start;
  for (let hops = 0; hops < 10; hops += 1) {
    if (location.href.startsWith(redirectUri)) return location.searchParams;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(location, { headers: { cookie }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const next = answer.headers.get('location');
    if (next === null) throw new Error(`the server answered ${answer.status}: ${await answer.text()}`);
    location = new URL(next, location);
  }
  throw new Error('the login goes in circles');
}

function grantTypeOf(ctx: KoaContextWithOIDC): string {
  return String(ctx.oidc.params?.['grant_type']);
}
