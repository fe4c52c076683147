import type { Caller } from '../core/caller.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import type { JsonObject } from '../connector/index.js';
import { type ExportHeader, type ExportRecord, FORMAT } from './format.js';
import { type ReceiptBody, canonical } from './leaf.js';
import { consistencyParts, inclusionParts } from './merkle.js';
import { findNewest } from './proofs.js';
import type { ReceiptCheckpoint } from './receipt.entity.js';
import { readPaths } from './tree.js';

/** Which receipts: those that came into the log in this time. What is left out is not bounded. */
export interface ExportRange {
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
  /** Size of an older checkpoint, for a proof that the log has only grown since. */
  readonly since?: number;
}

export interface ReceiptExporter {
  /**
   * The lines of {@link ExportHeader} and its records, all against the checkpoint that is the newest now. Reads page by
   * page, as fast as it is read. Throws NOT_FOUND before the first checkpoint, INVALID_INPUT for `since`.
   */
  export(caller: Caller, range: ExportRange): Promise<AsyncIterable<string>>;
}

const PAGE = 500;

export function createReceiptExporter(db: Db): ReceiptExporter {
  return {
    async export(caller, range) {
      const start = await db.for(caller).transactional((transaction) => open(transaction, caller, range));
      return lines(db, caller, start);
    },
  };
}

interface Start {
  readonly header: ExportHeader;
  readonly checkpoint: ReceiptCheckpoint;
}

async function open(transaction: EntityManager, { tenantId }: Caller, range: ExportRange): Promise<Start> {
  const checkpoint = await findNewest(transaction);
  if (!checkpoint) {
    throw new TributaryError('NOT_FOUND', 'No receipt is in the log yet. Ask again in a few seconds.');
  }
  const { size } = checkpoint;
  const [first, end] = await Promise.all([
    indexAt(transaction, range.from, 0),
    indexAt(transaction, range.to, size),
  ]);
  const count = Math.max(0, Math.min(end, size) - first);
  const consistency = await since(transaction, tenantId, range.since, size);
  const note = checkpoint.note;
  return {
    header: { format: FORMAT, tenant_id: tenantId, checkpoint: note, first, count, consistency },
    checkpoint,
  };
}

/** Index of the first leaf that came at that time or later. */
async function indexAt(
  transaction: EntityManager,
  time: Date | undefined,
  unbounded: number,
): Promise<number> {
  if (!time) return unbounded;
  const [row] = await transaction.execute<{ index: string }[]>(INDEX_AT, [time]);
  return Number(row?.index ?? 0);
}

const INDEX_AT = `
  select coalesce((select leaf_index from receipt_leaves where sequenced_at >= ? order by sequenced_at, leaf_index limit 1),
                  (select size from receipt_logs), 0) as index`;

async function since(
  transaction: EntityManager,
  tenantId: string,
  fromSize: number | undefined,
  size: number,
): Promise<ExportHeader['consistency']> {
  if (fromSize === undefined) return null;
  if (!(Number.isSafeInteger(fromSize) && fromSize >= 1 && fromSize <= size)) {
    throw invalidInput('since', `must be the size of an older checkpoint, which is at most ${size}`);
  }
  const [hashes = []] = await readPaths(transaction, tenantId, [consistencyParts(fromSize, size)]);
  return { from_size: fromSize, hashes: hashes.map(toBase64) };
}

async function* lines(db: Db, caller: Caller, { header, checkpoint }: Start): AsyncGenerator<string> {
  yield `${canonical(header)}\n`;
  const end = header.first + header.count;
  for (let index = header.first; index < end; index += PAGE) {
    const to = Math.min(index + PAGE, end);
    const records = await db
      .for(caller)
      .transactional((transaction) => readPage(transaction, caller, checkpoint.size, index, to));
    // One string a page: a stream that is handed every line by itself spends its time on handing.
    yield records.map((record) => `${canonical(record)}\n`).join('');
  }
}

interface Row {
  readonly leaf_index: string;
  readonly leaf: string;
  readonly salt: Buffer | null;
  /** Null together with its salt. */
  readonly body: ReceiptBody | null;
}

async function readPage(
  transaction: EntityManager,
  { tenantId }: Caller,
  size: number,
  from: number,
  to: number,
): Promise<ExportRecord[]> {
  const rows = await transaction.execute<Row[]>(PAGE_OF, [tenantId, from, to - from]);
  if (rows.length !== to - from) throw new Error(`of leaves ${from} to ${to} only ${rows.length} are there`);
  const paths = rows.map((_, at) => inclusionParts(from + at, size));
  const hashes = await readPaths(transaction, tenantId, paths);
  return rows.map((row, at) => toRecord(row, hashes[at] ?? []));
}

/** The page first: a join of the whole tables would be decided by statistics that may be old. */
const PAGE_OF = `
  select l.leaf_index, r.leaf, r.salt,
         case when r.salt is not null
           then jsonb_build_object('actor', r.actor, 'request', r.request, 'result', r.result) end as body
  from (select leaf_index, receipt_id from receipt_leaves
        where tenant_id = ? and leaf_index >= ? order by leaf_index limit ?) l
  join receipts r on r.id = l.receipt_id
  order by l.leaf_index`;

function toRecord({ leaf_index: index, leaf, salt, body }: Row, proof: readonly Buffer[]): ExportRecord {
  return {
    index: Number(index),
    leaf: JSON.parse(leaf) as JsonObject,
    body,
    salt: salt && toBase64(salt),
    proof: proof.map(toBase64),
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
