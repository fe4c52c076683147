import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { FailureCategory } from '../../src/connector/index.js';
import { IntegrationFailureCategory } from '../action/type.js';
import { toPageType } from '../page.js';
import { DateTime } from '../scalars.js';

@ObjectType({
  description:
    'One call to a provider, all its tries together. Without what was sent and answered, and without secrets.',
})
export class IntegrationLog {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { description: 'What it was for: `verify`, `poll`, `action.create_issue` …' })
  operation!: string;

  @Field(() => String, { description: 'The HTTP method.' })
  method!: string;

  @Field(() => String, {
    description: 'The path as a template, such as `/repos/{owner}/{repo}/issues`: never what filled it.',
  })
  endpoint!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'HTTP status of the last answer; null when there was none.',
  })
  status!: number | null;

  @Field(() => IntegrationFailureCategory, {
    nullable: true,
    description: 'How it failed; null when it went well.',
  })
  category!: FailureCategory | null;

  @Field(() => String, {
    nullable: true,
    description: 'The failure’s code, as an action’s failure has it; null when it went well.',
  })
  code!: string | null;

  @Field(() => Int, {
    description: 'Requests that were sent: 0 when a limit, budget or circuit kept the first.',
  })
  attempts!: number;

  @Field(() => Int, { description: 'Milliseconds until the end of the last answer, waits included.' })
  durationMs!: number;

  @Field(() => String, {
    description: 'The id that the provider was told: of the request, action or run it was for.',
  })
  correlationId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The trace it is in: 32 hex digits; null without one.',
  })
  traceId!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'What is left of the scarcest limit, as the provider told; null when it did not.',
  })
  limitRemaining!: number | null;

  @Field(() => DateTime, { description: 'When it began.' })
  calledAt!: Date;
}

export const IntegrationLogPage = toPageType('IntegrationLogPage', 'calls', () => IntegrationLog);

@InputType({ description: 'Which calls. Every given field must match.' })
export class IntegrationLogFilter {
  @Field(() => ID, { nullable: true, description: 'By this connection.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'With this correlation id.' })
  correlationId?: string | null;

  @Field(() => IntegrationFailureCategory, { nullable: true, description: 'That failed in this way.' })
  category?: FailureCategory | null;

  @Field(() => DateTime, { nullable: true, description: 'Begun at this moment or later.' })
  since?: Date | null;
}
