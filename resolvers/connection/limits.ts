import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import type { Connection } from '../../src/connection/connection.entity.js';
import type { CircuitState } from '../../src/outbound/breaker.js';
import type { BudgetScope } from '../../src/outbound/refusal.js';
import type { ConnectionRef } from '../../src/outbound/target.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { toEnum } from '../enum.js';
import { given } from '../given.js';
import { DateTime } from '../scalars.js';
import { IntegrationConnection } from './type.js';

@ObjectType({ description: 'A window in which the provider counts a connection’s calls, as far as we know.' })
export class RateLimitWindow {
  @Field(() => String, { description: 'What is counted together: `RateLimitRule.bucket`.' })
  bucket!: string;

  @Field(() => Int, { description: 'Points that the provider declares for the window.' })
  limit!: number;

  @Field(() => Int, { description: 'Points that are left.' })
  remaining!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it is full again; null while nothing is counted.',
  })
  resetsAt!: Date | null;
}

@ObjectType({ description: 'How a connection stands with the limits of its provider.' })
export class ConnectionRateLimit {
  @Field(() => Float, {
    description:
      'The part of the limits that is used: 1 when all is well, less after the provider said no or failed in bursts.',
  })
  multiplier!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when the provider wants no calls; null when it takes them.',
  })
  pausedUntil!: Date | null;

  @Field(() => [RateLimitWindow], { description: 'One for each of `IntegrationProvider.rateLimits`.' })
  windows!: readonly RateLimitWindow[];
}

export const ConnectionCircuitState = toEnum<CircuitState>(
  'ConnectionCircuitState',
  'Whether calls to the provider pass.',
  {
    CLOSED: 'They pass.',
    OPEN: 'None passes: the provider failed again and again, and is left in peace.',
    HALF_OPEN: 'The next one passes, to find out; the others wait for what comes of it.',
  },
);

@ObjectType({ description: 'What keeps a failing provider from being called again and again.' })
export class ConnectionCircuit {
  @Field(() => ConnectionCircuitState, { description: 'Whether calls pass.' })
  state!: CircuitState;

  @Field(() => DateTime, { nullable: true, description: 'Since when it is open; null while it is closed.' })
  openedAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When a call may try again; null while it is closed.',
  })
  retryAt!: Date | null;
}

export const CallBudgetScope = toEnum<BudgetScope>('CallBudgetScope', 'What a budget is for.', {
  TENANT: 'All calls of the tenant.',
  PROVIDER: 'The tenant’s calls to one provider.',
  CONNECTION: 'The calls of one connection.',
});

@ObjectType({
  description: 'How many calls a tenant allows itself. Background work leaves a part of it to actions.',
})
export class CallBudget {
  @Field(() => CallBudgetScope, { description: 'What it is for.' })
  scope!: BudgetScope;

  @Field(() => Int, { nullable: true, description: 'Calls within an hour; null: as many as there are.' })
  callsPerHour!: number | null;

  @Field(() => Int, { nullable: true, description: 'Calls within a day; null: as many as there are.' })
  callsPerDay!: number | null;
}

@InputType({
  description: 'A budget: for a connection, for a provider, or with neither for the whole tenant.',
})
export class SetCallBudgetInput {
  @Field(() => ID, { nullable: true, description: 'For this connection.' })
  connectionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'For all of the tenant’s connections to this provider.' })
  providerId?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Calls within an hour; 0 stops all; null: no such limit.',
  })
  callsPerHour?: number | null;

  @Field(() => Int, { nullable: true, description: 'Calls within a day; 0 stops all; null: no such limit.' })
  callsPerDay?: number | null;
}

/** What bounds a connection's calls: the provider, the tenant, and our patience. */
@Resolver(() => IntegrationConnection)
export class ConnectionLimitsResolver {
  @RequiresScope('integrations:admin')
  @Mutation(() => CallBudget, {
    description:
      'Sets how many calls the tenant allows itself, or takes the budget away when no number is given.',
  })
  setCallBudget(
    @Arg('input', () => SetCallBudgetInput, { description: 'For what, and how many.' })
    input: SetCallBudgetInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.budgets.set(caller, given(input));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => ConnectionRateLimit, { description: 'How it stands with the provider’s limits.' })
  rateLimit(@Root() connection: Connection, @Ctx() { services }: GraphQLContext) {
    return services.gate.rateLimit(toRef(connection, services));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => ConnectionCircuit, { description: 'Whether its calls pass at the moment.' })
  circuit(@Root() connection: Connection, @Ctx() { services }: GraphQLContext) {
    return services.gate.circuit(toRef(connection, services));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => [CallBudget], { description: 'The budgets that its calls count in.' })
  callBudgets(@Root() connection: Connection, @Ctx() { services }: GraphQLContext) {
    return services.budgets.find(toRef(connection, services));
  }
}

function toRef(
  { tenantId, id, providerId }: Connection,
  services: GraphQLContext['services'],
): ConnectionRef {
  return { tenantId, connectionId: id, connector: services.catalog.require(providerId) };
}
