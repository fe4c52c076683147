import { type Checkpoint, tenantOf } from './checkpoint.js';
import { type ExportHeader, type ExportRecord, FORMAT } from './format.js';
import { bodyHash, canonical } from './leaf.js';
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.js';
import { Refutation, type TrustedKey, openTrusted, requireThat } from './trust.js';
import {
  type SeenRoots,
  type WitnessedCount,
  countHeld,
  createPast,
  readWitness,
  requireSeen,
} from './witnessed.js';

export { type TrustedKey, parseKey } from './trust.js';

/**
 * Checks an export of receipts with nothing but public keys: no server, no database. docs/receipts.md says what each
 * check shows, and what none can.
 */

export interface VerifyOptions {
  readonly keys: readonly TrustedKey[];
  /** A checkpoint from earlier: the log must have it for its beginning. Needs an export with `since`. */
  readonly older?: string;
  /**
   * Checkpoints that a witness has kept. The log must not be smaller than any, nor have another past: each is held
   * against an export from the first receipt on, and else the one of `since`.
   */
  readonly witnessed?: readonly string[];
  /** The export must hold every receipt of the checkpoint's tree. */
  readonly isWhole?: boolean;
}

/** What was shown. */
export interface Verified {
  readonly isGenuine: true;
  readonly origin: string;
  readonly tenantId: string;
  /** Of the checkpoint's tree. */
  readonly size: number;
  readonly first: number;
  readonly count: number;
  /** Records whose bodies were deleted: what they said can't be checked any more, only that they were there. */
  readonly withoutBody: number;
  /** Where checkpoints of a witness were given. */
  readonly witnessed?: WitnessedCount;
}

/** The first thing that is not as it must be. */
export interface Refuted {
  readonly isGenuine: false;
  /** 1 is the header. */
  readonly line: number;
  /** Of the record, where it can be read. */
  readonly receiptId?: string;
  readonly problem: string;
}

const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Reads an export as it comes, in memory that does not grow with it. */
export async function verifyReceipts(
  chunks: AsyncIterable<Uint8Array>,
  options: VerifyOptions,
): Promise<Verified | Refuted> {
  const checker = createChecker(options);
  let line = 1;
  try {
    for await (const text of linesOf(chunks)) {
      checker.take(text);
      line += 1;
    }
    return checker.end();
  } catch (error) {
    if (!(error instanceof Refutation)) throw error;
    return { isGenuine: false, line, ...checker.receipt(), problem: error.message };
  }
}

/** Takes line after line. Each throws what is wrong with it. */
function createChecker(options: VerifyOptions) {
  let file: File | undefined;
  let receiptId: string | undefined;
  let [records, withoutBody] = [0, 0];
  return {
    take(text: string): void {
      receiptId = undefined;
      const value = parse(text);
      if (!file) {
        file = openFile(value as ExportHeader, options);
        return;
      }
      const record = value as ExportRecord;
      receiptId = idOf(record);
      const hash = checkRecord(record, file, records);
      file.past?.take(hash);
      records += 1;
      if (record.body === null) withoutBody += 1;
    },
    end(): Verified {
      receiptId = undefined;
      requireThat(file !== undefined, 'there is no header');
      const { tenant_id: tenantId, first, count } = file.header;
      requireThat(records === count, `there are ${records} records and must be ${count}`);
      const { origin, size } = file.checkpoint;
      const verified = { isGenuine: true, origin, tenantId, size, first, count, withoutBody } as const;
      return file.seen ? { ...verified, witnessed: countWitnessed(file.header, size, file.seen) } : verified;
    },
    /** The one that was looked at last, where its id can be read. */
    receipt: () => (receiptId === undefined ? {} : { receiptId }),
  };
}

/** What the records are held against. */
interface File {
  readonly header: ExportHeader;
  readonly checkpoint: Checkpoint;
  /** What a witness saw, where that was given; and the log as it grows, where it begins with its first leaf. */
  readonly seen?: SeenRoots | undefined;
  readonly past?: ReturnType<typeof createPast> | undefined;
}

function openFile(header: ExportHeader, { keys, older, witnessed, isWhole }: VerifyOptions): File {
  const names = ['checkpoint', 'consistency', 'count', 'first', 'format', 'tenant_id'];
  requireThat(hasExactly(header, names) && header.format === FORMAT, `this is no export of ${FORMAT}`);
  const checkpoint = openTrusted(header.checkpoint, keys);
  requireThat(checkpoint !== undefined, 'no trusted key has signed the checkpoint');
  requireThat(tenantOf(checkpoint.origin) === header.tenant_id, 'the checkpoint is of another tenant’s log');
  const { first, count } = header;
  const isRange = isIndex(first) && isIndex(count) && (count === 0 || first + count <= checkpoint.size);
  requireThat(isRange, 'the range is not in the checkpoint’s tree');
  if (isWhole) {
    const isAll = first === 0 && count === checkpoint.size;
    requireThat(isAll, `this is not the whole log, which has ${checkpoint.size} receipts`);
  }
  const seen = witnessed && readWitness(witnessed, keys, checkpoint);
  const since = older === undefined ? seenOf(header, checkpoint, seen) : requireOlder(older, keys);
  checkHistory(header, checkpoint, since);
  // Being this log's past, it is held against what the witness saw as the log itself is.
  if (seen && since) requireSeen(seen, since);
  return { header, checkpoint, seen, past: seen && first === 0 ? createPast(seen) : undefined };
}

/** The witness's checkpoint that the export was made `since`. */
function seenOf(
  { consistency }: ExportHeader,
  { origin }: Checkpoint,
  seen: SeenRoots | undefined,
): Checkpoint | undefined {
  const size = consistency?.from_size;
  const root = size === undefined ? undefined : seen?.get(size);
  return size === undefined || !root ? undefined : { origin, size, root };
}

function countWitnessed(
  { first, count, consistency }: ExportHeader,
  signed: number,
  seen: SeenRoots,
): WitnessedCount {
  const isHeld = (size: number): boolean =>
    size === signed || size === consistency?.from_size || (first === 0 && size <= count);
  return countHeld(seen, isHeld);
}

function requireOlder(note: string, keys: readonly TrustedKey[]): Checkpoint {
  const older = openTrusted(note, keys);
  requireThat(older !== undefined, 'no trusted key has signed the older checkpoint');
  return older;
}

function checkHistory(
  { consistency }: ExportHeader,
  checkpoint: Checkpoint,
  older: Checkpoint | undefined,
): void {
  if (!older) {
    const hint = 'the export has a consistency proof: give the older checkpoint it starts from';
    requireThat(consistency === null, hint);
    return;
  }
  requireThat(older.origin === checkpoint.origin, 'the older checkpoint is of another log');
  const rolledBack = `the log was rolled back: it has ${checkpoint.size} receipts and had ${older.size}`;
  requireThat(older.size <= checkpoint.size, rolledBack);
  const hint = `the export must be made with since=${older.size}, to be held against the older checkpoint`;
  const isAsked = consistency !== null && hasExactly(consistency, ['from_size', 'hashes']);
  requireThat(isAsked && consistency.from_size === older.size, hint);
  const hashes = fromBase64List(consistency.hashes);
  const isGrown = hashes !== undefined && verifyConsistency(older, checkpoint, hashes);
  requireThat(isGrown, 'the log is not a continuation of the older checkpoint: its history was changed');
}

/** Answers the leaf's hash. */
function checkRecord(record: ExportRecord, { header, checkpoint }: File, place: number): Buffer {
  requireThat(place < header.count, `there are more records than ${header.count}`);
  requireThat(
    hasExactly(record, ['body', 'index', 'leaf', 'proof', 'salt']),
    'this is no record of a receipt',
  );
  const { index, leaf, body, salt } = record;
  requireThat(index === header.first + place, `the record must be that of leaf ${header.first + place}`);
  requireThat(isObject(leaf) && leaf['tenant_id'] === header.tenant_id, 'the receipt is another tenant’s');
  const proof = fromBase64List(record.proof);
  const hash = leafHash(Buffer.from(canonical(leaf)));
  const isIncluded =
    proof !== undefined && verifyInclusion(hash, index, checkpoint.size, proof, checkpoint.root);
  requireThat(isIncluded, 'the receipt is not in the checkpoint’s tree, or not in this form');
  if (body === null) {
    requireThat(salt === null, 'there is a salt without a body');
    return hash;
  }
  const salted = fromBase64(salt);
  const isBody = isObject(body) && hasExactly(body, ['actor', 'request', 'result']) && salted !== undefined;
  requireThat(isBody && bodyHash(salted, body) === leaf['body_sha256'], 'the body is not the one in the log');
  return hash;
}

/** The value of a line that is canonical JSON, so that there is one line for one value. */
function parse(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refutation('the line is not JSON');
  }
  requireThat(isObject(value) && isCanonical(value, text), 'the line is not canonical JSON (RFC 8785)');
  return value;
}

/** What has no canonical form, such as 1e999, half a character or nesting without end, is in none. */
function isCanonical(value: object, text: string): boolean {
  try {
    return canonical(value) === text;
  } catch {
    return false;
  }
}

function idOf({ leaf }: ExportRecord): string | undefined {
  const id = isObject(leaf) ? leaf['id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function hasExactly(value: object, names: readonly string[]): boolean {
  return Object.keys(value).toSorted().join() === names.join();
}

function fromBase64List(list: unknown): Buffer[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const hashes = list.map(fromBase64);
  return hashes.every((hash) => hash !== undefined) ? hashes : undefined;
}

/** Canonical base64 only: two texts must not be one hash. */
function fromBase64(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Lines by the byte 0x0A alone, each ended by one: other characters that end lines may stand within a text. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield decode(decoder, [...rest, chunk.subarray(start, end)]);
      [rest, length, start] = [[], 0, end + 1];
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    length += chunk.length - start;
    requireThat(length <= MAX_LINE_BYTES, 'the line is longer than any of ours');
  }
  requireThat(rest.length === 0, 'the file ends within a line');
}

function decode(decoder: InstanceType<typeof TextDecoder>, parts: readonly Uint8Array[]): string {
  try {
    return decoder.decode(Buffer.concat(parts));
  } catch {
    throw new Refutation('the line is not UTF-8');
  }
}
