import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Incident } from '../../src/incident/incident.entity.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { URLScalar } from '../scalars.js';
import {
  ConnectionIncident,
  ConnectionIncidentPage,
  IncidentFilter,
  IncidentSink,
  SetIncidentSinkPayload,
} from './type.js';

@Resolver(() => ConnectionIncident)
export class IncidentResolver {
  @RequiresScope('integrations:read')
  @Query(() => ConnectionIncidentPage, { description: 'Incidents, newest first.' })
  incidents(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => IncidentFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: IncidentFilter | null,
  ) {
    return services.incidents.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:admin')
  @Query(() => IncidentSink, {
    nullable: true,
    description: 'Where the tenant’s incidents are sent; null: nowhere.',
  })
  incidentSink(@Ctx() { services, caller }: GraphQLContext) {
    return services.incidents.sink(caller);
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => SetIncidentSinkPayload, {
    description:
      'Has the tenant’s incidents sent to a URL, signed with a new secret; or to nowhere any more. What waits to be sent goes to the new URL.',
  })
  async setIncidentSink(
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('url', () => URLScalar, {
      nullable: true,
      description: 'Where to: a public address, by http or https. Left out: nowhere.',
    })
    url?: string | null,
  ) {
    const { sink, secret } = await services.incidents.setSink(caller, { url: url ?? null });
    return { sink, secret: secret?.reveal() };
  }

  @FieldResolver(() => IntegrationConnection, {
    nullable: true,
    description: 'What it is about; a deleted one too. Null where it is about more than one connection.',
  })
  connection(@Root() { connectionId }: Incident, @Ctx() { loaders }: GraphQLContext) {
    return connectionId ? loaders.connection.load(connectionId) : null;
  }
}
