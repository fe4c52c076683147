import { Field, Float, ID, InputType } from 'type-graphql';
import type { ActionStatus } from '../../src/action/action.entity.js';
import type { ExecuteCommand } from '../../src/action/execute.js';
import type { Verb } from '../../src/connector/index.js';
import { invalidInput } from '../../src/core/errors.js';
import { given } from '../given.js';
import { IntegrationActionStatus } from './type.js';
import { ActionInput } from './verbs.js';

@InputType({ description: 'An action to carry out.' })
export class ExecuteActionInput {
  @Field(() => ID, { description: 'The connection to act through.' })
  connectionId!: string;

  @Field(() => ActionInput, { description: 'What to do.' })
  action!: ActionInput;

  @Field(() => String, {
    description:
      '1 to 255 characters, unique in the tenant and bound to the input: repeated with the same input it answers the action there is; with another one IDEMPOTENCY_CONFLICT.',
  })
  idempotencyKey!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Joins the action to the caller’s own decision. Left out: the request’s X-Correlation-ID.',
  })
  correlationId?: string | null;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 10,
    description: 'How long to wait for it to settle, 0 to 60; 0 accepts and answers at once.',
  })
  waitSeconds?: number | null;
}

@InputType({ description: 'Which actions. Every given field must match.' })
export class ActionFilter {
  @Field(() => ID, { nullable: true, description: 'Of this connection.' })
  connectionId?: string | null;

  @Field(() => IntegrationActionStatus, { nullable: true, description: 'This far.' })
  status?: ActionStatus | null;

  @Field(() => String, { nullable: true, description: 'With this correlation id.' })
  correlationId?: string | null;
}

/** The input as the action service takes it: the one verb and its fields, without nulls. */
export function toExecuteCommand({ action, ...rest }: ExecuteActionInput): ExecuteCommand {
  const { connectionId, idempotencyKey } = rest;
  const [verb, input] = requireVerb(action);
  return { ...given(rest), connectionId, idempotencyKey, verb, input: given(input) };
}

/** GraphQL sees to it that exactly one is given; this holds should a caller come some other way. */
function requireVerb(action: ActionInput): [Verb, Record<string, unknown>] {
  const [one, ...others] = Object.entries<Record<string, unknown>>(given(action) as never);
  if (!one || others.length > 0) throw invalidInput('action', 'must hold exactly one verb');
  return [one[0] as Verb, { ...one[1] }];
}

/** How to find one action. Throws INVALID_INPUT unless it is one way. */
export function requireOneKey(
  id: string | null | undefined,
  idempotencyKey: string | null | undefined,
): { id: string } | { idempotencyKey: string } {
  if (typeof id === 'string' && typeof idempotencyKey !== 'string') return { id };
  if (typeof idempotencyKey === 'string' && typeof id !== 'string') return { idempotencyKey };
  throw invalidInput('id', 'give either this or idempotencyKey');
}
