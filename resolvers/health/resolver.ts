import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Health } from '../../src/health/health.js';
import type { Probe } from '../../src/health/probe.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { PageArgs, toPageRequest } from '../page.js';
import { HealthChangePage, IntegrationHealth, ProbePayload, TenantHealth } from './type.js';

@Resolver(() => IntegrationHealth)
export class HealthResolver {
  @RequiresScope('integrations:read')
  @Query(() => TenantHealth, { description: 'The health of the tenant’s connections, summed up.' })
  health(@Ctx() { services, caller }: GraphQLContext) {
    return services.health.ofTenant(caller);
  }

  @FieldResolver(() => IntegrationConnection, { description: 'Whose health it is.' })
  connection(@Root() { connectionId }: Health, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => HealthChangePage, {
    description: 'How it came to be, newest first: both edges, each kept until the next is thirty days old.',
  })
  history(
    @Root() { connectionId }: Health,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.healthChanges.history(caller, connectionId, toPageRequest(page));
  }
}

@Resolver(() => ProbePayload)
export class ProbeResolver {
  @RequiresScope('integrations:write')
  @Mutation(() => ProbePayload, {
    description:
      'Asks the provider once whether all is well, by the cheapest call that needs the credential. A provider that can’t be reached changes no status; one that refuses the credential does, as by `verify`.',
  })
  async probe(
    @Arg('connectionId', () => ID, { description: 'Its id; it must be ACTIVE.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const probe = await services.health.probe(caller, id);
    return { ...probe, succeeded: !probe.failure, failure: probe.failure?.details };
  }

  @FieldResolver(() => IntegrationConnection, { description: 'As it is now.' })
  connection(@Root() { connectionId }: Probe, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }
}
