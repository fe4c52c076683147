import { LockMode } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, notFound } from '../core/errors.js';
import { type ReceiptOutcome, addReceipt } from '../receipt/log.js';
import { Connection } from './connection.entity.js';
import { type StatusReason, type Transition, allows, transitions } from './status.js';

/** A change to a connection, inside its transaction. */
export interface Change {
  readonly transaction: EntityManager;
  /** Locked: nobody else changes it meanwhile. */
  readonly connection: Connection;
  readonly now: Date;
  /** Attests what was done, in the same transaction; once a change. */
  attest(verb: string, outcome: ReceiptOutcome, request: JsonObject, result: JsonObject): void;
}

/** Changes one connection of the caller's in one transaction. Throws NOT_FOUND, for a deleted one as well. */
export async function changeConnection<T>(
  deps: { readonly db: Db; readonly clock: Clock },
  caller: Caller,
  id: string,
  apply: (change: Change) => T | Promise<T>,
): Promise<T> {
  if (!isUuid(id)) throw notFound('connection');
  return deps.db.for(caller).transactional(async (transaction) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const connection = await transaction.findOne(Connection, { id, status: { $ne: 'DELETED' } }, lock);
    if (!connection) throw notFound('connection');
    const now = deps.clock.now();
    return apply({
      transaction,
      connection,
      now,
      attest: (verb, outcome, request, result) =>
        attestChange(transaction, caller, connection, now, { verb, outcome, request, result }),
    });
  });
}

/** Adds the receipt of a change to the transaction that makes it. */
export function attestChange(
  transaction: EntityManager,
  { subject, correlationId }: Caller,
  { id, tenantId, providerId }: Connection,
  occurredAt: Date,
  { verb, ...rest }: { verb: string; outcome: ReceiptOutcome; request: JsonObject; result: JsonObject },
): void {
  addReceipt(transaction, {
    tenantId,
    connectionId: id,
    providerId,
    operation: `integration.connection.${providerId}.${verb}`,
    actor: subject,
    correlationId,
    occurredAt,
    ...rest,
  });
}

/** Moves a connection along the table of transitions. The caller has made sure that it may. */
export function move(
  connection: Connection,
  transition: Transition,
  now: Date,
  reason: StatusReason | null,
): void {
  connection.status = transitions[transition].to;
  connection.statusReason = reason;
  connection.updatedAt = now;
}

/** Throws CONNECTION_NOT_READY when this can't happen to a connection in its status. */
export function requireTransition({ status }: Connection, transition: Transition, verb: string): void {
  if (allows(transition, status)) return;
  throw new TributaryError('CONNECTION_NOT_READY', `A connection that is ${status} can’t be ${verb}.`, {
    status,
  });
}
