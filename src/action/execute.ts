import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { Connection } from '../connection/connection.entity.js';
import { readConnection } from '../connection/read.js';
import { acceptsActions } from '../connection/status.js';
import { type ActionSpec, type Verb, verbSchemas, verbs } from '../connector/index.js';
import { CORRELATION_ID } from '../core/auth.js';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError, notFound } from '../core/errors.js';
import { toUuid } from '../core/page.js';
import { requireInput, requireValid } from '../core/schema.js';
import { requireWritable } from '../core/writable.js';
import { traceHeaders } from '../core/trace.js';
import { Action } from './action.entity.js';
import { firstAttempt } from './attempt.js';
import { type RunDeps, type Runner, requireSpec } from './run.js';
import { insertAction } from './store.js';

const executeCommand = z.strictObject({
  // A UUID in upper case is the same one: the key's body must not differ by that.
  connectionId: z.string().toLowerCase(),
  verb: z.enum(verbs),
  input: z.record(z.string(), z.unknown()),
  idempotencyKey: z
    .string()
    .min(1, 'must not be empty')
    .max(255, 'must be at most 255 characters')
    .refine((key) => key.isWellFormed() && !key.includes('\0'), 'must be Unicode text without NUL'),
  correlationId: z.string().regex(CORRELATION_ID, 'must be 1 to 128 visible ASCII characters').nullish(),
  waitSeconds: z.number().min(0).max(60, 'must be at most 60').default(10),
});

/** A canonical verb on a connection, under a key that makes repeating it harmless. */
export type ExecuteCommand = z.input<typeof executeCommand>;
type Checked = z.output<typeof executeCommand>;

export interface ExecuteDeps extends RunDeps {
  readonly runner: Runner;
}

/** See ActionService.execute. */
export async function executeAction(
  deps: ExecuteDeps,
  caller: Caller,
  asked: ExecuteCommand,
): Promise<Action> {
  const checked = requireInput(executeCommand, asked);
  requireWritable(checked.input, `action.${checked.verb}`);
  requireValid(verbSchemas[checked.verb], checked.input, `action.${checked.verb}`);
  const action = await findOrBegin(deps, caller, checked);
  return deps.runner.wait(action, checked.waitSeconds);
}

/** The unique index decides: of several with one key one begins, the others get what it began. */
async function findOrBegin(deps: ExecuteDeps, caller: Caller, checked: Checked): Promise<Action> {
  const { db, runner } = deps;
  try {
    const connection = await requireConnection(deps, caller, checked);
    const action = await toAction(deps, caller, connection, checked);
    if (!(await insertAction(db, action))) throw keyTaken();
    void runner.start(action, connection, firstAttempt);
    return action;
  } catch (error) {
    // What a key stands for, it stands for whatever has become of the connection since.
    const known = error instanceof TributaryError ? await findSame(db.for(caller), checked) : null;
    if (!known) throw error;
    return known;
  }
}

/** One that can do this. */
async function requireConnection(
  { db, catalog }: ExecuteDeps,
  caller: Caller,
  { connectionId, verb, input }: Checked,
): Promise<Connection> {
  const connection = await readConnection(db, caller, toUuid(connectionId));
  if (!connection) throw notFound('connection');
  const spec = requireSpec(catalog.require(connection.providerId), verb);
  requireAble(connection, spec);
  const schema = spec.inputSchema?.(connection.settings, input);
  if (schema) requireValid(schema, input, `action.${verb}`);
  return connection;
}

/** Seen by the caller only where the action that has the key is gone again, with its tenant. */
function keyTaken(): TributaryError {
  return new TributaryError('CONFLICT', 'Another action with this idempotency key began at the same time.');
}

/** What this key stands for already. Throws IDEMPOTENCY_CONFLICT when that is something else. */
async function findSame(em: EntityManager, checked: Checked): Promise<Action | null> {
  const known = await em.findOne(Action, { idempotencyKey: checked.idempotencyKey });
  if (!known || hashOf(checked).equals(known.inputHash)) return known;
  throw new TributaryError(
    'IDEMPOTENCY_CONFLICT',
    'This idempotency key belongs to an action with another body.',
  );
}

/** Same body: same connection, verb and input, whatever the order of the fields. */
function hashOf({ connectionId, verb, input }: Checked): Buffer {
  const text = canonicalize({ connectionId, verb, input }) ?? '';
  return createHash('sha256').update(text).digest();
}

async function toAction(
  { clock, vault }: ExecuteDeps,
  caller: Caller,
  connection: Connection,
  checked: Checked,
): Promise<Action> {
  const now = clock.now();
  const id = uuidV7();
  const { tenantId } = caller;
  return {
    id,
    tenantId,
    connectionId: connection.id,
    providerId: connection.providerId,
    verb: checked.verb,
    sealedInput: await vault.seal(JSON.stringify(checked.input), { tenantId, id, field: 'action_input' }),
    inputHash: hashOf(checked),
    idempotencyKey: checked.idempotencyKey,
    correlationId: checked.correlationId ?? caller.correlationId,
    traceparent: traceHeaders()['traceparent'] ?? null,
    actor: caller.subject,
    status: 'RUNNING',
    attempts: 1,
    leaseOwner: randomUUID(),
    leaseUntil: now,
    heldUntil: null,
    effectUnknown: true,
    nonce: 0,
    redrives: 0,
    redrivenAt: null,
    result: null,
    failure: null,
    createdAt: now,
    beganAt: null,
    settledAt: null,
  };
}

/** Throws CONNECTION_NOT_READY, UNSUPPORTED or PROVIDER_SCOPE_MISSING. */
export function requireAble(
  { status, capabilities, grantedScopes }: Connection,
  { requiredScopes }: ActionSpec<Verb>,
): void {
  if (!acceptsActions(status)) {
    throw new TributaryError(
      'CONNECTION_NOT_READY',
      `This connection is ${status}; actions need it ACTIVE.`,
      { status },
    );
  }
  if (!capabilities.includes('ACTIONS')) {
    throw new TributaryError('UNSUPPORTED', 'This connection was made without the capability ACTIONS.');
  }
  if (!grantedScopes || requiredScopes.length === 0) return;
  if (requiredScopes.some((scope) => grantedScopes.includes(scope))) return;
  throw new TributaryError(
    'PROVIDER_SCOPE_MISSING',
    `The credential needs one of: ${requiredScopes.join(', ')}.`,
  );
}
