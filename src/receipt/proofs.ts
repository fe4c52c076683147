import type { Caller } from '../core/caller.js';
import type { Db, EntityManager } from '../core/db.js';
import { invalidInput } from '../core/errors.js';
import { fromCursor, toCursor } from '../core/page.js';
import { type TailDeps, createTail } from '../core/tail.js';
import { consistencyParts, inclusionParts } from './merkle.js';
import { ReceiptCheckpoint } from './receipt.entity.js';
import { readPaths } from './tree.js';

/** Shows that a receipt is in the tree of a checkpoint: RFC 9162 §2.1.3. */
export interface InclusionProof {
  readonly leafIndex: number;
  readonly checkpoint: ReceiptCheckpoint;
  /** From the leaf's neighbour up to the root. */
  readonly hashes: readonly Buffer[];
}

/** Shows that a tree is the beginning of a later one: RFC 9162 §2.1.4. */
export interface ConsistencyProof {
  readonly fromSize: number;
  readonly toSize: number;
  readonly hashes: readonly Buffer[];
}

/** The caller's log as it can be proven. */
export interface ReceiptProofs {
  /** By receipt; those that have no place yet are left out. */
  places(caller: Caller, receiptIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** By receipt, all in the newest checkpoint; those that it does not cover yet are left out. */
  of(caller: Caller, receiptIds: readonly string[]): Promise<ReadonlyMap<string, InclusionProof>>;
  /** The newest one; null before the first receipt is signed for. */
  checkpoint(caller: Caller): Promise<ReceiptCheckpoint | null>;
  /** Between two sizes that the newest checkpoint covers. Throws INVALID_INPUT. */
  consistency(caller: Caller, fromSize: number, toSize: number): Promise<ConsistencyProof>;
  /** Every checkpoint after the one of the cursor (absent: from now on), each once, in order. Throws INVALID_CURSOR. */
  subscribe(caller: Caller, after?: string): AsyncIterableIterator<ReceiptCheckpoint>;
  close(): Promise<void>;
}

const LIST = 'checkpoints';
/** A bigint's worth of digits, so that no cursor can overflow the column. */
const SEQUENCE = /^\d{1,18}$/;

/** A checkpoint's place among those of its tenant. */
export function checkpointCursor({ sequence }: ReceiptCheckpoint): string {
  return toCursor(LIST, sequence);
}

export async function createReceiptProofs(deps: TailDeps): Promise<ReceiptProofs> {
  const { db } = deps;
  const tail = await createTail(deps, {
    entity: ReceiptCheckpoint,
    name: 'receipt_checkpoints',
    channel: 'tributary_checkpoints',
    matches: () => true,
    toConditions: () => ({}),
  });

  return {
    places: (caller, ids) => inTenant(db, caller, (transaction) => readPlaces(transaction, ids)),
    of: (caller, ids) => inTenant(db, caller, (transaction) => prove(transaction, caller.tenantId, ids)),
    checkpoint: (caller) => inTenant(db, caller, findNewest),
    consistency: (caller, fromSize, toSize) =>
      inTenant(db, caller, (transaction) => relate(transaction, caller.tenantId, fromSize, toSize)),
    subscribe(caller, after) {
      const position = after === undefined ? undefined : fromCursor(LIST, after, SEQUENCE);
      return tail.subscribe(caller, undefined, position);
    },
    close: () => tail.close(),
  };
}

function inTenant<T>(db: Db, caller: Caller, read: (transaction: EntityManager) => Promise<T>): Promise<T> {
  return db.for(caller).transactional(read);
}

/** The newest checkpoint of the transaction's tenant. */
export function findNewest(transaction: EntityManager): Promise<ReceiptCheckpoint | null> {
  return transaction.findOne(
    ReceiptCheckpoint,
    { sequence: { $ne: null } },
    { orderBy: { sequence: 'desc' } },
  );
}

async function readPlaces(transaction: EntityManager, ids: readonly string[]): Promise<Map<string, number>> {
  return new Map(toPlaces(await transaction.execute<PlacedRow[]>(PLACES, [JSON.stringify(ids)])));
}

interface PlacedRow {
  readonly id: string;
  /** Null where it has none yet. */
  readonly place: string | null;
}

function toPlaces(rows: readonly PlacedRow[]): [id: string, place: number][] {
  return rows.flatMap(({ id, place }) => (place === null ? [] : [[id, Number(place)]]));
}

/** Each by its key: with a join PostgreSQL may decide to read the table whole. */
const PLACED = `
  select wanted.id, (select l.leaf_index from receipt_leaves l where l.receipt_id = wanted.id::uuid) as place`;

const PLACES = `${PLACED} from jsonb_array_elements_text(?::jsonb) as wanted(id)`;

/** The same beside the newest checkpoint: each answer that is waited for is a third of what a proof takes. */
const PLACES_IN_NEWEST = `
  with newest as materialized (select * from receipt_checkpoints order by sequence desc limit 1)
  ${PLACED}, newest.* from newest, jsonb_array_elements_text(?::jsonb) as wanted(id)`;

async function prove(
  transaction: EntityManager,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, InclusionProof>> {
  const rows = await transaction.execute<PlacedRow[]>(PLACES_IN_NEWEST, [JSON.stringify(ids)]);
  const [newest] = rows;
  if (!newest) return new Map();
  const checkpoint = transaction.map(ReceiptCheckpoint, newest);
  const places = toPlaces(rows).filter(([, place]) => place < checkpoint.size);
  const paths = places.map(([, place]) => inclusionParts(place, checkpoint.size));
  const hashes = await readPaths(transaction, tenantId, paths);
  const proofs = places.map(
    ([id, leafIndex], at) => [id, { leafIndex, checkpoint, hashes: hashes[at] ?? [] }] as const,
  );
  return new Map(proofs);
}

async function relate(
  transaction: EntityManager,
  tenantId: string,
  fromSize: number,
  toSize: number,
): Promise<ConsistencyProof> {
  const signed = (await findNewest(transaction))?.size ?? 0;
  if (!(Number.isSafeInteger(toSize) && toSize >= 1 && toSize <= signed)) {
    throw invalidInput('to', `must be a size that is signed for, which is at most ${signed}`);
  }
  if (!(Number.isSafeInteger(fromSize) && fromSize >= 1 && fromSize <= toSize)) {
    throw invalidInput('from', 'must be a size from 1 to that of `to`');
  }
  const [hashes = []] = await readPaths(transaction, tenantId, [consistencyParts(fromSize, toSize)]);
  return { fromSize, toSize, hashes };
}
