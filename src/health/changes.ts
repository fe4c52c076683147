import type { FilterQuery } from '@mikro-orm/postgresql';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import {
  type Page,
  type PageRequest,
  fromCursor,
  requirePageSize,
  toCursor,
  toPage,
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
   * when it is given. Throws INVALID_CURSOR when the tenant has no such edge, or has it no longer: an edge is kept until
   * the next one is thirty days old.
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
/** A bigint's worth of digits, so that no cursor can overflow the column. */
const SEQUENCE = /^\d{1,18}$/;

/** An edge's place among those of its tenant. */
export function healthCursor({ sequence }: HealthChange): string {
  return toCursor(LIST, sequence);
}

export async function createHealthChanges(deps: TailDeps): Promise<HealthChanges> {
  const { db } = deps;
  const tail = await createTail(deps, {
    entity: HealthChange,
    name: 'health_changes',
    channel: 'tributary_health',
    matches: ({ connectionId }: HealthChangeFilter, change) =>
      connectionId === undefined || connectionId.toLowerCase() === change.connectionId,
    toWhere: ({ connectionId }) => (connectionId === undefined ? {} : { connectionId: toUuid(connectionId) }),
  });

  /** An edge goes only when all before it are gone. So while it is there, nothing that came after it is missing. */
  async function requireKept(caller: Caller, cursor: string): Promise<string> {
    const sequence = fromCursor(LIST, cursor, SEQUENCE);
    if (await db.for(caller).findOne(HealthChange, { sequence })) return sequence;
    throw new TributaryError(
      'INVALID_CURSOR',
      'The change of this cursor is not kept any more. Subscribe without it, then read `health` for what is now.',
    );
  }

  return {
    async subscribe(caller, filter, after) {
      const position = after === undefined ? undefined : await requireKept(caller, after);
      return tail.subscribe(caller, filter, position);
    },
    async history(caller, connectionId, page) {
      const limit = requirePageSize(page.first) + 1;
      const older =
        page.after === undefined ? {} : { sequence: { $lt: fromCursor(LIST, page.after, SEQUENCE) } };
      const where = { connectionId: toUuid(connectionId), ...older } as FilterQuery<HealthChange>;
      const rows = await db.for(caller).find(HealthChange, where, { orderBy: { sequence: 'desc' }, limit });
      return toPage(rows, page, healthCursor);
    },
    close: () => tail.close(),
  };
}
