import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestApp, startTestApp, useTestApp } from './support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

/** What Chromium says when somebody types an address. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

const open = (url: string, accept: string): Promise<Response> => fetch(url, { headers: { accept } });

it('shows a browser a page that loads nothing from elsewhere, holds no token and may do only what it needs', async () => {
  const { token } = await app.caller();
  const response = await open(`${app.url}/graphql`, BROWSER);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const page = await response.text();
  const [script = '', style = ''] = ['script', 'style'].map(
    (tag) => new RegExp(`<${tag}>(.*)</${tag}>`, 's').exec(page)?.[1] ?? '',
  );
  const tags = page.replace(script, '').replace(style, '');
  // The one icon is in the page itself.
  expect(tags.match(/(?:src|href)="(?!data:)[^"]*"/g)).toBeNull();
  expect(style.match(/@import|url\((?!data:)[^)]{0,40}/g)).toBeNull();
  expect(page).not.toContain(token);

  const policy = response.headers.get('content-security-policy') ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  expect(policy).toContain(`default-src 'none'; script-src 'sha256-${hash}'; `);
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
  // The hooks stand in the script itself and not in a text of it.
  expect(script).toContain('"shouldPersistHeaders":false,...(() => {');
});

it.each(['application/json', '*/*', 'application/graphql-response+json'])(
  'answers %s by GraphQL, and documents always',
  async (accept) => {
    for (const [path, type] of [
      ['/graphql', accept],
      ['/graphql?query={__typename}', BROWSER],
    ] as const) {
      const response = await open(`${app.url}${path}`, type);
      expect(response.headers.get('content-type')).toContain('json');
    }
  },
);

it.each(['stage', 'prod'])('is not there in %s', async (environment) => {
  const inProd = environment === 'prod';
  const other = await useTestApp({
    env: {
      TRIBUTARY_ENVIRONMENT: environment,
      ...(inProd && {
        AUTH_JWKS_URL: 'http://127.0.0.1:9/keys',
        AUTH_ISSUER: 'issuer',
        AUTH_AUDIENCE: 'tributary',
        TRIBUTARY_MASTER_KEY: Buffer.alloc(32).toString('base64'),
      }),
    },
  });
  const response = await open(`${other.url}/graphql`, BROWSER);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: expect.any(String) } }] });
});
