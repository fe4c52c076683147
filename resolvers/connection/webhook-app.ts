import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { HandshakeState } from '../../src/connection/status.js';
import type { WebhookApp as AppRecord } from '../../src/connection/webhook-app.entity.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { toProvider } from '../provider/provider.js';
import { IntegrationProvider } from '../provider/type.js';
import { DateTime, URLScalar } from '../scalars.js';
import { WebhookHandshake } from './type.js';

@ObjectType({
  description: 'An app of the tenant’s own, whose webhooks for all its accounts come to one address.',
})
export class WebhookApp {
  @Field(() => IntegrationProvider, { description: 'Registered with whom.' })
  provider!: IntegrationProvider;

  @Field(() => WebhookHandshake, {
    nullable: true,
    description: 'Where the provider hands the secret out itself: how far that has come. Null elsewhere.',
  })
  handshake!: HandshakeState | null;

  @Field(() => DateTime, { description: 'When its secret was last set.' })
  updatedAt!: Date;
}

@InputType({ description: 'An app whose webhooks come to one address.' })
export class RegisterWebhookAppInput {
  @Field(() => ID, { description: 'The provider, such as `slack`.' })
  providerId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'What the provider signs the app’s webhooks with. Stored sealed. Left out where the provider hands it out itself: `showWebhookAppSecret` tells it then.',
  })
  secret?: string | null;
}

@ObjectType({ description: 'What `registerWebhookApp` has made.' })
export class RegisterWebhookAppPayload {
  @Field(() => WebhookApp, { description: 'The app.' })
  app!: WebhookApp;

  @Field(() => URLScalar, {
    description: 'What is entered in the app’s settings at the provider. Its last part is a secret token.',
  })
  url!: string;
}

@ObjectType({ description: 'A secret, shown this once.' })
export class ShownSecret {
  @Field(() => String, { description: 'To be entered at the provider.' })
  secret!: string;
}

/** Addresses of apps, and secrets that providers hand out. */
@Resolver()
export class WebhookAppResolver {
  @RequiresScope('integrations:admin')
  @Mutation(() => RegisterWebhookAppPayload, {
    description:
      'Registers an app whose webhooks come to one address: they reach the tenant’s connections of the account that each is about. Called again, it sets another secret; the URL stays, and the previous secret counts for a day.',
  })
  async registerWebhookApp(
    @Arg('input', () => RegisterWebhookAppInput, { description: 'The app.' })
    { providerId, secret }: RegisterWebhookAppInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const { app, url } = await services.webhookApps.register(caller, { providerId, secret });
    return { app: toWebhookApp(app, services), url };
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => Boolean, {
    description: 'Forgets the app: its address is unknown from then on. False: there was none.',
  })
  removeWebhookApp(
    @Arg('providerId', () => ID, { description: 'The provider.' }) providerId: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.webhookApps.remove(caller, providerId);
  }

  @RequiresScope('integrations:admin')
  @Query(() => [WebhookApp], { description: 'The apps that the tenant has registered for webhooks.' })
  async webhookApps(@Ctx() { services, caller }: GraphQLContext) {
    const apps = await services.webhookApps.list(caller);
    return apps.map((app) => toWebhookApp(app, services));
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => ShownSecret, {
    description: 'The secret that a provider has handed out to the app’s address; once.',
  })
  async showWebhookAppSecret(
    @Arg('providerId', () => ID, { description: 'The provider.' }) providerId: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return { secret: (await services.webhookApps.showSecret(caller, providerId)).reveal() };
  }

  @RequiresScope('integrations:write')
  @Mutation(() => ShownSecret, {
    description:
      'The secret that a provider has handed out to the connection’s webhook URL, for the admin who confirms it there; once.',
  })
  async showWebhookSecret(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) connectionId: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return { secret: (await services.webhookApps.showConnectionSecret(caller, connectionId)).reveal() };
  }
}

function toWebhookApp(
  { providerId, handshake, updatedAt }: AppRecord,
  { catalog }: GraphQLContext['services'],
) {
  return { provider: toProvider(catalog.require(providerId)), handshake: handshake ?? null, updatedAt };
}
