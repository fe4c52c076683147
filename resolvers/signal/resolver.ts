import { Arg, Args, Ctx, ID, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { Signal as SignalEntity } from '../../src/signal/signal.entity.js';
import { RequiresScope, withScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { toPageRequest } from '../page.js';
import { Cursor } from '../scalars.js';
import { SignalFilter, SignalPageArgs } from './input.js';
import { Signal, SignalPage } from './type.js';

interface WatchArgs {
  readonly filter?: SignalFilter | null;
  readonly after?: string | null;
}

@Resolver(() => Signal)
export class SignalResolver {
  @RequiresScope('integrations:read')
  @Query(() => SignalPage, {
    description:
      'Signals in the order of commits, oldest first; the same order and cursors as `signalReceived`. A cursor behind which signals were deleted, because their time was over, is CURSOR_EXPIRED, whatever the filter.',
  })
  signals(
    @Args(() => SignalPageArgs) page: SignalPageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => SignalFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: SignalFilter | null,
  ) {
    return services.signals.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:read')
  @Query(() => Signal, { nullable: true, description: 'One signal.' })
  signal(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.signals.require(caller, id);
  }

  // For its declaration, and its check when it begins: each signal is told by signalReceived of fields.ts.
  @RequiresScope('integrations:read')
  @Subscription(() => Signal, {
    description:
      'Every signal of the caller’s tenant that matches, once each, in order. With `after` it first replays what was missed, then goes on live with no gap; when something of that was deleted, because its time was over, it is CURSOR_EXPIRED.',
    subscribe: ({ args, context }: { args: WatchArgs; context: GraphQLContext }) =>
      context.services.signals.subscribe(context.caller, given(args.filter), args.after ?? undefined),
  })
  signalReceived(
    @Root() signal: SignalEntity,
    @Arg('filter', () => SignalFilter, { nullable: true, description: 'Which ones; left out: all.' })
    _filter?: SignalFilter | null,
    @Arg('after', () => Cursor, {
      nullable: true,
      description: '`Signal.cursor` of the last one seen; left out: from now on.',
    })
    _after?: string | null,
  ) {
    return signal;
  }
}

export const signalReference = withScope('integrations:read', ({ id }, { loaders }) =>
  loaders.signal.load(id),
);
