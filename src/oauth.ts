import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authorizer, OAUTH_PATH } from './connection/authorize.js';
import type { Authorized } from './connection/consent.js';

export interface OAuthDeps {
  readonly authorizer: Authorizer;
  /** Whether browsers reach us by https: then the cookie goes by nothing else. */
  readonly isSecure: () => boolean;
}

/** Proves that the browser which ends an authorization is the one that began it. */
const COOKIE = 'tributary_oauth';
const COOKIE_SECONDS = 3_600;
const SESSION = /^[\w-]{43}$/;

/** The two addresses that a person's browser visits: ours on the way to the provider, and ours on the way back. */
export function addOAuth(app: FastifyInstance, { authorizer, isSecure }: OAuthDeps): void {
  app.get<{ Params: { link: string } }>(`${OAUTH_PATH}/authorize/:link`, async (request, reply) => {
    const { location, session } = await authorizer.open(request.params.link, sessionOf(request));
    const attributes = [`Max-Age=${COOKIE_SECONDS}`, `Path=${OAUTH_PATH}`, 'HttpOnly', 'SameSite=Lax'];
    const cookie = [`${COOKIE}=${session}`, ...attributes, ...(isSecure() ? ['Secure'] : [])].join('; ');
    return unseen(reply).header('set-cookie', cookie).redirect(location, 303);
  });

  app.get(`${OAUTH_PATH}/callback`, async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1]);
    const ended = await authorizer.finish(query, sessionOf(request));
    if (ended.returnTo) return unseen(reply).redirect(returnUrl(ended.returnTo, ended), 303);
    return unseen(reply)
      .code(ended.failure ? 400 : 200)
      .type('text/html; charset=utf-8')
      .send(page(ended));
  });
}

function sessionOf({ headers }: FastifyRequest): string | undefined {
  const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
  const session = cookies.find(([name]) => name === COOKIE)?.[1];
  return session && SESSION.test(session) ? session : undefined;
}

/** The addresses hold what must not be kept, nor told to whoever comes next. */
function unseen(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    .header('x-content-type-options', 'nosniff');
}

function returnUrl(returnTo: string, { connection, failure }: Authorized): string {
  const url = new URL(returnTo);
  url.searchParams.set('connection_id', connection.id);
  url.searchParams.set('status', connection.status);
  if (failure) url.searchParams.set('error', failure.code);
  return url.href;
}

function page({ connection, failure }: Authorized): string {
  const title = failure ? 'Not connected' : 'Connected';
  const text = failure ? failure.message : `“${connection.name}” works now. You can close this window.`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title>
<h1>${title}</h1>
<p>${escapeHtml(text)}</p>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
