import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { BudgetScope } from '../../src/outbound/refusal.js';
import type { IncidentKind } from '../../src/incident/incident.entity.js';
import { CallBudgetScope } from '../connection/limits.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { DateTime, URLScalar } from '../scalars.js';

export const IncidentKindEnum = toEnum<IncidentKind>('IncidentKind', 'What an incident is about.', {
  CIRCUIT_OPEN: 'The provider failed so often that it is left in peace for a while.',
  REPEATED_FAILURE: 'Of five calls or more within five minutes, more than half failed.',
  LIMIT_EXHAUSTED: 'Calls wait because the provider’s limits are used up, or it asked for a pause.',
  BUDGET_EXHAUSTED:
    'Calls are refused because a budget that the tenant set is used up: one for each of its windows.',
  CREDENTIALS_EXPIRED: 'The connection is REAUTHORIZATION_REQUIRED or ERROR: somebody has to mend it.',
  POLLS_FAILING: 'Polls of a stream have failed three times in a row.',
  WEBHOOK_ENDING: 'A webhook ends at the provider, and could not be renewed three times in a row.',
  RECEIPTS_ROLLED_BACK:
    'A witness of the receipts’ log saw another log than there is: it was rolled back, or its past was changed.',
});

@ObjectType({
  description:
    'Something about a connection, a budget of calls or the receipts’ log that somebody should know of. There is one open incident of a kind for a connection, however often its cause comes and goes; it is resolved once that is gone for five minutes. That of a budget is resolved when its window turns, or the budget is changed; that of the log when the witness agrees again, or is set anew.',
})
export class ConnectionIncident {
  @Field(() => ID, { description: 'In the order of time; `incident_id` of what is sent to the sink.' })
  id!: string;

  @Field(() => IncidentKindEnum, { description: 'What it is about.' })
  kind!: IncidentKind;

  @Field(() => CallBudgetScope, {
    description: 'What is concerned. Only budgets and the receipts’ log concern more than one connection.',
  })
  scope!: BudgetScope;

  @Field(() => ID, {
    nullable: true,
    description: 'The provider concerned; null where it is the whole tenant.',
  })
  providerId!: string | null;

  @Field(() => String, { description: 'What was wrong when it was opened, for the tenant’s admin.' })
  message!: string;

  @Field(() => DateTime, { description: 'When it was opened.' })
  openedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was over; null while it is open.' })
  resolvedAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it is over by itself, as a budget is with its window; null where that is not known.',
  })
  endsAt!: Date | null;
}

export const ConnectionIncidentPage = toPageType(
  'ConnectionIncidentPage',
  'incidents',
  () => ConnectionIncident,
);

@InputType({ description: 'Which incidents. Every given field must match.' })
export class IncidentFilter {
  @Field(() => ID, { nullable: true, description: 'Of this connection.' })
  connectionId?: string | null;

  @Field(() => IncidentKindEnum, { nullable: true, description: 'Of this kind.' })
  kind?: IncidentKind | null;

  @Field(() => Boolean, { nullable: true, description: 'Only what is open, or only what is over.' })
  isOpen?: boolean | null;
}

@ObjectType({ description: 'Where a tenant’s incidents are sent.' })
export class IncidentSink {
  @Field(() => URLScalar, { description: 'It gets a POST when an incident is opened, and when it is over.' })
  url!: string;

  @Field(() => DateTime, { description: 'When it was set.' })
  updatedAt!: Date;
}

@ObjectType({ description: 'A sink that was just set or taken away.' })
export class SetIncidentSinkPayload {
  @Field(() => IncidentSink, { nullable: true, description: 'Null where it was taken away.' })
  sink!: IncidentSink | null;

  @Field(() => String, {
    nullable: true,
    description:
      'What every POST is signed with, as https://www.standardwebhooks.com says. Shown this once; null where the sink was taken away.',
  })
  secret!: string | null;
}
