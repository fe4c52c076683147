import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { OAuthAppRecord } from '../../src/connection/oauth-app.entity.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { toProvider } from '../provider/provider.js';
import { IntegrationProvider } from '../provider/type.js';
import { DateTime, URLScalar } from '../scalars.js';
import { IntegrationConnection } from './type.js';

@ObjectType({ description: 'An authorization that waits for a person.' })
export class AuthorizePayload {
  @Field(() => IntegrationConnection, { description: 'As it is until then.' })
  connection!: IntegrationConnection;

  @Field(() => URLScalar, {
    description:
      'Open it in the browser of the person who consents at the provider: within ten minutes, and in one browser only.',
  })
  authorizationUrl!: string;
}

@ObjectType({ description: 'An OAuth app that the tenant has registered with a provider itself.' })
export class OAuthApp {
  @Field(() => IntegrationProvider, { description: 'Registered with whom.' })
  provider!: IntegrationProvider;

  @Field(() => String, { description: 'As the provider knows it. Its secret never leaves.' })
  clientId!: string;

  @Field(() => URLScalar, {
    nullable: true,
    description: 'Where it is registered. Null: with the provider’s own service.',
  })
  baseUrl!: string | null;

  @Field(() => DateTime, { description: 'When it was last set.' })
  updatedAt!: Date;
}

@InputType({ description: 'An OAuth app registered with a provider, to be used in place of the operator’s.' })
export class SetOAuthAppInput {
  @Field(() => ID, { description: 'The provider, such as `github`.' })
  providerId!: string;

  @Field(() => String, { description: 'Its client id.' })
  clientId!: string;

  @Field(() => String, { description: 'Its client secret. Stored sealed.' })
  clientSecret!: string;

  @Field(() => URLScalar, {
    nullable: true,
    description:
      'Where it is registered, when you run the provider yourselves: the setting `baseUrl` of the connections it is for. Left out: with the provider’s own service.',
  })
  baseUrl?: string | null;
}

/** What a person's consent takes: links to give it, and the apps it is given to. */
@Resolver()
export class AuthorizationResolver {
  @RequiresScope('integrations:write')
  @Mutation(() => AuthorizePayload, {
    description:
      'A link for the person who consents at the provider, to make a connection work or to make it work again. What works goes on until the new tokens have proven to work.',
  })
  authorize(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) connectionId: string,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('returnTo', () => URLScalar, {
      nullable: true,
      description: 'Where the browser goes afterwards; one of the operator’s OAUTH_RETURN_TO.',
    })
    returnTo?: string | null,
  ) {
    return services.connections.authorize(caller, { connectionId, returnTo });
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => OAuthApp, {
    description: 'Sets the OAuth app for a provider. Connections of another app have to be authorized again.',
  })
  async setOAuthApp(
    @Arg('input', () => SetOAuthAppInput, { description: 'The app.' })
    { providerId, clientId, clientSecret, baseUrl }: SetOAuthAppInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const command = { providerId, clientId, clientSecret, ...(baseUrl && { baseUrl }) };
    return toOAuthApp(await services.oauthApps.set(caller, command), services);
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => Boolean, {
    description: 'Takes the tenant’s OAuth app away; the operator’s counts again. False: there was none.',
  })
  removeOAuthApp(
    @Arg('providerId', () => ID, { description: 'The provider.' }) providerId: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.oauthApps.remove(caller, providerId);
  }

  @RequiresScope('integrations:admin')
  @Query(() => [OAuthApp], { description: 'The OAuth apps that the tenant has set itself.' })
  async oauthApps(@Ctx() { services, caller }: GraphQLContext) {
    const apps = await services.oauthApps.list(caller);
    return apps.map((app) => toOAuthApp(app, services));
  }
}

function toOAuthApp(
  { providerId, clientId, baseUrl, updatedAt }: OAuthAppRecord,
  { catalog }: GraphQLContext['services'],
) {
  return { provider: toProvider(catalog.require(providerId)), clientId, baseUrl: baseUrl ?? null, updatedAt };
}
