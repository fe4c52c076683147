import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root, Subscription } from 'type-graphql';
import { type JsonObject, compact } from '../../src/connector/index.js';
import type { Signal as SignalEntity } from '../../src/signal/signal.entity.js';
import { signalCursor } from '../../src/signal/signals.js';
import { RequiresScope, withScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { toPageRequest } from '../page.js';
import { Cursor, JSONObject } from '../scalars.js';
import { Tenant } from '../tenant/type.js';
import { SignalFilter, SignalPageArgs } from './input.js';
import { CorrelationHint, EvidenceLink, Signal, SignalPage, SignalResource } from './type.js';

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

  @FieldResolver(() => Tenant, { description: 'Whose signal it is.' })
  tenant(@Root() { tenantId }: SignalEntity) {
    return { id: tenantId };
  }

  @FieldResolver(() => IntegrationConnection, {
    description: 'How it came in; its id is the envelope’s `producer_id`.',
  })
  connection(@Root() { connectionId }: SignalEntity, @Ctx() { loaders }: GraphQLContext) {
    return loaders.connection.load(connectionId);
  }

  @FieldResolver(() => SignalResource, {
    nullable: true,
    description: 'Where it happened; null when nothing says so.',
  })
  resource(@Root() { content }: SignalEntity): SignalResource | null {
    const { pr_id: prId, ...rest } = content.resource;
    const resource = compact({ ...rest, prId });
    return Object.keys(resource).length > 0 ? resource : null;
  }

  @FieldResolver(() => JSONObject, {
    description: 'Canonical fields in snake_case, `provider_metadata` and `canonical_keys`.',
  })
  payload(@Root() { content }: SignalEntity): JsonObject {
    return content.payload;
  }

  @FieldResolver(() => [EvidenceLink], { description: 'Where a person can see the thing itself.' })
  evidence(@Root() { content }: SignalEntity) {
    return content.evidence;
  }

  @FieldResolver(() => [CorrelationHint], { description: 'What to join it to other signals by.' })
  correlationHints(@Root() { content }: SignalEntity) {
    return content.correlation_hints;
  }

  @FieldResolver(() => Cursor, { description: 'Its place in the feed: `after` resumes behind it.' })
  cursor(@Root() signal: SignalEntity) {
    return signalCursor(signal);
  }
}

export const signalReference = withScope('integrations:read', ({ id }, { loaders }) =>
  loaders.signal.load(id),
);
