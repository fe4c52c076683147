import type { Secret } from '../core/secret.js';
import type { JsonObject } from './json.js';
import type { WebhookRegistrar } from './registration.js';

/** A webhook request exactly as it came. */
export interface RawDelivery {
  /** Names in lower case; a header that came several times is joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes on the wire: signatures are over these and nothing else. */
  readonly body: Buffer;
  readonly receivedAt: Date;
  /** What follows the `?` of the address, decoded; the first of several of a name. Left out: nothing did. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the address, as it came: with the token, without what follows the `?`. Left out: nobody knows it. */
  readonly path?: string;
}

/** How the provider names an event. */
export interface EventIdentity {
  /** The replay guard: unique per delivered event and the same when the provider delivers it again. 1 to 255 characters. */
  readonly id: string;
  /** The provider's own name, with its action where it has one: `pull_request.opened`. */
  readonly type: string;
  readonly apiVersion?: string;
}

/** One thing that a provider told us, by webhook or by poll, before normalisation. */
export interface ProviderEvent extends EventIdentity {
  readonly body: unknown;
  readonly receivedAt: Date;
}

/** Thrown by {@link Webhook.decode} and {@link Webhook.identify}: the delivery is authentic but can't be read. Answered 400. */
export class MalformedDelivery extends Error {
  override readonly name = 'MalformedDelivery';
}

/** What is answered to a handshake, always by 200. Text goes out as text/plain: it may repeat what was sent. */
export type HandshakeAnswer = { readonly text: string } | { readonly json: JsonObject };

/** What the core shows of a request that nobody has signed: all but its body. */
export interface UnsignedRequest extends Pick<RawDelivery, 'headers' | 'query'> {
  readonly method: 'GET' | 'POST';
}

/**
 * How the provider makes sure that an address is ours before it delivers to it. Each way is asked about a request to an
 * address that is known; `undefined` means: it is no handshake, go on. Nothing of a handshake is journaled.
 */
export interface Handshake {
  /** Of a request whose signature was right, with its decoded body: Slack's `url_verification`. */
  signed?(delivery: RawDelivery, body: unknown): HandshakeAnswer | undefined;
  /**
   * Of one that carries no signature and needs none, because the answer only repeats what it brought: Okta's header in a
   * GET, Graph's `validationToken`. It sees headers and query, never the body. With it, the route serves GET as well.
   */
  unsigned?(request: UnsignedRequest): HandshakeAnswer | undefined;
  /**
   * The secret, where the provider hands it out itself by a first request that can't be signed yet: Notion's
   * `verification_token`. Asked only while the address waits for one; what it answers is sealed as the secret, and
   * everything that comes later is verified by it. The body is small, and as hostile as its sender.
   */
  secretOf?(body: unknown): string | undefined;
}

/**
 * The receiving side of a connector. `verify` runs first and sees raw bytes only, so nothing unauthenticated is
 * ever parsed; `decode` and `identify` run only on what `verify` has let through.
 */
export interface Webhook {
  /**
   * True when one of the secrets signed these bytes. Never throws for bad input: it answers false. `settings` are the
   * connection's, and none where the delivery comes to an app's address.
   */
  verify(delivery: RawDelivery, secrets: readonly Secret[], settings?: JsonObject): boolean;
  /** The body as a value. Absent: JSON in UTF-8, sent as application/json. */
  decode?(delivery: RawDelivery): unknown;
  /** Names the event, from headers or body, as the same settings say. Throws {@link MalformedDelivery} when it can't. */
  identify(delivery: RawDelivery, body: unknown, settings?: JsonObject): EventIdentity;
  /** Absent: the provider sends events right away. */
  readonly handshake?: Handshake;
  /**
   * For providers that know one address for a whole app: the account a verified delivery is about, in the words of
   * {@link ProviderIdentity.appAccount}, or all of them where it is about several. Undefined or none: it is then taken and
   * dropped. Present: deliveries may come to the address of a registered app as well, and reach every connection of
   * those accounts.
   */
  accountOf?(delivery: RawDelivery, body: unknown): string | readonly string[] | undefined;
  /**
   * For providers that send whatever an app has registered by API to one address of the app: which registrations a
   * verified delivery is for, in the words of {@link RegisteredWebhook.routes}. It reaches the connections that have one
   * of them, and no others of the same account.
   */
  routesOf?(delivery: RawDelivery, body: unknown): readonly string[];
  /**
   * How success is answered, where the provider wants it so: this status and an empty body (Slack's interactivity: 200).
   * Absent: 202, or 200 for what came before, with the ids of delivery and signals.
   */
  readonly answer?: { readonly status: 200 | 204 };
  /**
   * The provider makes the secret: we make and show none. Its admin is shown it and hands it over by `rotate`, or it
   * comes with what {@link registration} makes. Each webhook has its own, so a connection registers one. Absent: ours is
   * entered there.
   */
  readonly issuesSecret?: true;
  /** The form in which the provider takes a secret of ours: `whsec_<base64>` by Standard Webhooks. Absent: any text. */
  readonly secretForm?: 'standard_webhooks';
  /** What the tenant's admin does with URL and secret at the provider, in one or two sentences. */
  readonly instructions: string;
  /** Absent: the provider has no API for it, and the admin has to follow `instructions`. */
  readonly registration?: WebhookRegistrar;
}
