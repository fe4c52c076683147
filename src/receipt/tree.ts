import type { EntityManager } from '../core/db.js';
import { type Part, type Subtree, fold } from './merkle.js';

/** The hashes of paths through a tenant's tree, each in its order, by one statement for however many. */
export async function readPaths(
  transaction: EntityManager,
  tenantId: string,
  paths: readonly (readonly Part[])[],
): Promise<Buffer[][]> {
  const wanted = new Map(paths.flat(2).map((subtree) => [keyOf(subtree), subtree]));
  if (wanted.size === 0) return paths.map(() => []);
  const rows = await transaction.execute<{ level: number; index: string; hash: Buffer | null }[]>(READ, [
    tenantId,
    tenantId,
    JSON.stringify([...wanted.values()]),
  ]);
  const hashes = new Map(rows.map(({ level, index, hash }) => [`${level}/${index}`, hash]));
  const hashOf = (subtree: Subtree): Buffer => requireHash(hashes, subtree);
  return paths.map((path) => path.map((part) => fold(part.map(hashOf))));
}

function requireHash(hashes: ReadonlyMap<string, Buffer | null>, subtree: Subtree): Buffer {
  const hash = hashes.get(keyOf(subtree));
  if (!hash) throw new Error(`the tree lacks its subtree ${keyOf(subtree)}`);
  return hash;
}

function keyOf({ level, index }: Subtree): string {
  return `${level}/${index}`;
}

/** Each by its key: with joins PostgreSQL may decide to read the tables whole. */
const READ = `
  select wanted.level, wanted.index,
         case when wanted.level = 0
           then (select leaf.hash from receipt_leaves leaf
                 where leaf.tenant_id = ? and leaf.leaf_index = wanted.index)
           else (select node.hash from receipt_nodes node
                 where node.tenant_id = ? and node.level = wanted.level and node.index = wanted.index)
         end as hash
  from jsonb_to_recordset(?::jsonb) as wanted(level integer, index bigint)`;
