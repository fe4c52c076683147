import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as uuidV7 } from 'uuid';
import { expect, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.js';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { type Db, type EntityManager, openDb } from '../../src/core/db.js';
import { type Log, createLog } from '../../src/core/log.js';
import { createMetrics } from '../../src/core/metrics.js';
import { createDataKeys } from '../../src/credential/data-keys.js';
import { createLocalKeyProvider } from '../../src/credential/key-provider/local.js';
import { type Vault, createVault } from '../../src/credential/vault.js';
import { entities } from '../../src/entities.js';
import { migrations } from '../../src/migrations/index.js';
import { openCheckpoint } from '../../src/receipt/checkpoint.js';
import { type ReceiptDraft, addReceipt } from '../../src/receipt/log.js';
import { leafHash, nodeHash } from '../../src/receipt/merkle.js';
import { type ReceiptServices, createReceiptServices } from '../../src/receipt/services.js';
import type { TestDatabase } from './database.js';

/** What there is to do with receipts, of one process, on a database of the test's. */
export interface Receipts {
  /** Of its database. */
  readonly url: string;
  readonly db: Db;
  readonly vault: Vault;
  readonly services: ReceiptServices;
  /** In one transaction, as services do; answers their ids. */
  add(tenantId: string, count?: number, draft?: Partial<ReceiptDraft>): Promise<string[]>;
  close(): Promise<void>;
}

export interface ReceiptsOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** In place of the pool that the sequencer asks by. */
  readonly doors?: (pool: Pool) => Pool;
  readonly env?: Readonly<Record<string, string>>;
}

/** Several on one database are as good as several processes: they share nothing else. */
export async function openReceipts(url: string, options: ReceiptsOptions = {}): Promise<Receipts> {
  const { clock = systemClock, log = createLog('silent'), doors = (pool: Pool) => pool, env = {} } = options;
  const db = await openDb({ url, entities, migrations, log });
  const wrapper = createLocalKeyProvider({ masterKey: Buffer.alloc(32, 7) });
  const keys = await createDataKeys({ db, clock, log, wrapper });
  const vault = createVault(keys);
  const config = readConfig({ RECEIPT_LOG_HOST: 'tributary.example', ...env });
  const metrics = createMetrics();
  const asked = { ...db, doors: doors(db.doors) };
  const services = await createReceiptServices({ db: asked, clock, log, metrics, vault, config });
  return {
    url,
    db,
    vault,
    services,
    add: (tenantId, count = 1, draft = {}) =>
      db
        .for({ tenantId })
        .transactional((transaction) =>
          writeReceipts(transaction, tenantId, count, { occurredAt: clock.now(), ...draft }),
        ),
    async close() {
      await services.receiptProofs.close();
      await keys.close();
      await db.close();
    },
  };
}

export async function useReceipts(
  database: Pick<TestDatabase, 'url'>,
  options?: ReceiptsOptions,
): Promise<Receipts> {
  const receipts = await openReceipts(database.url, options);
  onTestFinished(() => receipts.close());
  return receipts;
}

/** Within a transaction of the caller's; answers their ids. */
export async function writeReceipts(
  transaction: EntityManager,
  tenantId: string,
  count: number,
  draft: Partial<ReceiptDraft> = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidV7());
  for (const [n, id] of ids.entries()) {
    addReceipt(transaction, {
      id,
      tenantId,
      operation: 'integration.action.example.add_issue_comment',
      outcome: 'SUCCESS',
      actor: `user-of-${tenantId}`,
      correlationId: randomUUID(),
      request: { idempotency_key: `key ${n}`, ratio: 0.1 + n, text: 'Ümläut \u2028 “quoted” \\ 🌱' },
      result: { status: 'SUCCEEDED', external_id: String(n), url: null, list: [1e21, -0, 1e-7] },
      occurredAt: new Date(),
      ...draft,
    });
  }
  await transaction.flush();
  return ids;
}

/** MTH of RFC 9162 §2.1.1, word by word. */
export function naiveRoot(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (hashes.length <= 1 && only) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)));
}

interface StoredLeaf {
  readonly leaf_index: string;
  readonly receipt_id: string;
  readonly leaf: string;
}

/** Looks past everything at a tenant's tables: an unbroken log, each receipt in it once, and no checkpoint but true ones. */
export async function expectSoundLog(
  database: TestDatabase,
  { services }: Receipts,
  tenantId: string,
): Promise<StoredLeaf[]> {
  const leaves = await database.query<StoredLeaf>(
    `select l.leaf_index, l.receipt_id, r.leaf from receipt_leaves l join receipts r on r.id = l.receipt_id
     where l.tenant_id = $1 and r.tenant_id = $1 order by l.leaf_index`,
    [tenantId],
  );
  expect(leaves.map((row) => Number(row.leaf_index))).toEqual([...leaves.keys()]);
  const receipts = await database.query<{ id: string }>('select id from receipts where tenant_id = $1', [
    tenantId,
  ]);
  expect(new Set(leaves.map((row) => row.receipt_id))).toEqual(new Set(receipts.map(({ id }) => id)));
  expect(leaves).toHaveLength(receipts.length);
  const hashes = leaves.map(({ leaf }) => leafHash(Buffer.from(leaf)));
  const keys = (await services.checkpointKeys.list()).map(({ publicKey }) => publicKey);
  const checkpoints = await database.query<{ size: string; note: string }>(
    'select size, note from receipt_checkpoints where tenant_id = $1 order by sequence',
    [tenantId],
  );
  for (const { size, note } of checkpoints) {
    const root = naiveRoot(hashes.slice(0, Number(size)));
    const origin = `tributary.example/receipts/${encodeURIComponent(tenantId)}`;
    expect(openCheckpoint(note, keys)).toEqual({ origin, size: Number(size), root });
  }
  const sizes = checkpoints.map(({ size }) => Number(size));
  expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
  expect(sizes.at(-1)).toBe(leaves.length);
  return leaves;
}
