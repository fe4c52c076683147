import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Capability, Category } from '../../src/connector/index.js';
import { RequiresScope, withScope } from '../authorize.js';
import { IntegrationConnectionPage } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { toProvider } from './provider.js';
import { IntegrationCapability, IntegrationCategory, IntegrationProvider } from './type.js';

@Resolver(() => IntegrationProvider)
export class ProviderResolver {
  @RequiresScope('integrations:read')
  @Query(() => [IntegrationProvider], { description: 'The catalogue, by name.' })
  providers(
    @Ctx() { services }: GraphQLContext,
    @Arg('category', () => IntegrationCategory, { nullable: true, description: 'Only of this kind.' })
    category?: Category | null,
    @Arg('capability', () => IntegrationCapability, {
      nullable: true,
      description: 'Only those that can do this.',
    })
    capability?: Capability | null,
  ) {
    return services.catalog.list(given({ category, capability })).map(toProvider);
  }

  @RequiresScope('integrations:read')
  @Query(() => IntegrationProvider, {
    nullable: true,
    description: 'One provider. NOT_FOUND names those there are.',
  })
  provider(
    @Arg('id', () => ID, { description: 'Such as `github`.' }) id: string,
    @Ctx() { services }: GraphQLContext,
  ) {
    return toProvider(services.catalog.require(id));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => IntegrationConnectionPage, {
    description: 'The caller’s connections to it, newest first.',
  })
  connections(
    @Root() { id }: IntegrationProvider,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.list(caller, { providerId: id }, toPageRequest(page));
  }
}

export const providerReference = withScope('integrations:read', ({ id }, { services }) => {
  const connector = services.catalog.find(id);
  return connector ? toProvider(connector) : null;
});
