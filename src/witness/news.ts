import type { EntityManager } from '../core/db.js';
import { type Subtree, consistencyParts, subtreesOf } from '../receipt/merkle.js';
import { findNewest } from '../receipt/proofs.js';
import { readPaths } from '../receipt/tree.js';

/** What a witness is told of a log. */
export interface News {
  /** The log's name. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The signed checkpoint. */
  readonly note: string;
  readonly createdAt: Date;
  /** From the last checkpoint that the witness took, where it took one: RFC 9162 §2.1.4. */
  readonly consistency: { readonly fromSize: number; readonly hashes: readonly Buffer[] } | null;
}

/** The newest checkpoint of the transaction's tenant; undefined before there is one. */
export async function readNews(
  transaction: EntityManager,
  tenantId: string,
  takenSize: number,
): Promise<News | undefined> {
  const newest = await findNewest(transaction);
  if (!newest) return undefined;
  const { size, note, createdAt } = newest;
  const isGrown = takenSize >= 1 && takenSize <= size;
  const [hashes = []] = isGrown
    ? await readPaths(transaction, tenantId, [consistencyParts(takenSize, size)])
    : [];
  const consistency = isGrown ? { fromSize: takenSize, hashes } : null;
  return { origin: originIn(note), size, root: Buffer.from(newest.root), note, createdAt, consistency };
}

/** How many leaves the transaction's tenant's log has, signed for or not. */
export async function readSize(transaction: EntityManager): Promise<number> {
  const [row] = await transaction.execute<{ size: string }[]>('select size from receipt_logs');
  return Number(row?.size ?? 0);
}

/** The root that the log had when it was of this size, which is at least 1 and no more than it is of now. */
export async function readRoot(
  transaction: EntityManager,
  tenantId: string,
  size: number,
): Promise<Buffer | undefined> {
  const edge: Subtree[] = subtreesOf(0, size);
  const [path = []] = await readPaths(transaction, tenantId, [[edge]]);
  return path[0];
}

/** A note's first line. */
export function originIn(note: string): string {
  return note.slice(0, note.indexOf('\n'));
}
