import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK } from 'jose';
import { onTestFinished } from 'vitest';

export type IssuerFailure = 'answers 500' | 'answers no JSON' | 'refuses' | 'says nothing';

/** An identity provider: one key, published over HTTP. */
export interface Issuer {
  /** What makes Tributary trust it. */
  readonly env: Readonly<Record<string, string>>;
  /** A good token, with these claims changed. */
  sign(claims?: Record<string, unknown>, algorithm?: string, keyId?: string): Promise<string>;
  /** From now on its keys can't be had. */
  fail(how: IssuerFailure): void;
}

/** Closed when the running test ends. */
export async function useIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  let failure: IssuerFailure | undefined;
  const server = createServer((_request, response) => {
    if (failure === 'says nothing') return;
    response.statusCode = failure === 'answers 500' ? 500 : 200;
    response.end(failure ? '<html>' : JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return {
    env: {
      AUTH_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
      AUTH_ISSUER: 'https://id.example.com',
      AUTH_AUDIENCE: 'tributary',
    },
    fail(how) {
      failure = how;
      if (how === 'refuses') close();
    },
    sign(claims = {}, algorithm = 'ES256', keyId = 'one') {
      const good = {
        sub: 'ada',
        tenant_id: 'acme',
        scope: 'integrations:read',
        iss: 'https://id.example.com',
        aud: 'tributary',
        exp: Math.floor(Date.now() / 1000) + 60,
      };
      // With HS256 the "secret" is what everybody can read: the classic confusion of algorithms.
      const key = algorithm === 'HS256' ? Buffer.from(JSON.stringify(jwk)) : privateKey;
      return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: algorithm, kid: keyId }).sign(key);
    },
  };
}
