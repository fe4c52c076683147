import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toVerifierKey } from '../src/receipt/note.js';
import {
  type Refuted,
  type TrustedKey,
  type VerifyOptions,
  parseKey,
  verifyReceipts,
} from '../src/receipt/verify.js';
import { type TestDatabase, createTestDatabase, useTestDatabase } from './support/database.js';
import { callerOf, exportOf } from './support/receipt-exports.js';
import { type Receipts, openReceipts, useReceipts } from './support/receipts.js';

/** In one piece, or cut into pieces of these lengths. */
async function* chunksOf(file: Buffer | string, length = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file);
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

let database: TestDatabase;
let receipts: Receipts;
let keys: readonly TrustedKey[];
/** Of 23 receipts, the older checkpoint of 9. */
let file: string;
let older: { readonly note: string; readonly size: number };
let sinceOlder: string;

const check = (text: Buffer | string, options: Partial<VerifyOptions> = {}) =>
  verifyReceipts(chunksOf(text), { keys, ...options });

async function refuted(text: Buffer | string, options: Partial<VerifyOptions> = {}): Promise<Refuted> {
  const result = await check(text, options);
  expect(result).toMatchObject({ isGenuine: false });
  return result as Refuted;
}

beforeAll(async () => {
  database = await createTestDatabase();
  receipts = await openReceipts(database.url);
  await receipts.add('acme', 9);
  await receipts.services.sequencer.run();
  older = (await receipts.services.receiptProofs.checkpoint(callerOf('acme')))!;
  await receipts.add('acme', 14);
  await receipts.add('globex', 23);
  await receipts.services.sequencer.run();
  file = await exportOf(receipts, 'acme');
  sinceOlder = await exportOf(receipts, 'acme', { since: 9 });
  keys = await receipts.services.checkpointKeys.list();
});
afterAll(async () => {
  await receipts.close();
  await database.drop();
});

/** The lines with this done to them. */
function edit(text: string, change: (lines: string[]) => void): string {
  const lines = text.slice(0, -1).split('\n');
  change(lines);
  return `${lines.join('\n')}\n`;
}

/** One line's value, changed and written canonically again. */
function editJson(text: string, line: number, from: RegExp | string, to: string): string {
  return edit(text, (lines) => {
    const changed = lines[line]!.replace(from, to);
    expect(changed).not.toBe(lines[line]);
    lines[line] = changed;
  });
}

describe('a genuine export', () => {
  const verdict = { isGenuine: true, tenantId: 'acme', size: 23, first: 0, count: 23, withoutBody: 0 };

  it('verifies, however it is cut into chunks', async () => {
    expect(await check(file)).toEqual({ ...verdict, origin: 'tributary.example/receipts/acme' });
    expect(await check(file, { isWhole: true })).toMatchObject(verdict);
    for (const length of [1, 7, 1_000_000])
      expect(await verifyReceipts(chunksOf(file, length), { keys })).toMatchObject(verdict);
  });

  it('verifies against an older checkpoint', async () => {
    expect(await check(sinceOlder, { older: older.note })).toMatchObject(verdict);
  });

  it('verifies against what a witness kept: all of it from the first receipt on, else what is told of it', async () => {
    const newer = (await receipts.services.receiptProofs.checkpoint(callerOf('acme')))!.note;
    const foreign = (await receipts.services.receiptProofs.checkpoint(callerOf('globex')))!.note;
    const witnessed = [older.note, foreign, newer, newer];
    expect(await check(file, { witnessed })).toMatchObject({ ...verdict, witnessed: { held: 2, open: 0 } });
    expect(await check(sinceOlder, { witnessed })).toMatchObject({ witnessed: { held: 2, open: 0 } });
    const later = { from: new Date(Date.now() + 3_600_000) };
    const some = await exportOf(receipts, 'acme', later);
    expect(await check(some, { witnessed })).toMatchObject({ count: 0, witnessed: { held: 1, open: 1 } });
    const since = await exportOf(receipts, 'acme', { ...later, since: 9 });
    expect(await check(since, { witnessed })).toMatchObject({ count: 0, witnessed: { held: 2, open: 0 } });
  });

  it('verifies by a key that names the log, and by none that names another', async () => {
    const { publicKey } = keys[0]!;
    const named = (name: string) => parseKey(toVerifierKey({ name, publicKey }))!;
    expect(parseKey(publicKey.toString('base64'))).toEqual({ publicKey });
    expect(await check(file, { keys: [named('tributary.example/receipts/acme')] })).toMatchObject(verdict);
    const foreign = { keys: [named('tributary.example/receipts/globex')] };
    expect((await refuted(file, foreign)).problem).toBe('no trusted key has signed the checkpoint');
  });

  it('verifies in part', async () => {
    const own = await useReceipts(await useTestDatabase(), { clock: { now: () => now } });
    let now = new Date('2026-11-21T10:00:00Z');
    for (const hour of [11, 12, 13]) {
      await own.add('acme', 4);
      await own.services.sequencer.run();
      now = new Date(`2026-11-21T${hour}:00:00Z`);
    }
    const part = { from: new Date('2026-11-21T10:30:00Z'), to: new Date('2026-11-21T11:30:00Z') };
    const options = { keys: await own.services.checkpointKeys.list() };
    const text = await exportOf(own, 'acme', part);
    const result = { isGenuine: true, size: 12, first: 4, count: 4 };
    expect(await verifyReceipts(chunksOf(text), options)).toMatchObject(result);
    const whole = verifyReceipts(chunksOf(text), { ...options, isWhole: true });
    expect(await whole).toMatchObject({ isGenuine: false, line: 1 });
    const none = await exportOf(own, 'acme', { from: new Date('2027-01-01T00:00:00Z') });
    expect(await verifyReceipts(chunksOf(none), options)).toMatchObject({ isGenuine: true, count: 0 });
  });

  it('of which bodies are gone verifies, and says how many', async () => {
    const bare = editJson(file, 4, /"body":\{[^]*?\},"index"/, '"body":null,"index"');
    const noSalt = editJson(bare, 4, /"salt":"[^"]+"/, '"salt":null');
    expect(await check(noSalt)).toMatchObject({ ...verdict, withoutBody: 1 });
    expect((await refuted(bare)).line).toBe(5);
  });
});

describe('is found', () => {
  it('any other byte, anywhere', async () => {
    const bytes = Buffer.from(file);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (place, difference) => {
          const altered = Buffer.from(bytes);
          altered[place] = altered[place]! ^ difference;
          expect((await refuted(altered)).line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('any byte that is gone, or more', async () => {
    const bytes = Buffer.from(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), async (place, extra) => {
        const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)];
        for (const changed of [
          [head, tail.subarray(1)],
          [head, Buffer.of(extra), tail],
        ])
          expect((await refuted(Buffer.concat(changed))).line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('a record that is missing, and which', async () => {
    for (const line of [1, 10, 23]) {
      const result = await refuted(edit(file, (lines) => lines.splice(line, 1)));
      expect(result.line).toBe(line === 23 ? 24 : line + 1);
      expect(result.problem).toMatch(
        line === 23 ? 'there are 22 records and must be 23' : `the record must be that of leaf ${line - 1}`,
      );
    }
  });

  it('records in another order', async () => {
    const swapped = edit(file, (lines) => void ([lines[7], lines[8]] = [lines[8]!, lines[7]!]));
    expect(await refuted(swapped)).toMatchObject({ line: 8, problem: 'the record must be that of leaf 6' });
    // With the numbers put right as well.
    const renumbered = editJson(editJson(swapped, 7, '"index":7', '"index":6'), 8, '"index":6', '"index":7');
    expect(await refuted(renumbered)).toMatchObject({
      line: 8,
      problem: expect.stringContaining('not in the'),
    });
  });

  it('a record too many, doubled or made up', async () => {
    const doubled = edit(file, (lines) => lines.splice(5, 0, lines[5]!));
    expect(await refuted(doubled)).toMatchObject({ line: 7 });
    const appended = edit(file, (lines) => lines.push(lines[23]!.replace('"index":22', '"index":23')));
    expect(await refuted(appended)).toMatchObject({ line: 25, problem: 'there are more records than 23' });
    const counted = editJson(appended, 0, '"count":23', '"count":24');
    expect(await refuted(counted)).toMatchObject({ line: 1, problem: expect.stringContaining('range') });
  });

  it('an end that is missing', async () => {
    expect((await refuted(file.slice(0, -1))).problem).toBe('the file ends within a line');
    expect((await refuted(file.slice(0, file.length / 2))).problem).toBe('the file ends within a line');
    expect((await refuted(edit(file, (lines) => lines.splice(12)))).problem).toContain('11 records');
    expect(await refuted('')).toMatchObject({ line: 1, problem: 'there is no header' });
    // A shorter range is an export of its own; who wants all of it says so.
    const shorter = editJson(
      edit(file, (lines) => lines.splice(12)),
      0,
      '"count":23',
      '"count":11',
    );
    expect(await check(shorter)).toMatchObject({ isGenuine: true, count: 11 });
    expect((await refuted(shorter, { isWhole: true })).problem).toContain('not the whole log');
  });

  it('what another tenant’s receipts are put in place of', async () => {
    const foreign = await exportOf(receipts, 'globex');
    const theirs = foreign.split('\n');
    const mixed = edit(file, (lines) => (lines[6] = theirs[6]!));
    expect(await refuted(mixed)).toMatchObject({ line: 7, problem: 'the receipt is another tenant’s' });
    const claimed = editJson(mixed, 6, '"tenant_id":"globex"', '"tenant_id":"acme"');
    expect(await refuted(claimed)).toMatchObject({ line: 7, problem: expect.stringContaining('not in the') });
    const headed = edit(foreign, (lines) => (lines[0] = file.split('\n')[0]!));
    expect(await refuted(headed)).toMatchObject({ line: 2 });
    const renamed = editJson(foreign, 0, '"tenant_id":"globex"', '"tenant_id":"acme"');
    expect((await refuted(renamed)).problem).toBe('the checkpoint is of another tenant’s log');
  });

  it('a receipt that says something else, and which it is', async () => {
    const id = /"id":"([^"]+)"/.exec(file.split('\n')[3]!)?.[1];
    const outcome = editJson(file, 3, '"outcome":"SUCCESS"', '"outcome":"FAILURE"');
    expect(await refuted(outcome)).toMatchObject({ line: 4, receiptId: id });
    const body = editJson(file, 3, '"actor":"user-of-acme"', '"actor":"somebody-else"');
    const problem = 'the body is not the one in the log';
    expect(await refuted(body)).toEqual({ isGenuine: false, line: 4, receiptId: id, problem });
  });

  it('a log that was rolled back to an older state', async () => {
    const newer = (await receipts.services.receiptProofs.checkpoint(callerOf('acme')))!;
    const copy = await useReceipts(await useTestDatabase());
    // The same deployment from a backup: the same key, and a log that knows of nine receipts only.
    const rolledBack = await restore(copy, 9);
    const result = await refuted(rolledBack, { older: newer.note });
    expect(result).toMatchObject({
      line: 1,
      problem: 'the log was rolled back: it has 9 receipts and had 23',
    });
  });

  it('a log whose past is another one', async () => {
    const problem = 'the log is not a continuation of the older checkpoint: its history was changed';
    const forged = await useReceipts(await useTestDatabase());
    const text = await restore(forged, 23, 9);
    expect((await refuted(text, { older: older.note })).problem).toBe(problem);
  });

  it('by what a witness kept: a log that was rolled back, or whose past is another one', async () => {
    const note = async (tenantId: string) =>
      (await receipts.services.receiptProofs.checkpoint(callerOf(tenantId)))!.note;
    const newer = await note('acme');
    const copy = await restore(await useReceipts(await useTestDatabase()), 9);
    expect(await refuted(copy, { witnessed: [older.note, newer] })).toMatchObject({
      line: 1,
      problem: 'the log was rolled back: it has 9 receipts and the witness saw 23',
    });
    const own = await useReceipts(await useTestDatabase());
    const longer = await restore(own, 30);
    // Line 10 has the ninth receipt.
    expect(await refuted(longer, { witnessed: [newer, older.note] })).toMatchObject({
      line: 10,
      problem: 'the log’s first 9 receipts are not those that the witness saw: its history was changed',
    });
    expect((await refuted(copy, { witnessed: [older.note] })).problem).toContain('first 9 receipts');
    const forged = (JSON.parse(copy.split('\n')[0]!) as { checkpoint: string }).checkpoint;
    expect((await refuted(file, { witnessed: [older.note, forged] })).problem).toContain('two logs');
    const both = { older: older.note, witnessed: [forged] };
    // An export that does not begin with the first receipt: only the older checkpoint tells of the past.
    const later = await exportOf(receipts, 'acme', { since: 9, from: new Date(Date.now() + 60_000) });
    expect((await refuted(later, both)).problem).toContain('first 9 receipts');
  });

  it('a witness that has nothing of the log, or what nobody has signed', async () => {
    const foreign = (await receipts.services.receiptProofs.checkpoint(callerOf('globex')))!.note;
    for (const witnessed of [[], [foreign]])
      expect((await refuted(file, { witnessed })).problem).toBe('the witness has no checkpoint of this log');
    const forged = older.note.replace('\n9\n', '\n8\n');
    expect((await refuted(file, { witnessed: [older.note, forged] })).problem).toContain('no trusted key');
  });

  it.each([
    ['an infinite number', '{"a":1e999}'],
    ['half a surrogate pair', '{"a":"\\ud800"}'],
    ['nesting without end', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
  ])('a line with %s, which has no canonical form', async (_, line) => {
    const text = edit(file, (lines) => void (lines[3] = line));
    expect(await refuted(text)).toMatchObject({
      line: 4,
      problem: 'the line is not canonical JSON (RFC 8785)',
    });
  });

  it('an older checkpoint that is none, or nothing to hold it against', async () => {
    expect((await refuted(sinceOlder, { older: 'nonsense' })).problem).toContain('older checkpoint');
    expect((await refuted(file, { older: older.note })).problem).toContain('made with since=9');
    expect((await refuted(sinceOlder)).problem).toContain('give the older checkpoint');
    const foreign = (await receipts.services.receiptProofs.checkpoint(callerOf('globex')))!.note;
    expect((await refuted(sinceOlder, { older: foreign })).problem).toContain('of another log');
  });

  /** A deployment with the key of the first one, and so many receipts of its own. */
  async function restore(own: Receipts, count: number, since?: number): Promise<string> {
    const { vault, services } = own;
    await services.checkpointKeys.current();
    const [stored] = await database.query<{ id: string; public_key: Buffer; sealed_seed: Buffer }>(
      'select id, public_key, sealed_seed from checkpoint_keys',
    );
    const place = (id: string) => ({ tenantId: ':operator', id, field: 'checkpoint_key' }) as const;
    const seed = await receipts.vault.open(stored!.sealed_seed, place(stored!.id));
    await own.db.for({ tenantId: ':operator' }).transactional(async (transaction) => {
      const [now] = await transaction.execute<{ id: string }[]>('select id from checkpoint_keys');
      const sealed = await vault.seal(seed, place(now!.id));
      await transaction.execute('update checkpoint_keys set sealed_seed = ?', [sealed]);
    });
    // Opened anew, as by a process that starts.
    const again = await useReceipts(own);
    await again.add('acme', count);
    await again.services.sequencer.run();
    return exportOf(again, 'acme', since === undefined ? {} : { since });
  }
});
