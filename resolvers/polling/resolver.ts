import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import type { Connection } from '../../src/connection/connection.entity.js';
import type { PolledStream } from '../../src/poll/poll.entity.js';
import type { StreamState } from '../../src/poll/poll.service.js';
import { RequiresScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { DateTime } from '../scalars.js';
import { ConnectionPolling, SetPollingInput } from './type.js';

/** Asking providers, beside being told. */
@Resolver(() => IntegrationConnection)
export class PollingResolver {
  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description:
      'Polls a connection at once; with `backfillSince` what happened since then is read again, behind everything else. Asked again, a backfill that runs goes on.',
  })
  pollNow(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) connectionId: string,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('backfillSince', () => DateTime, { nullable: true, description: 'A time in the past.' })
    backfillSince?: Date | null,
  ) {
    return services.polls.pollNow(caller, { connectionId, backfillSince });
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description: 'Switches polling of a connection on or off, and bounds how often it is done.',
  })
  setPolling(
    @Arg('input', () => SetPollingInput, { description: 'Which one, and how.' }) input: SetPollingInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const { connectionId, isOn, minSeconds, maxSeconds } = input;
    return services.polls.set(caller, { connectionId, isOn, minSeconds, maxSeconds });
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => ConnectionPolling, {
    nullable: true,
    description: 'How it is polled; null where it is not, and for some seconds after it became ACTIVE.',
  })
  async polling(@Root() { id }: Connection, @Ctx() { loaders }: GraphQLContext) {
    const state = await loaders.polling.load(id);
    if (!state) return null;
    const { isOn, minSeconds, maxSeconds, gaps } = state.polling;
    return { isOn, minSeconds, maxSeconds, gaps, streams: state.streams.map(toStream) };
  }
}

function toStream({ live, backfill, lagSeconds }: StreamState) {
  const { name, title, intervalSeconds, lastPolledAt, lastFoundAt, failure } = live;
  return {
    name,
    title,
    intervalSeconds,
    lastPolledAt,
    lastFoundAt,
    failure,
    lagSeconds,
    nextAt: live.isResting ? null : live.dueAt,
    backfill: backfill && toBackfill(backfill),
  };
}

function toBackfill({ since, status, progress, found, failure }: PolledStream) {
  return { since, status, progress, found, failure };
}
