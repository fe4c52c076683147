import type { Secret } from '../core/secret.js';
import type { WebhookRegistrar } from './registration.js';

/** A webhook request exactly as it came. */
export interface RawDelivery {
  /** Names in lower case; a header that came several times is joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes on the wire: signatures are over these and nothing else. */
  readonly body: Buffer;
  readonly receivedAt: Date;
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

/**
 * The receiving side of a connector. `verify` runs first and sees raw bytes only, so nothing unauthenticated is
 * ever parsed; `decode` and `identify` run only on what `verify` has let through.
 */
export interface Webhook {
  /** True when one of the secrets signed these bytes. Never throws for bad input: it answers false. */
  verify(delivery: RawDelivery, secrets: readonly Secret[]): boolean;
  /** The body as a value. Absent: JSON in UTF-8, sent as application/json. */
  decode?(delivery: RawDelivery): unknown;
  /** Names the event, from headers or body. Throws {@link MalformedDelivery} when it can't. */
  identify(delivery: RawDelivery, body: unknown): EventIdentity;
  /** What the tenant's admin does with URL and secret at the provider, in one or two sentences. */
  readonly instructions: string;
  /** Absent: the provider has no API for it, and the admin has to follow `instructions`. */
  readonly registration?: WebhookRegistrar;
}
