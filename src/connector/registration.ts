import type { Secret } from '../core/secret.js';
import type { ProviderContext } from './context.js';
import type { Json, JsonObject, JsonSchema } from './json.js';

/** What the provider shall tell us, and where. */
export interface WantedWebhook {
  /** Ours and nobody else's: its last part is the connection's secret token. */
  readonly url: string;
  /**
   * Where the provider knows one address for all of an app's webhooks: that of the app which this connection's person
   * consented to. Left out: nobody has registered it by `registerWebhookApp`.
   */
  readonly appUrl?: string;
  /** What deliveries to `url` shall be signed with. Of no use to a provider that makes the secret itself. */
  readonly secret: Secret;
  /** By the names of the manifest's triggers. The provider is asked for the least that brings them. */
  readonly events: readonly string[];
  /** Valid by {@link WebhookRegistrar.targetSchema}. */
  readonly target: JsonObject;
  /** What we registered there before, which is ours whatever its URL is by now. */
  readonly previousId?: string;
}

/** A webhook at the provider. */
export interface RegisteredWebhook {
  /** The provider's id of it, unique within the connection. */
  readonly externalId: string;
  readonly target: JsonObject;
  /** What it is subscribed to, in the provider's words. */
  readonly events: readonly string[];
  /** When the provider lets it end by itself: `renew` is called a week before. Left out: it does not end. */
  readonly expiresAt?: Date | null | undefined;
  /**
   * How {@link Webhook.routesOf} names it, where it sends to `appUrl`: unique among all the accounts of the app, and made
   * of nothing that a tenant can choose. Left out: it sends to the connection's own address.
   */
  readonly routes?: readonly string[];
  /** Where the provider makes the secret: the one that it told as it made this webhook. The core seals it at once. */
  readonly issuedSecret?: string;
  /** By their ids: webhooks whose place it takes. The core has them unregistered once it is stored. */
  readonly replaces?: readonly string[];
}

/** Which deliveries that have failed shall be asked for. */
export interface RedeliveryRequest {
  /** What was answered before as `nextCursor`; null the first time. */
  readonly cursor: Json;
  /** Where the beginning is. */
  readonly since: Date;
}

export interface Redelivered {
  /** Where the next time goes on. The core keeps it and does not look into it. */
  readonly nextCursor: Json;
  /** How many deliveries the provider was asked to repeat. */
  readonly asked: number;
}

/**
 * Sets webhooks up at the provider, so that no person has to. Every method throws ProviderFailure when the provider
 * does not do it, and none of them may show the secret anywhere but in the body of a request.
 */
export interface WebhookRegistrar {
  /** About what there are events: GitHub's `{ repository }` or `{ organization }`, a project, a team, a JQL filter. */
  readonly targetSchema: JsonSchema;
  /**
   * Makes it so. Called again, also after an answer that was lost, it has no second webhook as its effect: what is there
   * with the same URL or as `previousId` is brought into line instead, or replaced where its secret can't be known.
   */
  register(context: ProviderContext, wanted: WantedWebhook): Promise<RegisteredWebhook>;
  /**
   * Gives it another URL and secret, and leaves everything else as it is. Where the provider has to make another webhook
   * for that: answers it, with the one before in `replaces`.
   */
  update(
    context: ProviderContext,
    registered: RegisteredWebhook,
    wanted: Pick<WantedWebhook, 'url' | 'secret'>,
  ): Promise<RegisteredWebhook | void>;
  /**
   * For webhooks that end: has it last longer, and sets the same up anew where the provider has it no more. Answers what
   * is there then. Called again after an answer that was lost, it leaves no second one.
   */
  renew?(
    context: ProviderContext,
    registered: RegisteredWebhook,
    wanted: Pick<WantedWebhook, 'url' | 'appUrl' | 'secret'>,
  ): Promise<RegisteredWebhook>;
  /** Takes it away. One that is not there any more counts as taken away. */
  unregister(context: ProviderContext, registered: RegisteredWebhook): Promise<void>;
  /**
   * For providers that never repeat a delivery by themselves: looks for those that failed and asks for them. Called every
   * few minutes, after a failure again from the same cursor: a delivery that is asked for twice must come under the id
   * that it had. A single call asks for a few dozen at most, so that it ends soon.
   */
  redeliver?(
    context: ProviderContext,
    registered: RegisteredWebhook,
    request: RedeliveryRequest,
  ): Promise<Redelivered>;
}
