import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { SignalChange as Change } from '../../src/signal/diff.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { toEnum } from '../enum.js';
import { given } from '../given.js';
import { Cursor, DateTime } from '../scalars.js';

export const SignalChangeKind = toEnum<Change['kind']>(
  'SignalChangeKind',
  'What today’s connector makes different.',
  {
    ADDED: 'It makes a signal that is not there.',
    CHANGED: 'It tells the signal differently.',
    REMOVED: 'It does not make the signal any more. A replay leaves such a signal as it is.',
  },
);

@ObjectType({ description: 'One signal that today’s connector makes differently.' })
export class SignalChange {
  @Field(() => SignalChangeKind, { description: 'What is different.' })
  kind!: Change['kind'];

  @Field(() => ID, { description: 'The signal’s id: the same as before, where it was there before.' })
  signalId!: string;

  @Field(() => String, { description: 'The signal’s canonical type.' })
  type!: string;

  @Field(() => ID, { description: 'The delivery it is made of.' })
  deliveryId!: string;

  @Field(() => [String], {
    description: 'Which fields differ when CHANGED, as in `payload.title`; never what is in them.',
  })
  fields!: readonly string[];
}

@ObjectType({ description: 'A delivery of which today’s connector makes nothing.' })
export class ReplayFailure {
  @Field(() => ID, { description: 'The delivery.' })
  deliveryId!: string;

  @Field(() => String, { description: 'Why.' })
  reason!: string;
}

@ObjectType({ description: 'What a replay would change, or has changed.' })
export class ReplayResult {
  @Field(() => Int, { description: 'How many deliveries this call normalised.' })
  deliveries!: number;

  @Field(() => [SignalChange], { description: 'The signals that differ, in the order the deliveries came.' })
  changes!: readonly SignalChange[];

  @Field(() => [ReplayFailure], { description: 'Deliveries that failed; their signals stay as they are.' })
  failures!: readonly ReplayFailure[];

  @Field(() => Cursor, {
    nullable: true,
    description: 'As `after`, with the same input, goes on from here; null when all have been through.',
  })
  endCursor!: string | null;
}

@InputType({ description: 'Which deliveries to normalise again.' })
export class ReplayInput {
  @Field(() => ID, { description: 'Those of this connection …' })
  connectionId!: string;

  @Field(() => DateTime, { description: '… that came at this moment or later …' })
  from!: Date;

  @Field(() => DateTime, { description: '… and before this one.' })
  to!: Date;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: true,
    description: 'Only tell what would change. False writes it: changed signals become new versions.',
  })
  dryRun?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 100,
    description: 'How many deliveries in this call: 1 to 500.',
  })
  first?: number | null;

  @Field(() => Cursor, { nullable: true, description: 'The `endCursor` of the call before.' })
  after?: string | null;
}

@Resolver()
export class ReplayResolver {
  @RequiresScope('integrations:admin')
  @Mutation(() => ReplayResult, {
    description:
      'Normalises stored deliveries again by today’s connector. A dry run answers the difference; else it is written, with a receipt, and subscribers get the new versions, marked by `revision`.',
  })
  replaySignals(
    @Arg('input', () => ReplayInput, { description: 'Which deliveries, and whether to write.' })
    { connectionId, from, to, ...rest }: ReplayInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.deliveries.replay(caller, { ...given(rest), connectionId, from, to });
  }
}
