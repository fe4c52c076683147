import { createHash, randomUUID } from 'node:crypto';
import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import canonicalize from 'canonicalize';
import { v7 as uuidV7, validate as isUuid } from 'uuid';
import { z } from 'zod';
import type { ProviderCatalog } from '../connection/catalog.js';
import { Connection } from '../connection/connection.entity.js';
import type { Opener } from '../connection/open.js';
import { acceptsActions } from '../connection/status.js';
import {
  type ActionContext,
  type ActionSpec,
  type JsonObject,
  ProviderFailure,
  type Verb,
  type VerbInput,
  verbSchemas,
  verbs,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, notFound } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { type Page, type PageRequest, newestFirst } from '../core/page.js';
import { requireInput, requireValid } from '../core/schema.js';
import type { Vault } from '../credential/vault.js';
import { Action, type ActionStatus } from './action.entity.js';
import { type Verdict, firstAttempt, laterAttempt } from './attempt.js';
import { LEASE_MS, type SettleDeps, settle } from './settle.js';

const command = z.strictObject({
  connectionId: z.string(),
  verb: z.enum(verbs),
  input: z.record(z.string(), z.unknown()),
  idempotencyKey: z.string().min(1, 'must not be empty').max(255, 'must be at most 255 characters'),
  correlationId: z.string().min(1).max(255).nullish(),
  waitSeconds: z.number().min(0).max(60, 'must be at most 60').default(10),
});

/** A canonical verb on a connection, under a key that makes repeating it harmless. */
export type ExecuteCommand = z.input<typeof command>;

export interface ActionFilter {
  readonly connectionId?: string;
  readonly status?: ActionStatus;
  readonly correlationId?: string;
}

export interface ActionService {
  /**
   * Does it, at most once per idempotency key, and answers when it is settled or `waitSeconds` are over, whichever
   * comes first. A repeated key with the same body answers the action there is; with another body it throws
   * IDEMPOTENCY_CONFLICT. What the provider refuses is data on the action. Throws INVALID_INPUT, NOT_FOUND,
   * UNSUPPORTED, CONNECTION_NOT_READY or PROVIDER_SCOPE_MISSING, and then nothing was sent.
   */
  execute(caller: Caller, input: ExecuteCommand): Promise<Action>;
  /** Throws NOT_FOUND. */
  require(caller: Caller, by: { readonly id: string } | { readonly idempotencyKey: string }): Promise<Action>;
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Action>>;
  /** Newest first. */
  list(caller: Caller, filter: ActionFilter, page: PageRequest): Promise<Page<Action>>;
  /** Takes over what is due: actions whose process died, and those whose effect is still unknown. Answers how many. */
  recover(): Promise<number>;
  /** Resolves when nothing of this process is under way. */
  drain(): Promise<void>;
}

export interface ActionDeps extends SettleDeps {
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  readonly open: Opener;
  readonly log: Log;
}

const RECOVER_BATCH = 20;

export function createActionService(deps: ActionDeps): ActionService {
  const { db, clock, vault, catalog, open, log } = deps;
  /** Attempts of this process, by action, so that callers can wait for them. */
  const running = new Map<string, Promise<void>>();

  async function claim(
    caller: Caller,
    connection: Connection,
    asked: z.output<typeof command>,
  ): Promise<Action> {
    const now = clock.now();
    const id = uuidV7();
    const action = db.for(caller).create(Action, {
      id,
      tenantId: caller.tenantId,
      connectionId: connection.id,
      providerId: connection.providerId,
      verb: asked.verb,
      sealedInput: vault.seal(JSON.stringify(asked.input), {
        tenantId: caller.tenantId,
        id,
        field: 'action_input',
      }),
      inputHash: hashOf(asked),
      idempotencyKey: asked.idempotencyKey,
      correlationId: asked.correlationId ?? caller.correlationId,
      actor: caller.subject,
      status: 'RUNNING',
      attempts: 1,
      leaseOwner: randomUUID(),
      leaseUntil: new Date(now.getTime() + LEASE_MS),
      createdAt: now,
    });
    await db.for(caller).insert(action);
    return action;
  }

  /** Runs an attempt in the background; callers wait as long as they like. */
  function start(action: Action, connection: Connection, attempt: Attempt): void {
    const work = run(action, connection, attempt)
      // The lease runs out and another attempt looks at it: nothing is lost by a bug here but time.
      .catch((error: unknown) => log.error({ err: error, actionId: action.id }, 'action: attempt broke off'))
      .finally(() => running.delete(action.id));
    running.set(action.id, work);
  }

  async function run(action: Action, connection: Connection, attempt: Attempt): Promise<void> {
    const connector = catalog.require(action.providerId);
    const spec = specOf(connector.actions?.[action.verb], connector.manifest.name, action.verb);
    const place = { tenantId: action.tenantId, id: action.id, field: 'action_input' } as const;
    const input = JSON.parse(vault.open(action.sealedInput, place).toString('utf8')) as VerbInput &
      JsonObject;
    const { context } = await open(connection, connector, action.correlationId);
    await settle(deps, action, input, await attempt(spec, toContext(context, action), input));
  }

  async function findByKey(caller: Caller, idempotencyKey: string): Promise<Action | null> {
    return db.for(caller).findOne(Action, { idempotencyKey });
  }

  async function reload({ tenantId, id }: Action): Promise<Action> {
    return db.for({ tenantId }).findOneOrFail(Action, { id });
  }

  /** Until it is settled or the time is over. An attempt of another process shows only in the table. */
  async function waitFor(action: Action, waitSeconds: number): Promise<Action> {
    const deadline = performance.now() + waitSeconds * 1000;
    let current = action;
    while (current.status === 'RUNNING') {
      const left = deadline - performance.now();
      if (left <= 0) return current;
      const work = running.get(action.id);
      await (work ? within(work, left) : within(new Promise(() => {}), Math.min(left, 200)));
      current = await reload(action);
    }
    return current;
  }

  async function takeOver(tenantId: string, id: string): Promise<boolean> {
    const now = clock.now();
    const em = db.for({ tenantId });
    const due = { id, leaseUntil: { $lt: now } };
    const lease = { leaseOwner: randomUUID(), leaseUntil: new Date(now.getTime() + LEASE_MS) };
    const action = await em.findOne(Action, due);
    if (!action) return false;
    const next = { status: 'RUNNING' as const, attempts: action.attempts + 1, ...lease };
    if ((await em.nativeUpdate(Action, { ...due, attempts: action.attempts }, next)) === 0) return false;
    const [mine, connection] = [
      await reload(action),
      await em.findOneOrFail(Connection, { id: action.connectionId }),
    ];
    start(mine, connection, (spec, context, input) =>
      laterAttempt(spec, context, input, earlierFailure(action)),
    );
    await running.get(id);
    return true;
  }

  return {
    async execute(caller, asked) {
      const checked = requireInput(command, asked);
      requireValid(verbSchemas[checked.verb], checked.input, `action.${checked.verb}`);
      const known = await findByKey(caller, checked.idempotencyKey);
      if (known) return waitFor(requireSame(known, checked), checked.waitSeconds);
      const connection = await requireConnection(db.for(caller), checked.connectionId);
      const connector = catalog.require(connection.providerId);
      requireAble(
        connection,
        specOf(connector.actions?.[checked.verb], connector.manifest.name, checked.verb),
      );
      try {
        const action = await claim(caller, connection, checked);
        start(action, connection, firstAttempt);
        return await waitFor(action, checked.waitSeconds);
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        const winner = await findByKey(caller, checked.idempotencyKey);
        if (!winner) throw error;
        return waitFor(requireSame(winner, checked), checked.waitSeconds);
      }
    },
    async require(caller, by) {
      const isPossible = 'idempotencyKey' in by || isUuid(by.id);
      const action = isPossible ? await db.for(caller).findOne(Action, by) : null;
      if (!action) throw notFound('action');
      return action;
    },
    async findMany(caller, ids) {
      const rows = await db.for(caller).find(Action, { id: { $in: ids.filter((id) => isUuid(id)) } });
      return new Map(rows.map((row) => [row.id, row]));
    },
    list: (caller, filter, page) => newestFirst(db.for(caller), Action, filter, 'actions', page),
    async recover() {
      const { rows } = await db.doors.query<{ tenant_id: string; id: string }>(
        'select tenant_id, id from actions_abandoned($1, $2)',
        [clock.now(), RECOVER_BATCH],
      );
      const taken = await Promise.all(rows.map(({ tenant_id, id }) => takeOver(tenant_id, id)));
      return taken.filter(Boolean).length;
    },
    async drain() {
      await Promise.all(running.values());
    },
  };
}

type Attempt = (spec: ActionSpec<Verb>, context: ActionContext, input: VerbInput) => Promise<Verdict>;

/** Same key, same body: connection, verb and input, whatever the order of their fields. */
function hashOf({ connectionId, verb, input }: z.output<typeof command>): Buffer {
  return createHash('sha256')
    .update(canonicalize({ connectionId, verb, input }) ?? '')
    .digest();
}

function requireSame(known: Action, asked: z.output<typeof command>): Action {
  if (hashOf(asked).equals(known.inputHash)) return known;
  throw new TributaryError(
    'IDEMPOTENCY_CONFLICT',
    'This idempotency key belongs to an action with another body.',
  );
}

async function requireConnection(em: ReturnType<SettleDeps['db']['for']>, id: string): Promise<Connection> {
  const connection = isUuid(id) ? await em.findOne(Connection, { id }) : null;
  if (!connection) throw notFound('connection');
  return connection;
}

function specOf(spec: unknown, provider: string, verb: Verb): ActionSpec<Verb> {
  if (spec) return spec as ActionSpec<Verb>;
  throw new TributaryError('UNSUPPORTED', `${provider} has no ${verb}.`);
}

function requireAble(
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

function toContext(
  context: Pick<ActionContext, 'settings' | 'request'>,
  { id, createdAt }: Action,
): ActionContext {
  return { ...context, actionId: id, marker: `<!-- tributary:action:${id} -->`, startedAt: createdAt };
}

/** Why it is looked at again: what the attempt before said, or that its process died over it. */
function earlierFailure({ failure }: Action): ProviderFailure {
  const details = failure ?? {
    category: 'UNKNOWN' as const,
    code: 'interrupted',
    message: 'The process that carried it out ended before the answer came.',
  };
  const { retryAt: _moment, ...rest } = details;
  return new ProviderFailure({ ...rest, isAmbiguous: true });
}

/** Waits for the work, but not longer than that. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
