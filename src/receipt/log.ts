import { v7 as uuidV7, validate as isUuid } from 'uuid';
import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Db, EntityManager } from '../core/db.js';
import { notFound } from '../core/errors.js';
import { storable } from '../core/storable.js';
import { type Page, type PageRequest, newestFirst, toUuid } from '../core/page.js';
import { Receipt, type ReceiptOutcome } from './receipt.entity.js';

export type { ReceiptOutcome } from './receipt.entity.js';

export interface ReceiptDraft {
  readonly tenantId: string;
  /** Left out where it is about the tenant as a whole. */
  readonly connectionId?: string;
  readonly providerId?: string;
  readonly actionId?: string;
  /** `integration.<area>.<provider>.<verb>`. */
  readonly operation: string;
  readonly outcome: ReceiptOutcome;
  /** The `sub` of the caller's token. */
  readonly actor: string;
  readonly correlationId: string;
  /** Without secrets: what was asked. */
  readonly request: JsonObject;
  /** Without secrets: what came of it. */
  readonly result: JsonObject;
  readonly occurredAt: Date;
}

/** Adds a receipt to the transaction of the change it attests, so that neither can be without the other. */
export function addReceipt(transaction: EntityManager, draft: ReceiptDraft): void {
  const [request, result] = [storable(draft.request), storable(draft.result)];
  transaction.create(Receipt, { id: uuidV7(), ...draft, request, result }, { persist: true });
}

export interface ReceiptFilter {
  readonly connectionId?: string;
  readonly correlationId?: string;
  readonly outcome?: ReceiptOutcome;
  readonly operation?: string;
}

export interface ReceiptLog {
  /** Newest first. */
  list(caller: Caller, filter: ReceiptFilter, page: PageRequest): Promise<Page<Receipt>>;
  /** Throws NOT_FOUND. */
  require(caller: Caller, id: string): Promise<Receipt>;
  findMany(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Receipt>>;
  /** By action id, for those actions that are settled. */
  ofActions(caller: Caller, actionIds: readonly string[]): Promise<ReadonlyMap<string, Receipt>>;
}

export function createReceiptLog(db: Db): ReceiptLog {
  return {
    list(caller, { connectionId, ...filter }, page) {
      const where = { ...filter, ...(connectionId !== undefined && { connectionId: toUuid(connectionId) }) };
      return newestFirst(db.for(caller), Receipt, where, 'receipts', page);
    },
    async require(caller, id) {
      const receipt = isUuid(id) ? await db.for(caller).findOne(Receipt, { id }) : null;
      if (!receipt) throw notFound('receipt');
      return receipt;
    },
    async findMany(caller, ids) {
      const rows = await db.for(caller).find(Receipt, { id: { $in: ids.filter((id) => isUuid(id)) } });
      return new Map(rows.map((row) => [row.id, row]));
    },
    async ofActions(caller, actionIds) {
      // A redriven action has one for each time it was settled; the last one counts.
      const where = { actionId: { $in: [...actionIds] } };
      const receipts = await db.for(caller).find(Receipt, where, { orderBy: { id: 'asc' } });
      return new Map(receipts.map((receipt) => [receipt.actionId ?? '', receipt]));
    },
  };
}
