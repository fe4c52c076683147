import {
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  allowInsecureRequests,
  customFetch,
} from 'oauth4webapi';
import { type JsonObject, type OAuth, textAt } from '../../connector/index.js';
import type { Secret } from '../../core/secret.js';
import type { Fetch } from '../../outbound/fetch.js';
import { OAuthFailure } from './failure.js';

/** An app registered with a provider: whom we speak to, and as whom. */
export interface OAuthApp {
  readonly oauth: OAuth;
  /** The connection's: they fill the provider's URLs. */
  readonly settings: JsonObject;
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** An app in the terms of oauth4webapi. */
export interface Server {
  readonly as: AuthorizationServer;
  readonly client: Client;
  readonly auth: ClientAuth;
  readonly options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly [customFetch]: Fetch;
    readonly [allowInsecureRequests]: boolean;
  };
}

/** Throws {@link OAuthFailure} when a setting can't be part of an address. */
export function toServer(app: OAuthApp, fetch: Fetch): Server {
  const { oauth, settings, clientId, clientSecret } = app;
  const tokenUrl = fill(oauth.tokenUrl, settings);
  return {
    as: {
      // Callbacks that name an issuer are refused unless it is this one; see `toCallback` for providers without.
      issuer: oauth.issuer ? fill(oauth.issuer, settings) : new URL(tokenUrl).origin,
      authorization_response_iss_parameter_supported: oauth.issuer !== undefined,
      authorization_endpoint: fill(oauth.authorizationUrl, settings),
      token_endpoint: tokenUrl,
      ...(oauth.revocation && { revocation_endpoint: fill(oauth.revocation.url, settings) }),
    },
    client: { client_id: clientId },
    auth:
      oauth.clientAuthentication === 'basic' ? basic(clientSecret) : ClientSecretPost(clientSecret.reveal()),
    options: {
      headers: { 'user-agent': 'Tributary' },
      [customFetch]: oauth.tokenBody === 'json' ? asJson(fetch) : fetch,
      // A secret leaves in the clear for nobody but a server on this machine.
      [allowInsecureRequests]: isLoopback(new URL(tokenUrl)),
    },
  };
}

const ADDRESS_PART = /^(?!\.)[A-Za-z0-9._-]+(:\d{1,5})?$/;

/** A setting becomes a host or one segment, and never more: a `/` or `@` in it would lead the secret elsewhere. */
function fill(template: string, settings: JsonObject): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = textAt(settings, name) ?? '';
    if (ADDRESS_PART.test(value)) return value;
    throw new OAuthFailure('invalid_request', `The setting “${name}” is missing or no part of an address.`);
  });
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * HTTP Basic by RFC 6749 §2.3.1. The library escapes `-`, `_` and `.` as well, which a server that does not decode
 * takes for another id; left as they are, both kinds of server read the same.
 */
function basic(secret: Secret): ClientAuth {
  return (_, { client_id }, __, headers) => {
    const pair = [client_id, secret.reveal()].map(formEncode).join(':');
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  };
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** Atlassian and Notion take token requests as JSON. */
function asJson(send: Fetch): Fetch {
  return (url, { method, headers, body }) =>
    send(url, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(new URLSearchParams(body))),
    });
}
