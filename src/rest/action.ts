import { z } from 'zod';
import type { Action } from '../action/action.entity.js';
import type { ExecuteCommand } from '../action/execute.js';
import { verbs } from '../connector/index.js';
import { invalidInput } from '../core/errors.js';
import { requireInput } from '../core/schema.js';
import { type Fields, requireObject, toCamel, toSnake } from './body.js';

const fields = z.record(z.string(), z.unknown()).default({});

/** A NormalisedAction: what a decision asks for, in words that no provider's. */
const normalisedAction = z.strictObject({
  /** The caller's own id of the action. */
  action_id: z.string().min(1, 'must not be empty').max(255, 'must be at most 255 characters').optional(),
  connection_id: z.string(),
  canonical_type: z.string(),
  target: fields,
  payload: fields,
  idempotency_key: z.string().optional(),
  correlation_id: z.string().nullish(),
  wait_seconds: z.number().optional(),
});

/**
 * The action as the service takes it: `target` and `payload` together are the verb's input, and `action_id` stands in
 * for a missing idempotency key. Throws MALFORMED_REQUEST or INVALID_INPUT.
 */
export function toExecuteCommand(body: unknown): ExecuteCommand {
  const action = requireInput(normalisedAction, requireObject(body));
  const idempotencyKey = action.idempotency_key ?? action.action_id;
  if (idempotencyKey === undefined) throw invalidInput('idempotency_key', 'is missing, and so is action_id');
  return {
    connectionId: action.connection_id,
    verb: requireVerb(action.canonical_type),
    input: toInput(action.target, action.payload),
    idempotencyKey,
    correlationId: action.correlation_id ?? null,
    ...(action.wait_seconds !== undefined && { waitSeconds: action.wait_seconds }),
  };
}

function requireVerb(canonicalType: string): ExecuteCommand['verb'] {
  const verb = verbs.find((known) => toSnake(known) === canonicalType);
  if (verb) return verb;
  throw invalidInput('canonical_type', `must be one of ${verbs.map(toSnake).join(', ')}`);
}

function toInput(target: Fields, payload: Fields): Fields {
  const twice = Object.keys(payload).find((name) => Object.hasOwn(target, name));
  if (twice !== undefined) throw invalidInput(`payload.${twice}`, 'must not be in target as well');
  return Object.fromEntries(
    Object.entries({ ...target, ...payload }).map(([name, value]) => [toCamel(name), value]),
  );
}

/** Without what it was asked to do, which is sealed. */
export function toActionBody(action: Action): Fields {
  return {
    id: action.id,
    connection_id: action.connectionId,
    provider_id: action.providerId,
    canonical_type: toSnake(action.verb),
    status: action.status,
    idempotency_key: action.idempotencyKey,
    correlation_id: action.correlationId,
    attempts: action.attempts,
    redrives: action.redrives,
    result: action.result ? toResult(action.result) : null,
    failure: action.failure ? toFailure(action.failure) : null,
    next_attempt_at: action.status === 'RETRYING' ? action.leaseUntil : null,
    created_at: action.createdAt,
    settled_at: action.settledAt ?? null,
  };
}

function toResult({ externalId, url, output }: NonNullable<Action['result']>): Fields {
  return { external_id: externalId, url: url ?? null, output };
}

function toFailure({
  category,
  code,
  message,
  providerStatus,
  retryAt,
}: NonNullable<Action['failure']>): Fields {
  return { category, code, message, provider_status: providerStatus ?? null, retry_at: retryAt ?? null };
}
