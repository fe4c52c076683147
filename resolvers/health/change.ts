import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql';
import { healthCursor } from '../../src/health/changes.js';
import type { HealthChange as Change } from '../../src/health/health.entity.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { Cursor } from '../scalars.js';
import { HealthChange } from './type.js';

interface FollowArgs {
  readonly connectionId?: string | null;
  readonly after?: string | null;
}

@Resolver(() => HealthChange)
export class HealthChangeResolver {
  @RequiresScope('integrations:read')
  @Subscription(() => HealthChange, {
    description:
      'Every change of the health of the caller’s tenant’s connections, worse and better, once each, in order. With `after` it first replays what was missed, then goes on live with no gap. Whoever was away for more than thirty days may get CURSOR_EXPIRED: subscribe without a cursor, then read `health`.',
    subscribe: ({ args, context }: { args: FollowArgs; context: GraphQLContext }) => {
      const { after, ...filter } = given(args);
      return context.services.healthChanges.subscribe(context.caller, filter, after);
    },
  })
  healthChanged(
    @Root() change: Change,
    @Arg('connectionId', () => ID, { nullable: true, description: 'Of this one; left out: of all.' })
    _connectionId?: string | null,
    @Arg('after', () => Cursor, {
      nullable: true,
      description: '`HealthChange.cursor` of the last one seen; left out: from now on.',
    })
    _after?: string | null,
  ) {
    return change;
  }

  @FieldResolver(() => IntegrationConnection, {
    description: 'As it is now, which may be later than the change; a deleted one as history keeps it.',
  })
  connection(@Root() { connectionId }: Change, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }

  @FieldResolver(() => Cursor, { description: 'Its place among the changes: `after` resumes behind it.' })
  cursor(@Root() change: Change) {
    return healthCursor(change);
  }
}
