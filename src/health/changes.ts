import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import { findHorizon, requireKept } from '../core/horizon.js';
import {
  type List,
  type Page,
  type PageRequest,
  SEQUENCE,
  fromCursor,
  readPage,
  toCursor,
  toUuid,
} from '../core/page.js';
import { type TailDeps, createTail } from '../core/tail.js';
import { HealthChange } from './health.entity.js';

export type HealthChangeDraft = Readonly<Omit<HealthChange, 'sequence'>>;

/**
 * Records an edge in the transaction that makes it. The last thing that the transaction does: from here to its commit
 * it holds the lock that keeps all edges in order.
 */
export async function recordHealthChange(
  transaction: EntityManager,
  draft: HealthChangeDraft,
): Promise<void> {
  await transaction.insert(HealthChange, draft);
}

/** The edges of a tenant's connections, in whichever process they are found. */
export interface HealthChanges {
  /**
   * Every edge after the one of the cursor (absent: from now on), each once, in the order of commits; of one connection
   * when it is given. Throws INVALID_CURSOR when the tenant has no such edge, CURSOR_EXPIRED when one behind it was
   * deleted: an edge is kept until the next one is thirty days old.
   */
  subscribe(
    caller: Caller,
    filter: HealthChangeFilter,
    after?: string,
  ): Promise<AsyncIterableIterator<HealthChange>>;
  /** Of one connection, newest first. */
  history(caller: Caller, connectionId: string, page: PageRequest): Promise<Page<HealthChange>>;
  close(): Promise<void>;
}

export interface HealthChangeFilter {
  readonly connectionId?: string;
}

const LIST = 'health';
const HISTORY: List<'sequence'> = { name: LIST, key: 'sequence', shape: SEQUENCE, order: 'desc' };

/** An edge's place among those of its tenant. */
export function healthCursor({ sequence }: Pick<HealthChange, 'sequence'>): string {
  return toCursor(LIST, sequence);
}

export async function createHealthChanges(deps: TailDeps): Promise<HealthChanges> {
  const { db } = deps;
  const tail = await createTail(deps, {
    entity: HealthChange,
    name: 'health_changes',
    channel: 'tributary_health',
    list: LIST,
    matches: ({ connectionId }: HealthChangeFilter, change) =>
      connectionId === undefined || connectionId.toLowerCase() === change.connectionId,
    toConditions: ({ connectionId }) =>
      connectionId === undefined ? {} : { leads: [{ connectionId: toUuid(connectionId) }] },
  });

  async function requireKnown(caller: Caller, cursor: string): Promise<string> {
    const sequence = fromCursor(LIST, cursor, SEQUENCE);
    const horizon = await findHorizon(db, LIST, caller);
    requireKept(LIST, sequence, horizon);
    if (BigInt(sequence) === horizon) return sequence;
    if (await db.for(caller).findOne(HealthChange, { sequence })) return sequence;
    throw new TributaryError('INVALID_CURSOR', 'Your tenant has no such change.');
  }

  return {
    async subscribe(caller, filter, after) {
      const position = after === undefined ? undefined : await requireKnown(caller, after);
      return tail.subscribe(caller, filter, position);
    },
    history(caller, connectionId, page) {
      const leads = [{ connectionId: toUuid(connectionId) }];
      return readPage(db.for(caller), HealthChange, HISTORY, { leads }, page);
    },
    close: () => tail.close(),
  };
}
