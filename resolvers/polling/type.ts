import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { BackfillStatus, PollFailure } from '../../src/poll/poll.entity.js';
import { IntegrationFailure } from '../action/type.js';
import { toEnum } from '../enum.js';
import { DateTime } from '../scalars.js';

export const PollBackfillStatus = toEnum<BackfillStatus>(
  'PollBackfillStatus',
  'How far a backfill has come.',
  {
    RUNNING: 'It goes on, as far as live polls and actions leave room.',
    DONE: 'It has come to its end.',
    FAILED: 'It failed again and again; `pollNow` lets it go on from where it is.',
  },
);

@ObjectType({ description: 'Reading again what happened since a time in the past.' })
export class PollBackfill {
  @Field(() => DateTime, { description: 'From when on.' })
  since!: Date;

  @Field(() => PollBackfillStatus, { description: 'How far it has come, in a word.' })
  status!: BackfillStatus;

  @Field(() => Float, {
    nullable: true,
    description: 'The share of the way that is done, 0 to 1; null where the provider gives no measure.',
  })
  progress!: number | null;

  @Field(() => Int, { description: 'Signals that nothing had brought before.' })
  found!: number;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description: 'Why it did not get on when last tried; null when it did.',
  })
  failure!: PollFailure | null;
}

@ObjectType({ description: 'One thing that is asked for by itself, with a place of its own.' })
export class PollStream {
  @Field(() => String, { description: 'Unique in the connection.' })
  name!: string;

  @Field(() => String, { description: 'What it is, for people.' })
  title!: string;

  @Field(() => DateTime, { nullable: true, description: 'When it is polled next; null while it rests.' })
  nextAt!: Date | null;

  @Field(() => Int, {
    description:
      'Seconds between two polls at the moment: fewer while they find something, more while they don’t.',
  })
  intervalSeconds!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When a poll last came to the end of all there was; null before the first.',
  })
  lastPolledAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When a poll last found what nothing had brought before; null if none ever did.',
  })
  lastFoundAt!: Date | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Seconds since `lastPolledAt`: what happened within them may not have been seen.',
  })
  lagSeconds!: number | null;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description: 'Why the last poll did not come to its end; null when it did.',
  })
  failure!: PollFailure | null;

  @Field(() => PollBackfill, { nullable: true, description: 'The last that `pollNow` asked for.' })
  backfill!: PollBackfill | null;
}

@ObjectType({ description: 'How a connection is polled.' })
export class ConnectionPolling {
  @Field(() => Boolean, { description: 'Whether it is polled while it is ACTIVE: `setPolling`.' })
  isOn!: boolean;

  @Field(() => Int, { description: 'The shortest interval, in seconds.' })
  minSeconds!: number;

  @Field(() => Int, { description: 'The longest interval, in seconds.' })
  maxSeconds!: number;

  @Field(() => Int, {
    description:
      'Signals that a poll found and no webhook told of within five minutes. Counted where the connection has both WEBHOOK and POLLING.',
  })
  gaps!: number;

  @Field(() => [PollStream], { description: 'What is polled, by name.' })
  streams!: readonly PollStream[];
}

@InputType({ description: 'How a connection shall be polled. What is left out stays as it is.' })
export class SetPollingInput {
  @Field(() => ID, { description: 'The connection.' })
  connectionId!: string;

  @Field(() => Boolean, { nullable: true, description: 'Whether to poll it at all. Cursors stay.' })
  isOn?: boolean | null;

  @Field(() => Int, { nullable: true, description: 'The shortest interval, in seconds: 30 to 86,400.' })
  minSeconds?: number | null;

  @Field(() => Int, { nullable: true, description: 'The longest interval, in seconds: 30 to 86,400.' })
  maxSeconds?: number | null;
}
