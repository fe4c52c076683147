import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql';
import { changeCursor } from '../../src/connection/changes.js';
import type { ConnectionChange as Change } from '../../src/connection/connection.entity.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { Cursor } from '../scalars.js';
import { ConnectionChange, IntegrationConnection } from './type.js';

interface FollowArgs {
  readonly connectionId?: string | null;
  readonly after?: string | null;
}

@Resolver(() => ConnectionChange)
export class ConnectionChangeResolver {
  @RequiresScope('integrations:read')
  @Subscription(() => ConnectionChange, {
    description:
      'Every change of the caller’s tenant’s connections, once each, in order; whatever leaves a receipt is one. With `after` it first replays what was missed, then goes on live with no gap. Whoever was away for more than seven days may get CURSOR_EXPIRED: subscribe without a cursor, then read `connections`.',
    subscribe: ({ args, context }: { args: FollowArgs; context: GraphQLContext }) => {
      const { after, ...filter } = given(args);
      return context.services.changes.subscribe(context.caller, filter, after);
    },
  })
  connectionChanged(
    @Root() change: Change,
    @Arg('connectionId', () => ID, { nullable: true, description: 'Of this one; left out: of all.' })
    _connectionId?: string | null,
    @Arg('after', () => Cursor, {
      nullable: true,
      description: '`ConnectionChange.cursor` of the last one seen; left out: from now on.',
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
    return changeCursor(change);
  }
}
