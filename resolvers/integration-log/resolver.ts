import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { ProviderCall } from '../../src/call/call.entity.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { IntegrationLog, IntegrationLogFilter, IntegrationLogPage } from './type.js';

@Resolver(() => IntegrationLog)
export class IntegrationLogResolver {
  @RequiresScope('integrations:audit')
  @Query(() => IntegrationLogPage, {
    description:
      'Calls to providers in the tenant’s name, newest first; each about a second after its end, and for as long as the operator keeps them.',
  })
  integrationLogs(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => IntegrationLogFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: IntegrationLogFilter | null,
  ) {
    return services.providerCalls.list(caller, given(filter), toPageRequest(page));
  }

  @FieldResolver(() => IntegrationConnection, { nullable: true, description: 'The connection that called.' })
  connection(@Root() { connectionId }: ProviderCall, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }
}
