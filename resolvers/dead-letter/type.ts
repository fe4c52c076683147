import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { DeadLetterKind as Kind } from '../../src/action/dead-letters.js';
import type { Redriven as Outcome } from '../../src/action/redrive.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { Cursor, DateTime } from '../scalars.js';

export const DeadLetterKind = toEnum<Kind>('DeadLetterKind', 'What is stuck.', {
  DELIVERY: 'An event that came in and could not be normalised.',
  ACTION: 'An action that is FAILED or UNCONFIRMED.',
});

export const RedriveOutcome = toEnum<Outcome['outcome']>('RedriveOutcome', 'What came of trying again.', {
  DONE: 'It is through: its signals are in the feed, or the action has SUCCEEDED.',
  FAILED: 'It failed again; `reason` says why.',
  PENDING: 'The action is under way, or waits for its next attempt.',
  SKIPPED: 'Nothing was done; `reason` says why.',
});

@ObjectType({
  description:
    'Something that came in or shall go out, and that nobody takes up by himself. Never its content.',
})
export class DeadLetter {
  @Field(() => ID, { description: 'Of the delivery or the action. In the order of time.' })
  id!: string;

  @Field(() => DeadLetterKind, { description: 'What is stuck.' })
  kind!: Kind;

  @Field(() => String, { description: 'The provider’s type of the event, or the action’s verb.' })
  type!: string;

  @Field(() => String, { description: 'What kept it, for a person.' })
  reason!: string;

  @Field(() => Int, {
    description: 'How often it was tried; an action’s are counted since its last redrive.',
  })
  attempts!: number;

  @Field(() => DateTime, { description: 'When the event came, or the action was asked for.' })
  occurredAt!: Date;
}

export const DeadLetterPage = toPageType('DeadLetterPage', 'dead letters', () => DeadLetter);

@ObjectType({ description: 'What came of redriving one dead letter.' })
export class RedrivenLetter {
  @Field(() => ID, { description: 'Of the delivery or the action.' })
  id!: string;

  @Field(() => DeadLetterKind, { description: 'What it is.' })
  kind!: Kind;

  @Field(() => RedriveOutcome, { description: 'What came of it.' })
  outcome!: Outcome['outcome'];

  @Field(() => String, { nullable: true, description: 'Why it failed, waits or was skipped.' })
  reason!: string | null;
}

@ObjectType({ description: 'What came of redriving dead letters.' })
export class RedriveResult {
  @Field(() => [RedrivenLetter], { description: 'One for each that was asked for or found.' })
  letters!: readonly RedrivenLetter[];

  @Field(() => Cursor, {
    nullable: true,
    description: 'As `after`, with the same filter, goes on from here; null when all that match were tried.',
  })
  endCursor!: string | null;
}
