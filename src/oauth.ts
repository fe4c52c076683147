import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authorizer, type Invitation, OAUTH_PATH } from './connection/authorize.js';
import type { Authorized } from './connection/consent.js';
import { TributaryError } from './core/errors.js';

export interface OAuthDeps {
  readonly authorizer: Authorizer;
  /** Whether browsers reach us by https: then the cookie goes by nothing else. */
  readonly isSecure: () => boolean;
}

/** Proves that the browser which ends an authorization is the one that began it. */
const COOKIE = 'tributary_oauth';
const COOKIE_SECONDS = 3_600;
const SESSION = /^[\w-]{43}$/;

/**
 * The two addresses that a person's browser visits: ours on the way to the provider, and ours on the way back. Whatever
 * follows links before a person does (mail scanners, previews) only GETs, or asks by HEAD, which is not answered.
 */
export function addOAuth(app: FastifyInstance, { authorizer, isSecure }: OAuthDeps): void {
  void app.register(async (scope) => {
    const tell = scope.errorHandler;
    scope.setErrorHandler((error: FastifyError, request, reply) => {
      if (!(error instanceof TributaryError) || !readsHtml(request))
        return tell.call(scope, error, request, reply);
      return showPage(reply, error.status, 'Not connected', error.message);
    });
    addPages(scope, authorizer, isSecure);
  });
}

interface LinkRoute {
  readonly Params: { readonly link: string };
}

function addPages(app: FastifyInstance, authorizer: Authorizer, isSecure: () => boolean): void {
  const link = `${OAUTH_PATH}/authorize/:link`;
  // The form has one button and nothing to say.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, async () => undefined);

  app.get<LinkRoute>(link, { exposeHeadRoute: false }, async (request, reply) => {
    const invitation = await authorizer.look(request.params.link, sessionOf(request));
    const attributes = [`Max-Age=${COOKIE_SECONDS}`, `Path=${OAUTH_PATH}`, 'HttpOnly', 'SameSite=Lax'];
    const session = `${COOKIE}=${invitation.session}`;
    const cookie = [session, ...attributes, ...(isSecure() ? ['Secure'] : [])].join('; ');
    return showInvitation(reply.header('set-cookie', cookie), invitation);
  });

  // Another site can't send the cookie with a POST, so that it takes our page, and a person who has read it.
  app.post<LinkRoute>(link, async (request, reply) => {
    return unseen(reply).redirect(await authorizer.open(request.params.link, sessionOf(request)), 303);
  });

  app.get(`${OAUTH_PATH}/callback`, { exposeHeadRoute: false }, async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1]);
    const ended = await authorizer.finish(query, sessionOf(request));
    if (ended.returnTo) return unseen(reply).redirect(returnUrl(ended.returnTo, ended), 303);
    const { connection, failure } = ended;
    if (failure) return showPage(reply, 400, 'Not connected', failure.message);
    return showPage(reply, 200, 'Connected', `“${connection.name}” works now. You can close this window.`);
  });
}

function sessionOf({ headers }: FastifyRequest): string | undefined {
  const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
  const session = cookies.find(([name]) => name === COOKIE)?.[1];
  return session && SESSION.test(session) ? session : undefined;
}

const STRICT = "default-src 'none'; frame-ancestors 'none'";

/** The addresses hold what must not be kept, nor told to whoever comes next. */
function unseen(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .header('content-security-policy', STRICT)
    .header('x-content-type-options', 'nosniff');
}

function returnUrl(returnTo: string, { connection, failure }: Authorized): string {
  const url = new URL(returnTo);
  url.searchParams.set('connection_id', connection.id);
  url.searchParams.set('status', connection.status);
  if (failure) url.searchParams.set('error', failure.code);
  return url.href;
}

/** A person at a browser, and not a program that wants our JSON. */
function readsHtml({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

/** The provider need not ask a person who has agreed to our app before; so we do. */
function showInvitation(
  reply: FastifyReply,
  { tenantId, actor, connection, provider, leadsTo }: Invitation,
): FastifyReply {
  const text = `${actor} of ${tenantId} asks you to connect ${provider}, as “${connection}”. From then on ${tenantId} can act there as you. Go on only if that is what you want.`;
  // Browsers hold the form to this over all redirects: to the provider, wherever it signs people in, back, and on.
  const leaving = `form-action 'self' https: ${leadsTo.join(' ')}`;
  const form = `<form method="post"><button>Continue to ${escapeHtml(provider)}</button></form>\n`;
  const shown = showable(reply, 200).header('content-security-policy', `${STRICT}; ${leaving}`);
  return shown.send(pageOf(`Connect ${provider}?`, text, form));
}

function showPage(reply: FastifyReply, status: number, title: string, text: string): FastifyReply {
  return showable(reply, status).send(pageOf(title, text));
}

function showable(reply: FastifyReply, status: number): FastifyReply {
  return unseen(reply).code(status).type('text/html; charset=utf-8');
}

/** `more` is HTML; the others are text. */
function pageOf(title: string, text: string, more = ''): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${more}</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
