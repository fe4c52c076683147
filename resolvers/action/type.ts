import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ActionStatus } from '../../src/action/action.entity.js';
import type { FailureCategory, JsonObject } from '../../src/connector/index.js';
import { entityKey } from '../entity-key.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { DateTime, JSONObject, URLScalar } from '../scalars.js';

export const IntegrationActionStatus = toEnum<ActionStatus>(
  'IntegrationActionStatus',
  'How far an action has come. The last four are final.',
  {
    ACCEPTED: 'Stored; not begun.',
    RUNNING: 'Under way.',
    RETRYING:
      'Taken up again at `nextAttemptAt`: what keeps it passes, or nobody knows yet whether it was done.',
    SUCCEEDED: 'Done at the provider.',
    FAILED: 'Not done; `failure` says why.',
    UNCONFIRMED: 'It could not be found out whether it was done: a person has to look.',
    CANCELLED: 'Given up before it began.',
  },
);

export const IntegrationFailureCategory = toEnum<FailureCategory>(
  'IntegrationFailureCategory',
  'What kind of trouble a provider gave.',
  {
    AUTH: 'It refused the credential, or the credential lacks a permission.',
    INVALID: 'It refused what was asked.',
    NOT_FOUND: 'It has no such thing, or hides it from this credential.',
    RATE_LIMIT: 'Too many calls; `retryAt` says when to come back.',
    BUDGET: 'The tenant’s own budget is used up.',
    CIRCUIT_OPEN: 'Not asked at all: it failed too often just now.',
    PROVIDER: 'It failed by its own fault.',
    NETWORK: 'It could not be reached, or its answer was lost.',
    UNKNOWN: 'None of the others.',
  },
);

@ObjectType({ description: 'A provider’s failure: data to act on, not an error of this API.' })
export class IntegrationFailure {
  @Field(() => IntegrationFailureCategory, { description: 'What kind of trouble it is.' })
  category!: FailureCategory;

  @Field(() => String, {
    description: 'Stable, in lower_snake: the provider’s own code where it has one, else ours.',
  })
  code!: string;

  @Field(() => String, { description: 'What happened and what to do, for a person.' })
  message!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'HTTP status of the provider’s answer; null when there was none.',
  })
  providerStatus?: number;

  @Field(() => DateTime, { nullable: true, description: 'Not worth trying before this moment.' })
  retryAt?: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it happened; told in `IntegrationHealth.recentErrors`.',
  })
  at?: string;
}

@ObjectType({ description: 'What an action brought about.' })
export class ActionResult {
  @Field(() => String, { description: 'The provider’s id of what was made or changed.' })
  externalId!: string;

  @Field(() => URLScalar, { nullable: true, description: 'Where a person can see it.' })
  url?: string;

  @Field(() => JSONObject, { description: 'As `ActionDefinition.outputSchema` says.' })
  output!: JsonObject;
}

@entityKey
@ObjectType({ description: 'One thing to do at a provider, done at most once.' })
export class IntegrationAction {
  @Field(() => ID, { description: 'Stable over all attempts.' })
  id!: string;

  @Field(() => IntegrationActionStatus, { description: 'How far it has come.' })
  status!: ActionStatus;

  @Field(() => String, { description: 'The caller’s key, unique in the tenant.' })
  idempotencyKey!: string;

  @Field(() => String, { nullable: true, description: 'Joins it to the caller’s own decision.' })
  correlationId!: string | null;

  @Field(() => Int, { description: 'How often it was tried or looked into, since its last redrive.' })
  attempts!: number;

  @Field(() => Int, { description: 'How often it was redriven after it had come to nothing.' })
  redrives!: number;

  @Field(() => ActionResult, { nullable: true, description: 'What it brought about; once SUCCEEDED.' })
  result!: ActionResult | null;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description: 'Why it failed, or why it is RETRYING or UNCONFIRMED.',
  })
  failure!: IntegrationFailure | null;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When its status became final.' })
  settledAt!: Date | null;
}

export const IntegrationActionPage = toPageType('IntegrationActionPage', 'actions', () => IntegrationAction);
