import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Connector, JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { Secret } from '../core/secret.js';
import type { OAuthApp } from '../credential/oauth/server.js';
import { requireTransition } from './change.js';
import { Connection } from './connection.entity.js';
import { type Authorized, type ConsentDeps, isOver, settleConsent } from './consent.js';
import { OAuthFlow } from './oauth-app.entity.js';
import { allows } from './status.js';

export interface AuthorizeDeps extends ConsentDeps {
  readonly publicUrl: () => string;
  /** Where a browser may be sent afterwards: OAUTH_RETURN_TO. */
  readonly returnTo: readonly string[];
}

/** What whoever opens the link is asked: to connect something of theirs, for somebody whom they had better know. */
export interface Invitation {
  readonly tenantId: string;
  /** Who began it. */
  readonly actor: string;
  /** By name. */
  readonly connection: string;
  readonly provider: string;
  /** Origins that the browser will be sent to. */
  readonly leadsTo: readonly string[];
  /** For a cookie, which everything after this must bring back. */
  readonly session: string;
}

/** The part of OAuth that a person's browser goes through. */
export interface Authorizer {
  /** What must be right before anything is stored. Throws UNSUPPORTED or INVALID_INPUT. */
  requirePossible(
    caller: Caller,
    connector: Connector,
    settings: JsonObject,
    returnTo: string | null,
  ): Promise<void>;
  /**
   * The link to open in the browser of the person who consents. Good for ten minutes and one browser. Throws
   * NOT_FOUND, UNSUPPORTED, CONNECTION_NOT_READY or INVALID_INPUT.
   */
  begin(caller: Caller, connection: Connection, returnTo: string | null): Promise<string>;
  /** What a link is about. Binds nothing: programs that look at links must not use them up. Throws AUTHORIZATION_OVER. */
  look(link: string, session: string | undefined): Promise<Invitation>;
  /** Goes on in this browser, and no other from then on: answers the provider’s address. Throws AUTHORIZATION_OVER. */
  open(link: string, session: string | undefined): Promise<string>;
  /** Takes the provider's answer; once. Throws AUTHORIZATION_OVER. */
  finish(callback: URLSearchParams, session: string | undefined): Promise<Authorized>;
}

const LIFE_MS = 10 * 60_000;
export const OAUTH_PATH = '/v1/integrations/oauth';

/** What is kept of a flow until its callback. */
interface Kept {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly codeVerifier?: string;
  readonly redirectUri: string;
}

interface FlowRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly sealed: Buffer;
  readonly actor: string;
  readonly correlation_id: string;
  readonly return_to: string | null;
}

export function createAuthorizer(deps: AuthorizeDeps): Authorizer {
  const { db, clock, vault, catalog, oauth, apps, publicUrl } = deps;

  async function appOf(connection: Connection): Promise<OAuthApp> {
    const connector = catalog.require(connection.providerId);
    return apps.require(connection.tenantId, connector, connection.settings);
  }

  async function keptOf({ id, tenant_id: tenantId, sealed }: FlowRow): Promise<Kept> {
    return JSON.parse((await vault.openSecret(sealed, placeOf(tenantId, id))).reveal()) as Kept;
  }

  async function findFlow(
    door: 'oauth_flow_look' | 'oauth_flow_open' | 'oauth_flow_take',
    key: string,
    session: string,
  ): Promise<FlowRow> {
    const values = [hash(key), hash(session), clock.now()];
    const { rows } = await db.doors.query<FlowRow>(`select * from ${door}($1, $2, $3)`, values);
    const [flow] = rows;
    if (!flow) throw isOver();
    return flow;
  }

  return {
    async requirePossible({ tenantId }, connector, settings, returnTo) {
      requireReturn(deps.returnTo, returnTo);
      await apps.require(tenantId, connector, settings);
    },

    async begin(caller, connection, returnTo) {
      requireTransition(connection, 'authorized', 'authorized');
      requireReturn(deps.returnTo, returnTo);
      if (connection.authMethod !== 'OAUTH2') {
        throw new TributaryError('UNSUPPORTED', 'This connection has a credential; replace it by rotate.');
      }
      const redirectUri = `${publicUrl()}${OAUTH_PATH}/callback`;
      const { authorizationUrl, state, codeVerifier } = await oauth.begin(await appOf(connection), {
        redirectUri,
      });
      const [id, link] = [uuidV7(), randomBytes(32).toString('base64url')];
      const kept: Kept = {
        authorizationUrl: authorizationUrl.href,
        state,
        redirectUri,
        ...(codeVerifier && { codeVerifier: codeVerifier.reveal() }),
      };
      const { tenantId, subject, correlationId } = caller;
      await db.for(caller).insert(OAuthFlow, {
        id,
        tenantId,
        connectionId: connection.id,
        linkHash: hash(link),
        stateHash: hash(state),
        sealed: await vault.seal(JSON.stringify(kept), placeOf(tenantId, id)),
        actor: subject,
        correlationId,
        returnTo,
        expiresAt: new Date(clock.now().getTime() + LIFE_MS),
      });
      return `${publicUrl()}${OAUTH_PATH}/authorize/${link}`;
    },

    async look(link, known) {
      const session = known ?? randomBytes(32).toString('base64url');
      const flow = await findFlow('oauth_flow_look', link, session);
      const { tenant_id: tenantId, connection_id: id, actor, return_to: returnTo } = flow;
      const connection = await db.for({ tenantId }).findOneOrFail(Connection, { id });
      if (!allows('authorized', connection.status)) throw isOver();
      const { authorizationUrl } = await keptOf(flow);
      const leadsTo = [authorizationUrl, ...(returnTo ? [returnTo] : [])].map((url) => new URL(url).origin);
      const provider = catalog.require(connection.providerId).manifest.name;
      return { tenantId, actor, connection: connection.name, provider, leadsTo, session };
    },

    async open(link, session) {
      // Without the cookie of the page before, some other page has sent the browser here.
      if (!session) throw isOver();
      return (await keptOf(await findFlow('oauth_flow_open', link, session))).authorizationUrl;
    },

    async finish(callback, session) {
      const state = callback.get('state');
      if (!state || !session) throw isOver();
      const flow = await findFlow('oauth_flow_take', state, session);
      const { state: expected, codeVerifier, redirectUri } = await keptOf(flow);
      return settleConsent(deps, {
        caller: {
          tenantId: flow.tenant_id,
          subject: flow.actor,
          correlationId: flow.correlation_id,
          scopes: new Set(),
        },
        connectionId: flow.connection_id,
        returnTo: flow.return_to,
        exchange: {
          callback,
          state: expected,
          codeVerifier: codeVerifier === undefined ? undefined : new Secret(codeVerifier),
          redirectUri,
        },
      });
    },
  };
}

/** An open redirect would lend our name to whoever makes the link: only what the operator named is gone to. */
function requireReturn(allowed: readonly string[], returnTo: string | null): void {
  if (returnTo === null) return;
  const url = URL.canParse(returnTo) ? new URL(returnTo) : null;
  const isAllowed =
    url !== null &&
    url.username === '' &&
    url.password === '' &&
    allowed.some((prefix) => {
      const base = new URL(prefix);
      return url.origin === base.origin && isBelow(base.pathname, url.pathname);
    });
  if (isAllowed) return;
  const known = allowed.length > 0 ? `one of ${allowed.join(', ')}` : 'left out: OAUTH_RETURN_TO names none';
  throw invalidInput('returnTo', `must be ${known}`);
}

function isBelow(base: string, path: string): boolean {
  return path === base || path.startsWith(base.endsWith('/') ? base : `${base}/`);
}

function placeOf(tenantId: string, id: string) {
  return { tenantId, id, field: 'oauth_flow' } as const;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
