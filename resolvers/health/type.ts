import { Field, Float, Int, ObjectType } from 'type-graphql';
import type { HealthReason, HealthStatus } from '../../src/health/health.js';
import { IntegrationFailure } from '../action/type.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { DateTime } from '../scalars.js';

export const IntegrationHealthStatus = toEnum<HealthStatus>(
  'IntegrationHealthStatus',
  'What was seen of a connection within the last hour. A status holds for five minutes at least, unless the credential is refused or the circuit opens; and a connection is called better only after five minutes of being it.',
  {
    HEALTHY: 'At most one call in ten failed, and news come in time.',
    DEGRADED: 'More than one call in ten failed, or news come late.',
    UNHEALTHY: 'More than half of the calls failed, the circuit is open, or the credential is refused.',
    UNKNOWN: 'Nothing was called, or too little to tell.',
  },
);

export const IntegrationHealthReason = toEnum<HealthReason>(
  'IntegrationHealthReason',
  'Why a connection is DEGRADED or UNHEALTHY.',
  {
    CREDENTIALS_REFUSED: 'It can’t be used until somebody mends its credential: see its `statusReason`.',
    CIRCUIT_OPEN: 'The provider failed again and again and is left in peace for a while.',
    ERRORS: 'Of at least five calls too many failed.',
    LAG: 'At the median, its newest signals came more than ten minutes after what they tell of.',
    POLLS: 'Polls of a stream have failed three times in a row: see its `polling`.',
    WEBHOOKS: 'A webhook ends at the provider and could not be renewed: see its `webhook.registrations`.',
  },
);

@ObjectType({ description: 'A connection as observed over the last hour, by all processes together.' })
export class IntegrationHealth {
  @Field(() => IntegrationHealthStatus, { description: 'The observations in one word.' })
  status!: HealthStatus;

  @Field(() => IntegrationHealthReason, {
    nullable: true,
    description: 'Why it is not HEALTHY; null for HEALTHY and UNKNOWN.',
  })
  reason!: HealthReason | null;

  @Field(() => DateTime, { description: 'Since when it has been in this status.' })
  since!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When a call last went well.' })
  lastSuccessAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When a call last failed.' })
  lastFailureAt!: Date | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of calls that went well, 0 to 1; null without calls.',
  })
  successRate1h!: number | null;

  @Field(() => Int, { description: 'Calls to the provider.' })
  requests1h!: number;

  @Field(() => Int, { description: 'Calls that failed.' })
  errors1h!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Half of the calls were faster than this; null without calls.',
  })
  latencyP50Ms!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: '95 of 100 calls were faster than this; null without calls.',
  })
  latencyP95Ms!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Now minus the provider’s newest event; null when there was none yet.',
  })
  freshnessLagSeconds!: number | null;

  @Field(() => [IntegrationFailure], { description: 'The last failed calls, newest first, at most ten.' })
  recentErrors!: readonly IntegrationFailure[];
}

@ObjectType({ description: 'How many connections are in one health status.' })
export class IntegrationHealthCount {
  @Field(() => IntegrationHealthStatus, { description: 'The status counted.' })
  status!: HealthStatus;

  @Field(() => Int, { description: 'How many connections are in it.' })
  count!: number;
}

@ObjectType({ description: 'The health of a tenant’s connections, summed up.' })
export class TenantHealth {
  @Field(() => [IntegrationHealthCount], {
    description: 'Connections per status, worst first; every status is present.',
  })
  counts!: readonly IntegrationHealthCount[];

  @Field(() => [IntegrationHealth], {
    description: 'Connections that are not HEALTHY, worst first, at most twenty.',
  })
  worst!: readonly IntegrationHealth[];
}

@ObjectType({ description: 'One edge: a connection’s health became another.' })
export class HealthChange {
  @Field(() => IntegrationHealthStatus, { description: 'What it was.' })
  previousStatus!: HealthStatus;

  @Field(() => IntegrationHealthStatus, { description: 'What it became.' })
  status!: HealthStatus;

  @Field(() => IntegrationHealthReason, {
    nullable: true,
    description: 'Why; null for HEALTHY and UNKNOWN.',
  })
  reason!: HealthReason | null;

  @Field(() => DateTime, { description: 'When it was seen.' })
  occurredAt!: Date;
}

export const HealthChangePage = toPageType('HealthChangePage', 'changes of health', () => HealthChange);

@ObjectType({ description: 'What came of asking the provider once.' })
export class ProbePayload {
  @Field(() => Boolean, { description: 'Whether the provider answered well.' })
  succeeded!: boolean;

  @Field(() => Float, { description: 'How long it took, waiting for our own guards included.' })
  durationMs!: number;

  @Field(() => IntegrationFailure, { nullable: true, description: 'What went wrong; null when all is well.' })
  failure!: IntegrationFailure | null;
}
