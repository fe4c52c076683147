import type { Secret } from '../core/secret.js';
import type { ProviderContext } from './context.js';
import type { JsonObject, JsonSchema } from './json.js';

/** What the provider shall tell us, and where. */
export interface WantedWebhook {
  /** Ours and nobody else's: its last part is the connection's secret token. */
  readonly url: string;
  /** What deliveries shall be signed with. */
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
   * with the same URL or as `previousId` is brought into line instead.
   */
  register(context: ProviderContext, wanted: WantedWebhook): Promise<RegisteredWebhook>;
  /** Gives it another URL and secret, and leaves everything else as it is. */
  update(
    context: ProviderContext,
    registered: RegisteredWebhook,
    wanted: Pick<WantedWebhook, 'url' | 'secret'>,
  ): Promise<void>;
  /** Takes it away. One that is not there any more counts as taken away. */
  unregister(context: ProviderContext, registered: RegisteredWebhook): Promise<void>;
}
