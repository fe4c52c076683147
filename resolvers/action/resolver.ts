import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Action } from '../../src/action/action.entity.js';
import { RequiresScope, withScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { IntegrationReceipt } from '../receipt/type.js';
import { DateTime } from '../scalars.js';
import { ActionFilter, ExecuteActionInput, requireOneKey, toExecuteCommand } from './input.js';
import { IntegrationAction, IntegrationActionPage } from './type.js';

@Resolver(() => IntegrationAction)
export class ActionResolver {
  @RequiresScope('integrations:execute')
  @Mutation(() => IntegrationAction, {
    description:
      'Does one thing at a provider, at most once per idempotency key. What the provider refuses is data on the action, not an error.',
  })
  executeAction(
    @Arg('input', () => ExecuteActionInput, { description: 'What to do, where, and under which key.' })
    input: ExecuteActionInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.actions.execute(caller, toExecuteCommand(input));
  }

  @RequiresScope('integrations:read')
  @Query(() => IntegrationActionPage, { description: 'Actions, newest first.' })
  actions(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => ActionFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: ActionFilter | null,
  ) {
    return services.actions.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:read')
  @Query(() => IntegrationAction, {
    nullable: true,
    description: 'One action, by its id or by the caller’s key.',
  })
  action(
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'Its id; or else give its key.' })
    id?: string | null,
    @Arg('idempotencyKey', () => String, { nullable: true, description: 'Its key; or else give its id.' })
    idempotencyKey?: string | null,
  ) {
    return services.actions.require(caller, requireOneKey(id, idempotencyKey));
  }

  @FieldResolver(() => String, { description: 'The canonical verb: the name of its field in ActionInput.' })
  type(@Root() { verb }: Action) {
    return verb;
  }

  @FieldResolver(() => IntegrationConnection, { description: 'Where it is done.' })
  connection(@Root() { connectionId }: Action, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'When it is taken up again; while RETRYING.',
  })
  nextAttemptAt(@Root() { status, leaseUntil }: Action) {
    return status === 'RETRYING' ? leaseUntil : null;
  }

  @RequiresScope('integrations:audit')
  @FieldResolver(() => IntegrationReceipt, {
    nullable: true,
    description: 'What became of it, once settled.',
  })
  receipt(@Root() { id, settledAt }: Action, @Ctx() { loaders }: GraphQLContext) {
    return settledAt ? loaders.receiptOfAction.load(id) : null;
  }
}

export const actionReference = withScope('integrations:read', ({ id }, { loaders }) =>
  loaders.action.load(id),
);
