import { Ctx, Query, Resolver } from 'type-graphql';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { Quota } from './type.js';

@Resolver()
export class QuotaResolver {
  @RequiresScope('integrations:read')
  @Query(() => Quota, { description: 'What the caller’s plan allows, and how much of it is used.' })
  quota(@Ctx() { services, caller }: GraphQLContext) {
    return services.quotas.read(caller);
  }
}
