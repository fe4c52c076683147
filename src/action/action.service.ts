import { validate as isUuid } from 'uuid';
import type { Caller } from '../core/caller.js';
import { notFound } from '../core/errors.js';
import { type Conditions, type Page, type PageRequest, newestFirst, readPage, toUuid } from '../core/page.js';
import { Action, type ActionStatus } from './action.entity.js';
import { type ExecuteCommand, type ExecuteDeps, executeAction } from './execute.js';
import { recoverActions } from './reconcile.js';

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
  execute(caller: Caller, command: ExecuteCommand): Promise<Action>;
  /** Throws NOT_FOUND. */
  require(caller: Caller, by: { readonly id: string } | { readonly idempotencyKey: string }): Promise<Action>;
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Action>>;
  /** Newest first. */
  list(caller: Caller, filter: ActionFilter, page: PageRequest): Promise<Page<Action>>;
  /**
   * Takes up what is due: what shall be tried again, actions whose process died, and those whose effect is still
   * unknown. Answers how many.
   */
  recover(): Promise<number>;
  /** Resolves when nothing of this process is under way. */
  drain(): Promise<void>;
}

const LIST = newestFirst('actions');

export function createActionService(deps: ExecuteDeps): ActionService {
  const { db, runner } = deps;
  return {
    execute: (caller, command) => executeAction(deps, caller, command),
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
    list: (caller, filter, page) => readPage(db.for(caller), Action, LIST, toConditions(filter), page),
    recover: () => recoverActions(deps),
    drain: () => runner.drain(),
  };
}

/** By correlation id, by connection, and by every status but the one that most actions end in, there is an index. */
function toConditions({ connectionId, status, correlationId }: ActionFilter): Conditions<Action> {
  const ofStatus = status === undefined ? {} : { status };
  const ofConnection = connectionId === undefined ? {} : { connectionId: toUuid(connectionId) };
  if (correlationId !== undefined)
    return { leads: [{ correlationId }], rest: { ...ofConnection, ...ofStatus } };
  if (connectionId !== undefined) return { leads: [ofConnection], rest: ofStatus };
  return status === 'SUCCEEDED' ? { rest: ofStatus } : { leads: [ofStatus] };
}
