import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ReceiptCheckpointAddedDocument,
  type ReceiptCheckpointAddedSubscription,
  ReceiptCheckpointDocument,
  ReceiptConsistencyDocument,
  ReceiptProofDocument,
} from '../schema/generated/operations.js';
import type { Db } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { openCheckpoint } from '../src/receipt/checkpoint.js';
import { bodyHash } from '../src/receipt/leaf.js';
import { leafHash, verifyConsistency, verifyInclusion } from '../src/receipt/merkle.js';
import { createReceiptProofs } from '../src/receipt/proofs.js';
import { type TestApp, type TestCaller, startTestApp, useTestApp } from './support/app.js';
import { callerOf } from './support/receipt-exports.js';
import { type Receipts, openReceipts } from './support/receipts.js';

let app: TestApp;
/** Beside the app, to write receipts: the app sequences them. */
let writer: Receipts;
let tenants = 0;

beforeAll(async () => {
  app = await startTestApp({ env: { PUBLIC_URL: 'https://tributary.example' } });
  writer = await openReceipts(app.database.url);
});
afterAll(async () => {
  await writer.close();
  await app.close();
});

const sequence = () => app.app.services.sequencer.run();

async function newTenant(): Promise<{ tenantId: string; caller: TestCaller }> {
  tenants += 1;
  const tenantId = `tenant ${tenants}`;
  return { tenantId, caller: await app.caller(tenantId) };
}

async function publishedKeys(): Promise<Buffer[]> {
  const response = await fetch(`${app.url}/.well-known/tributary-keys.json`);
  expect(response.status).toBe(200);
  const { keys } = (await response.json()) as { keys: { algorithm: string; public_key: string }[] };
  expect(keys).not.toEqual([]);
  return keys.map(({ public_key: key }) => Buffer.from(key, 'base64'));
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

describe('a receipt', () => {
  it('has no place and no proof before it is sequenced, and then both', async () => {
    const { tenantId, caller } = await newTenant();
    const [id] = await writer.add(tenantId);
    const before = await caller.get(ReceiptProofDocument, { id: id! });
    expect(before.receipt).toMatchObject({ leafIndex: null, proof: null, bodyDeletedAt: null });
    await sequence();
    const after = await caller.get(ReceiptProofDocument, { id: id! });
    expect(after.receipt).toMatchObject({ leafIndex: '0', proof: { hashes: [] } });
  });

  it('can be checked with nothing but what is answered and the published keys', async () => {
    const { tenantId, caller } = await newTenant();
    const ids = await writer.add(tenantId, 11);
    await sequence();
    const keys = await publishedKeys();
    for (const [index, id] of ids.entries()) {
      const { receipt } = await caller.get(ReceiptProofDocument, { id });
      const { leaf, salt, hashes, checkpoint: told } = receipt!.proof!;
      const checkpoint = openCheckpoint(told.note, keys)!;
      const origin = `tributary.example/receipts/${encodeURIComponent(tenantId)}`;
      expect(checkpoint).toMatchObject({ origin, size: 11, root: bytes(told.root) });
      const { size, root } = checkpoint;
      const hash = leafHash(Buffer.from(leaf));
      expect(receipt!.leafIndex).toBe(String(index));
      expect(verifyInclusion(hash, index, size, hashes.map(bytes), root)).toBe(true);
      const { actor, request, result, ...shown } = receipt!;
      const said = JSON.parse(leaf);
      expect(said).toMatchObject({ v: 1, id, tenant_id: tenantId, operation: shown.operation });
      expect(said).toMatchObject({ occurred_at: shown.occurredAt, correlation_id: shown.correlationId });
      expect(bodyHash(bytes(salt!), { actor, request, result } as never)).toBe(said.body_sha256);
    }
  });

  it('is proven with all others of a page by the same few statements', async () => {
    const { tenantId } = await newTenant();
    const ids = await writer.add(tenantId, 200);
    await sequence();
    const count = { statements: 0 };
    const proofs = await createReceiptProofs({ db: counting(writer.db, count), log: createLog('silent') });
    onTestFinished(() => proofs.close());
    expect((await proofs.of(callerOf(tenantId), ids.slice(0, 1))).size).toBe(1);
    const forOne = count.statements;
    expect((await proofs.of(callerOf(tenantId), ids)).size).toBe(200);
    expect(forOne).toBe(2);
    expect(count.statements).toBe(2 * forOne);
  });
});

/** Counts what transactions ask. */
function counting(db: Db, count: { statements: number }): Db {
  const asks = new Set(['execute', 'findOne', 'find']);
  const watch = (transaction: object): object =>
    new Proxy(transaction, {
      get(target, name) {
        if (asks.has(String(name))) count.statements += 1;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const transactional = (caller: { tenantId: string }) => (work: (transaction: never) => unknown) =>
    db.for(caller).transactional((transaction) => work(watch(transaction) as never) as Promise<unknown>);
  return { ...db, for: (caller) => ({ transactional: transactional(caller) }) as never };
}

describe('a checkpoint', () => {
  it('is null before there is one, and then the newest', async () => {
    const { tenantId, caller } = await newTenant();
    expect(await caller.get(ReceiptCheckpointDocument)).toEqual({ receiptCheckpoint: null });
    for (const size of [2, 4]) {
      await writer.add(tenantId, 2);
      await sequence();
      const { receiptCheckpoint } = await caller.get(ReceiptCheckpointDocument);
      expect(receiptCheckpoint).toMatchObject({ size: String(size) });
    }
  });

  it('is shown to be the beginning of a later one', async () => {
    const { tenantId, caller } = await newTenant();
    const heads = [];
    for (let round = 0; round < 5; round += 1) {
      await writer.add(tenantId, 3);
      await sequence();
      const { receiptCheckpoint } = await caller.get(ReceiptCheckpointDocument);
      heads.push({ size: Number(receiptCheckpoint!.size), root: bytes(receiptCheckpoint!.root) });
    }
    for (const [place, first] of heads.entries()) {
      for (const second of heads.slice(place)) {
        const sizes = { from: String(first.size), to: String(second.size) };
        const { receiptConsistency } = await caller.get(ReceiptConsistencyDocument, sizes);
        expect(verifyConsistency(first, second, receiptConsistency.hashes.map(bytes))).toBe(true);
      }
    }
    for (const [from, to] of [
      ['0', '3'],
      ['4', '3'],
      ['3', '16'],
      ['a', '3'],
      ['1.5', '3'],
    ]) {
      const { errors } = await caller.ask(ReceiptConsistencyDocument, { from: from!, to: to! });
      expect(errors[0]?.extensions.code).toBe('INVALID_INPUT');
    }
  });

  it('comes live, after what was missed, and to its tenant only', async () => {
    const [{ tenantId, caller }, other] = [await newTenant(), await newTenant()];
    const query = print(ReceiptCheckpointAddedDocument);
    const follow = (who: TestCaller, after?: string) =>
      who.socket().iterate<ReceiptCheckpointAddedSubscription>({ query, variables: { after } });
    const next = async (stream: ReturnType<typeof follow>) =>
      (await stream.next()).value?.data?.receiptCheckpointAdded;
    await writer.add(tenantId);
    await sequence();
    const { receiptCheckpoint } = await caller.get(ReceiptCheckpointDocument);
    await writer.add(tenantId);
    await sequence();
    const stream = follow(caller, receiptCheckpoint!.cursor);
    expect(await next(stream)).toMatchObject({ size: '2' });
    await writer.add(other.tenantId);
    await sequence();
    await writer.add(tenantId);
    await sequence();
    expect(await next(stream)).toMatchObject({ size: '3' });
    const theirs = await other.caller.get(ReceiptCheckpointDocument);
    expect(theirs.receiptCheckpoint).toMatchObject({ size: '1' });
    await stream.return?.();
  });

  it('needs the scope to audit', async () => {
    const caller = await app.caller('acme', 'integrations:read integrations:write');
    for (const document of [ReceiptCheckpointDocument, ReceiptProofDocument]) {
      const { errors } = await caller.ask(print(document), { id: 'any' });
      expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
    }
  });
});

describe('a worker', () => {
  it('signs for a receipt within about a second of its commit', async () => {
    const worker = await useTestApp({ beside: app });
    await worker.app.startWorking();
    const { tenantId, caller } = await newTenant();
    for (let round = 1; round <= 3; round += 1) {
      await writer.add(tenantId);
      const committed = performance.now();
      const isSigned = async (): Promise<void> => {
        const { receiptCheckpoint } = await caller.get(ReceiptCheckpointDocument);
        expect(receiptCheckpoint?.size).toBe(String(round));
      };
      await vi.waitFor(isSigned, { timeout: 10_000, interval: 20 });
      // On a machine with nothing else to do it takes 0.2 s.
      expect(performance.now() - committed).toBeLessThan(5_000);
    }
  });
});
