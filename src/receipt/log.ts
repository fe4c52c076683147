import { v7 as uuidV7, validate as isUuid } from 'uuid';
import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Db, EntityManager } from '../core/db.js';
import { notFound } from '../core/errors.js';
import { storable } from '../core/storable.js';
import { traceIds } from '../core/trace.js';
import { type Page, type PageRequest, newestFirst, readPage, toUuid } from '../core/page.js';
import { makeLeaf } from './leaf.js';
import { Receipt, type ReceiptOutcome } from './receipt.entity.js';

export type { ReceiptOutcome } from './receipt.entity.js';

export interface ReceiptDraft {
  /** A UUIDv7, where what is attested names its receipt; else it gets one. */
  readonly id?: string;
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
  /** Of the trace it happened in, where there is one: W3C Trace Context, 32 hex digits. Left out: the active one. */
  readonly traceId?: string;
  /** Without secrets: what was asked. */
  readonly request: JsonObject;
  /** Without secrets: what came of it. */
  readonly result: JsonObject;
  readonly occurredAt: Date;
}

/** Adds a receipt to the transaction of the change it attests, so that neither can be without the other. */
export function addReceipt(transaction: EntityManager, draft: ReceiptDraft): void {
  transaction.create(Receipt, toReceipt(draft), { persist: true });
}

/**
 * A receipt as it is stored, with the leaf that the log will hold. Its place in the log it gets later, from the
 * sequencer: whoever writes a receipt waits for nobody.
 */
export function toReceipt(draft: ReceiptDraft) {
  const { id = uuidV7(), traceId = traceIds()?.traceId } = draft;
  const place = { id, ...(traceId !== undefined && { traceId }) };
  const body = {
    actor: storable(draft.actor),
    request: storable(draft.request),
    result: storable(draft.result),
  };
  return { ...draft, ...place, ...body, ...makeLeaf({ ...draft, ...place }, body) };
}

/** The same by the names of its columns, for a function of the database that inserts it from JSON. */
export function toReceiptRow(draft: ReceiptDraft) {
  const { salt, connectionId, providerId, actionId, correlationId, traceId, occurredAt, ...same } =
    toReceipt(draft);
  return {
    ...same,
    connection_id: connectionId,
    provider_id: providerId,
    action_id: actionId,
    correlation_id: correlationId,
    trace_id: traceId,
    occurred_at: occurredAt,
    salt: `\\x${salt.toString('hex')}`,
  };
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

const LIST = newestFirst('receipts');

export function createReceiptLog(db: Db): ReceiptLog {
  return {
    list(caller, { connectionId, correlationId, ...rest }, page) {
      const ofConnection = connectionId === undefined ? {} : { connectionId: toUuid(connectionId) };
      const conditions =
        correlationId === undefined
          ? { leads: [ofConnection], rest }
          : { leads: [{ correlationId }], rest: { ...rest, ...ofConnection } };
      return readPage(db.for(caller), Receipt, LIST, conditions, page);
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
