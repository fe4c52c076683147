import { LockMode } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, notFound } from '../core/errors.js';
import { type ReceiptOutcome, addReceipt } from '../receipt/log.js';
import { recordChange } from './changes.js';
import { Connection } from './connection.entity.js';
import { type ConnectionStatus, type StatusReason, type Transition, allows, transitions } from './status.js';

/** What was done to a connection, and what came of it; without secrets. */
export interface Attestation {
  readonly verb: string;
  readonly outcome: ReceiptOutcome;
  readonly request: JsonObject;
  readonly result: JsonObject;
}

/** A change to a connection, inside its transaction. */
export interface Change {
  readonly transaction: EntityManager;
  /** Locked: nobody else changes it meanwhile. */
  readonly connection: Connection;
  readonly now: Date;
  /** Attests what was done, in the same transaction and at its end; once a change. */
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
    const previousStatus = connection.status;
    const attested: Attestation[] = [];
    const answer = await apply({
      transaction,
      connection,
      now,
      attest: (verb, outcome, request, result) => void attested.push({ verb, outcome, request, result }),
    });
    for (const attestation of attested) {
      await attestChange(transaction, caller, connection, previousStatus, now, attestation);
    }
    return answer;
  });
}

/**
 * Adds its receipt to the transaction that makes a change, and tells those who follow the tenant's connections. The
 * last thing that the transaction does: see {@link recordChange}. `previousStatus` is null for a new connection.
 */
export async function attestChange(
  transaction: EntityManager,
  { subject, correlationId }: Caller,
  { id: connectionId, tenantId, providerId, status }: Connection,
  previousStatus: ConnectionStatus | null,
  occurredAt: Date,
  { verb, outcome, request, result }: Attestation,
): Promise<void> {
  addReceipt(transaction, {
    tenantId,
    connectionId,
    providerId,
    operation: `integration.connection.${providerId}.${verb}`,
    actor: subject,
    correlationId,
    occurredAt,
    outcome,
    request,
    result,
  });
  await recordChange(transaction, {
    tenantId,
    connectionId,
    verb,
    outcome,
    previousStatus,
    status,
    occurredAt,
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
