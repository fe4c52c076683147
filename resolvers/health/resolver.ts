import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Health } from '../../src/health/health.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { IntegrationHealth, TenantHealth } from './type.js';

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
}
