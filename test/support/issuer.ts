import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK } from 'jose';
import { onTestFinished } from 'vitest';

/** An identity provider: one key, published over HTTP. */
export interface Issuer {
  /** What makes Tributary trust it. */
  readonly env: Readonly<Record<string, string>>;
  /** A good token, with these claims changed. */
  sign(claims?: Record<string, unknown>, algorithm?: string): Promise<string>;
}

/** Closed when the running test ends. */
export async function useIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return {
    env: {
      AUTH_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
      AUTH_ISSUER: 'https://id.example.com',
      AUTH_AUDIENCE: 'tributary',
    },
    sign(claims = {}, algorithm = 'ES256') {
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
      return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: algorithm, kid: 'one' }).sign(key);
    },
  };
}
