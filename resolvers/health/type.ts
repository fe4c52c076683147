import { Field, Float, Int, ObjectType } from 'type-graphql';
import type { HealthStatus } from '../../src/health/health.js';
import { IntegrationFailure } from '../action/type.js';
import { toEnum } from '../enum.js';
import { DateTime } from '../scalars.js';

export const IntegrationHealthStatus = toEnum<HealthStatus>(
  'IntegrationHealthStatus',
  'What was seen of a connection within the last hour.',
  {
    HEALTHY: 'At least nine of ten calls went well.',
    DEGRADED: 'More than one call in ten failed.',
    UNHEALTHY: 'More than half of the calls failed.',
    UNKNOWN: 'Nothing was called.',
  },
);

@ObjectType({ description: 'A connection as observed over the last hour, by all processes together.' })
export class IntegrationHealth {
  @Field(() => IntegrationHealthStatus, { description: 'The observations in one word.' })
  status!: HealthStatus;

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
