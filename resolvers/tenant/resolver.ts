import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { RequiresScope, withScope } from '../authorize.js';
import { IntegrationConnectionPage } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { TenantHealth } from '../health/type.js';
import { PageArgs, toPageRequest } from '../page.js';
import { Tenant } from './type.js';

@Resolver(() => Tenant)
export class TenantResolver {
  @RequiresScope('integrations:read')
  @FieldResolver(() => IntegrationConnectionPage, { description: 'Its connections, newest first.' })
  connections(@Args(() => PageArgs) page: PageArgs, @Ctx() { services, caller }: GraphQLContext) {
    return services.connections.list(caller, {}, toPageRequest(page));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => TenantHealth, { description: 'Its connections’ health, summed up.' })
  health(@Root() { id }: Tenant, @Ctx() { loaders }: GraphQLContext) {
    return loaders.tenantHealth.load(id);
  }
}

/** A token speaks for one tenant: any other is as good as none. */
export const tenantReference = withScope('integrations:read', ({ id }, { caller }) =>
  id === caller.tenantId ? { id } : null,
);
