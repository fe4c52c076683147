import { Field, ID, InputType, Int } from 'type-graphql';
import type { DeadLetterKind as Kind, RedriveCommand } from '../../src/action/dead-letters.js';
import { given } from '../given.js';
import { Cursor, DateTime } from '../scalars.js';
import { DeadLetterKind } from './type.js';

@InputType({ description: 'Which dead letters. Every given field must match.' })
export class DeadLetterFilter {
  @Field(() => DeadLetterKind, { nullable: true, description: 'Of this kind.' })
  kind?: Kind | null;

  @Field(() => ID, { nullable: true, description: 'Of this connection.' })
  connectionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Of this provider.' })
  providerId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Occurred at this moment or later.' })
  since?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Occurred before this moment.' })
  until?: Date | null;
}

@InputType({ description: 'Which dead letters to try again: either by their ids, or all that match.' })
export class RedriveInput {
  @Field(() => [ID], { nullable: true, description: 'These: at most 100.' })
  ids?: string[] | null;

  @Field(() => DeadLetterFilter, {
    nullable: true,
    description: 'Or those that match, oldest first. Deliveries whose body was deleted are left out.',
  })
  filter?: DeadLetterFilter | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 20,
    description: 'How many of those that match in this call: 1 to 100.',
  })
  first?: number | null;

  @Field(() => Cursor, { nullable: true, description: 'The `endCursor` of the call before.' })
  after?: string | null;
}

/** The input as the service takes it, without nulls. */
export function toRedriveCommand({ filter, ...rest }: RedriveInput): RedriveCommand {
  return { ...given(rest), ...(filter && { filter: given(filter) }) };
}
