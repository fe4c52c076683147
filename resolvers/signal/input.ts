import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import type { SignalKind as Kind } from '../../src/connector/index.js';
import { MAX_PAGE } from '../../src/core/page.js';
import { PageArgs } from '../page.js';
import { DateTime } from '../scalars.js';
import { SignalKind } from './type.js';

@InputType({
  description:
    'Which signals. Every given field must match; a list matches when it holds the value. At most 100 values a list.',
})
export class SignalFilter {
  @Field(() => [ID], { nullable: true, description: 'Of these connections.' })
  connectionIds?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Of these providers.' })
  providerIds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Of these canonical types.' })
  types?: string[] | null;

  @Field(() => [SignalKind], { nullable: true, description: 'Of these kinds.' })
  kinds?: Kind[] | null;

  @Field(() => String, { nullable: true, description: 'Of this repository, as the provider writes it.' })
  repository?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Occurred at this moment or later.' })
  since?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Occurred before this moment.' })
  until?: Date | null;

  @Field(() => String, { nullable: true, description: 'With this correlation id.' })
  correlationId?: string | null;
}

@ArgsType()
export class SignalPageArgs extends PageArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 50,
    description: `How many signals at most: 1 to ${MAX_PAGE}.`,
  })
  declare first: number | null;
}
