import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { DeadLetter as Letter } from '../../src/action/dead-letters.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { toProvider } from '../provider/provider.js';
import { IntegrationProvider } from '../provider/type.js';
import { DeadLetterFilter, RedriveInput, toRedriveCommand } from './input.js';
import { DeadLetter, DeadLetterPage, RedriveResult } from './type.js';

@Resolver(() => DeadLetter)
export class DeadLetterResolver {
  @RequiresScope('integrations:audit')
  @Query(() => DeadLetterPage, {
    description: 'Events that could not be normalised and actions that came to nothing, newest first.',
  })
  deadLetters(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => DeadLetterFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: DeadLetterFilter | null,
  ) {
    return services.deadLetters.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => RedriveResult, {
    description:
      'Tries dead letters again: events by today’s connector, actions under their own id, and looked into first where they may have been done. Each leaves a receipt.',
  })
  redrive(
    @Arg('input', () => RedriveInput, { description: 'Which ones.' }) input: RedriveInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.deadLetters.redrive(caller, toRedriveCommand(input));
  }

  @FieldResolver(() => IntegrationConnection, { description: 'How it came in, or where it shall be done.' })
  connection(@Root() { connectionId }: Letter, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }

  @FieldResolver(() => IntegrationProvider, {
    nullable: true,
    description: 'The provider; null when its connector is no longer there.',
  })
  provider(@Root() { providerId }: Letter, @Ctx() { services }: GraphQLContext) {
    const connector = services.catalog.find(providerId);
    return connector ? toProvider(connector) : null;
  }
}
