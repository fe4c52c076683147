import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import { findHorizon, requireKept } from '../core/horizon.js';
import { fromCursor, toCursor, toUuid } from '../core/page.js';
import { type TailDeps, createTail } from '../core/tail.js';
import { ConnectionChange } from './connection.entity.js';

/** What is recorded of a change; `previousStatus` is null for the one that makes the connection. */
export type ChangeDraft = Readonly<Omit<ConnectionChange, 'sequence'>>;

/**
 * Records a change in the transaction that makes it. The last thing that the transaction does: from here to its commit
 * it holds the lock that keeps all changes in order, and whoever still had to wait for another row would hold up all.
 */
export async function recordChange(transaction: EntityManager, draft: ChangeDraft): Promise<void> {
  await transaction.flush();
  await transaction.insert(ConnectionChange, draft);
}

/** The changes of a tenant's connections as they are committed, in whichever process they are made. */
export interface ConnectionChanges {
  /**
   * Every change after the one of the cursor (absent: from now on), each once, in the order of commits; of one
   * connection when it is given. Throws INVALID_CURSOR when the tenant has no such change, CURSOR_EXPIRED when one
   * behind it was deleted: a change is kept until the next one is seven days old.
   */
  subscribe(
    caller: Caller,
    filter: ChangeFilter,
    after?: string,
  ): Promise<AsyncIterableIterator<ConnectionChange>>;
  close(): Promise<void>;
}

export interface ChangeFilter {
  readonly connectionId?: string;
}

const LIST = 'changes';
/** A bigint's worth of digits, so that no cursor can overflow the column. */
const SEQUENCE = /^\d{1,18}$/;

/** A change's place among those of its tenant. */
export function changeCursor({ sequence }: Pick<ConnectionChange, 'sequence'>): string {
  return toCursor(LIST, sequence);
}

export async function createConnectionChanges(deps: TailDeps): Promise<ConnectionChanges> {
  const tail = await createTail(deps, {
    entity: ConnectionChange,
    name: 'connection_changes',
    channel: 'tributary_connections',
    list: LIST,
    matches: ({ connectionId }: ChangeFilter, change) =>
      connectionId === undefined || connectionId.toLowerCase() === change.connectionId,
    toConditions: ({ connectionId }) =>
      connectionId === undefined ? {} : { rest: { connectionId: toUuid(connectionId) } },
  });

  async function requireKnown(caller: Caller, cursor: string): Promise<string> {
    const sequence = fromCursor(LIST, cursor, SEQUENCE);
    const horizon = await findHorizon(deps.db, LIST, caller);
    requireKept(LIST, sequence, horizon);
    if (BigInt(sequence) === horizon) return sequence;
    if (await deps.db.for(caller).findOne(ConnectionChange, { sequence })) return sequence;
    throw new TributaryError('INVALID_CURSOR', 'Your tenant has no such change.');
  }

  return {
    async subscribe(caller, filter, after) {
      const position = after === undefined ? undefined : await requireKnown(caller, after);
      return tail.subscribe(caller, filter, position);
    },
    close: () => tail.close(),
  };
}
