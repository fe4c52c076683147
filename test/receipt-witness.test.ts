import { describe, expect, it } from 'vitest';
import {
  IncidentsDocument,
  ReceiptWitnessesDocument,
  ReceiptsDocument,
  SetIncidentSinkDocument,
  SetReceiptWitnessDocument,
} from '../schema/generated/operations.js';
import { verifyReceipts } from '../src/receipt/verify.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { isSignedForS3 } from './support/aws-signature.js';
import { type TestClock, createTestClock } from './support/clock.js';
import type { TestDatabase } from './support/database.js';
import { answer, drop } from './support/fake-behavior.js';
import { type TestWitness, isSigned, startStore, startWitness } from './support/witness.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly caller: TestCaller;
}

interface WitnessStory extends Story {
  readonly witness: TestWitness;
  readonly secret: string;
}

async function begin(env: Record<string, string> = {}): Promise<Story> {
  const clock = createTestClock();
  const app = await useTestApp({ clock, env: { RECEIPT_LOG_HOST: 'log.example', ...env } });
  return { app, clock, caller: await app.caller() };
}

async function beginWitness(): Promise<WitnessStory> {
  const story = await begin();
  const { checkpointKeys } = story.app.app.services;
  await checkpointKeys.current();
  const witness = await startWitness(async () =>
    (await checkpointKeys.list()).map(({ publicKey }) => publicKey),
  );
  const { setReceiptWitness } = await story.caller.get(SetReceiptWitnessDocument, { url: witness.url });
  return { ...story, witness, secret: setReceiptWitness.secret ?? '' };
}

/** So many receipts more, with their places and a checkpoint over them. */
async function grow({ app, caller }: Story, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await caller.get(SetIncidentSinkDocument, { url: null });
  await app.app.services.sequencer.run();
}

/** After a while in which everything that waits became due. */
function deliver({ app, clock }: Story, waitMs = 11_000): Promise<number> {
  clock.advance(waitMs);
  return app.app.services.witnesses.deliverDue(4, new AbortController().signal);
}

const standingOf = async ({ caller }: Story) =>
  (await caller.get(ReceiptWitnessesDocument)).receiptWitnesses[0];

/** By whoever comes then: tokens don't last for days. */
const incidentsOf = async ({ app }: Story): Promise<string[]> =>
  (await (await app.caller()).get(IncidentsDocument, {})).incidents.nodes.map(
    ({ kind, scope, resolvedAt }) => `${scope} ${kind} ${resolvedAt ? 'over' : 'open'}`,
  );

const LOG = [
  'receipts',
  'receipt_queue',
  'receipt_logs',
  'receipt_leaves',
  'receipt_nodes',
  'receipt_checkpoints',
  'receipt_anchors',
];

/** As a backup of the database: all of the log as it is now, and how to have it back. */
async function backUp({ query }: TestDatabase): Promise<() => Promise<void>> {
  await query('create schema backup');
  for (const table of LOG) await query(`create table backup.${table} as table public.${table}`);
  return async () => {
    await query(`truncate ${LOG.join(', ')}`);
    for (const table of LOG) {
      await query(`alter table ${table} disable trigger user`);
      await query(`insert into ${table} select * from backup.${table}`);
      await query(`alter table ${table} enable trigger user`);
    }
  };
}

describe('a tenant’s witness', () => {
  it('is shown each checkpoint, signed, with the proof that the log has only grown', async () => {
    const story = await beginWitness();
    const { witness, secret } = story;
    await grow(story, 2);
    expect(await deliver(story)).toBe(1);
    await grow(story, 5);
    expect(await deliver(story)).toBe(1);
    expect(await deliver(story)).toBe(0);
    expect(witness.taken).toEqual([3, 8]);
    const { requests } = witness.provider;
    expect(requests.map((request) => isSigned(request, secret))).toEqual([true, true]);
    expect(requests[1]?.body).toMatchObject({
      type: 'receipt_checkpoint.added',
      data: { origin: 'log.example/receipts/acme', size: 8, consistency: { from_size: 3 } },
    });
    expect(await standingOf(story)).toEqual({
      kind: 'TENANT',
      url: witness.url,
      lastSize: '8',
      lastAt: expect.any(String),
      lastError: null,
      conflict: null,
      conflictAt: null,
    });
  });

  it('is shown the newest only when many came, and at most one every ten seconds', async () => {
    const story = await beginWitness();
    for (let n = 0; n < 5; n += 1) await grow(story, 1);
    expect(await deliver(story)).toBe(1);
    await grow(story, 1);
    expect(await deliver(story, 5_000)).toBe(0);
    await grow(story, 1);
    expect(await deliver(story, 6_000)).toBe(1);
    expect(story.witness.taken).toEqual([6, 8]);
  });

  it('is shown later what came while it was answering', async () => {
    const story = await beginWitness();
    const { witness } = story;
    witness.provider.next('POST /witness', async ({ perform, send }) => {
      await grow(story, 2);
      send(perform());
    });
    await grow(story, 1);
    expect(await deliver(story)).toBe(1);
    expect(await deliver(story, 5_000)).toBe(0);
    expect(await deliver(story, 6_000)).toBe(1);
    expect(witness.taken).toEqual([2, 4]);
  });

  it('that is down is told again, later each time and without an end, of what is newest then', async () => {
    const story = await beginWitness();
    const { witness, clock } = story;
    witness.provider.next('POST /witness', answer({ status: 503 }), drop(), answer({ status: 500 }));
    await grow(story, 1);
    expect(await deliver(story)).toBe(1);
    expect((await standingOf(story))?.lastError).toBe('The witness answered 503.');
    expect(await deliver(story, 6_000)).toBe(1);
    await grow(story, 1);
    expect(await deliver(story, 6_000)).toBe(0);
    expect(await deliver(story, 6_000)).toBe(1);
    clock.advance(3 * 24 * 3_600_000);
    expect(await deliver(story)).toBe(1);
    expect(witness.taken).toEqual([3]);
    expect(await incidentsOf(story)).toEqual([]);
  });

  it('is shown the same again by another process when the first one died over it', async () => {
    const story = await beginWitness();
    const { app, clock, witness } = story;
    await grow(story, 1);
    const claim = await app.database.query(
      `select * from receipt_anchors_claim('{TENANT}', now() + interval '1 minute', 5, 60)`,
    );
    expect(claim).toHaveLength(1);
    expect(await deliver(story, 50_000)).toBe(0);
    clock.advance(71_000);
    expect(await deliver(story)).toBe(1);
    expect(witness.taken).toEqual([2]);
  });

  it('is told from where it is, when it was told more than was written down', async () => {
    const story = await beginWitness();
    const { app, witness } = story;
    await grow(story, 1);
    await deliver(story);
    await grow(story, 4);
    await deliver(story);
    // The process died before it wrote down that the last one was taken.
    await app.database.query('update receipt_anchors set taken_size = 2, due_at = now() where witness = $1', [
      'TENANT',
    ]);
    await grow(story, 3);
    expect(await deliver(story)).toBe(1);
    expect((await standingOf(story))?.lastError).toContain('is at 6 receipts');
    expect(await deliver(story)).toBe(1);
    expect(witness.taken).toEqual([2, 6, 9]);
    expect(await incidentsOf(story)).toEqual([]);
  });

  it('finds out a log that was restored from a backup and went on', async () => {
    const story = await beginWitness();
    const { app, caller, witness } = story;
    await grow(story, 3);
    await deliver(story);
    const restore = await backUp(app.database);
    await grow(story, 6);
    await deliver(story);
    expect(witness.taken).toEqual([4, 10]);
    await restore();
    await grow(story, 2);
    expect(await deliver(story)).toBe(1);
    expect((await standingOf(story))?.conflict).toBe(
      'The witness saw 10 receipts, and the log has 6: it was rolled back. It holds a checkpoint of that, signed by a key of this deployment.',
    );
    expect(await incidentsOf(story)).toEqual(['TENANT RECEIPTS_ROLLED_BACK open']);
    // Also when it has become larger again than it was.
    await grow(story, 7);
    expect(await deliver(story)).toBe(1);
    expect((await standingOf(story))?.conflict).toContain('its history was changed');
    expect(await incidentsOf(story)).toEqual(['TENANT RECEIPTS_ROLLED_BACK open']);
    const metrics = await app.app.http.inject('/metrics');
    expect(metrics.body).toContain(
      'tributary_receipt_witness_deliveries_total{witness="TENANT",outcome="conflict"} 2',
    );
    expect(await verdict(story, [witness.note()!])).toMatchObject({
      isGenuine: false,
      problem: expect.stringContaining('history was changed'),
    });
    // Who knows of it and has the witness begin anew is at peace.
    witness.forget();
    await caller.get(SetReceiptWitnessDocument, { url: witness.url });
    expect(await incidentsOf(story)).toEqual(['TENANT RECEIPTS_ROLLED_BACK over']);
    await grow(story, 0);
    await deliver(story);
    expect(await standingOf(story)).toMatchObject({ lastSize: '14', conflict: null });
  });

  it.each([
    ['a size alone, as tlog-witness has it', '4711\n', 'saw 4711 receipts'],
    [
      'a checkpoint that nobody we know has signed',
      'log.example/receipts/acme\n4711\nAAAA\n',
      'no checkpoint',
    ],
  ])('is believed when it shows %s', async (_what, text, told) => {
    const story = await beginWitness();
    await grow(story, 1);
    story.witness.answerWith(text);
    await deliver(story);
    expect((await standingOf(story))?.conflict).toContain(told);
    story.witness.answerWith(undefined);
    await deliver(story);
    expect(await standingOf(story)).toMatchObject({ lastSize: '2', conflict: null });
    expect(await incidentsOf(story)).toEqual(['TENANT RECEIPTS_ROLLED_BACK over']);
  });

  it.each(['', 'no', 'log.example/receipts/globex\n4711\nAAAA\n', '-1', '99999999999999999999'])(
    'that answers 409 with %j has said nothing',
    async (text) => {
      const story = await beginWitness();
      await grow(story, 1);
      story.witness.answerWith(text);
      await deliver(story);
      expect(await standingOf(story)).toMatchObject({
        conflict: null,
        lastError: expect.stringContaining('409'),
      });
      expect(await incidentsOf(story)).toEqual([]);
    },
  );
});

describe('setReceiptWitness', () => {
  it('counts nothing that the witness before answers afterwards', async () => {
    const story = await beginWitness();
    const { caller, witness } = story;
    const elsewhere = `${witness.provider.url}/elsewhere`;
    witness.provider.next('POST /witness', async ({ perform, send }) => {
      await caller.get(SetReceiptWitnessDocument, { url: elsewhere });
      await grow(story, 0);
      send(perform());
    });
    await grow(story, 1);
    await deliver(story);
    expect(witness.taken).toEqual([2]);
    expect(await standingOf(story)).toMatchObject({ url: elsewhere, lastSize: null, lastAt: null });
  });

  it('shows its secret once, keeps it sealed, leaves a receipt each time, and is for admins', async () => {
    const story = await beginWitness();
    const { app, caller, secret, witness } = story;
    const stored = JSON.stringify(await app.database.query('select * from receipt_witnesses, receipts'));
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect(stored).not.toContain(secret.slice(6));
    const { setReceiptWitness: gone } = await caller.get(SetReceiptWitnessDocument, {});
    expect(gone).toEqual({ witness: null, secret: null });
    await grow(story, 1);
    expect(await deliver(story)).toBe(0);
    expect(witness.provider.requests).toEqual([]);
    const { receipts } = await caller.get(ReceiptsDocument);
    expect(receipts.nodes.map(({ operation }) => operation)).toEqual([
      'integration.incident_sink.tributary.remove',
      'integration.receipt_witness.tributary.remove',
      'integration.receipt_witness.tributary.set',
    ]);
    const auditor = await app.caller('acme', 'integrations:audit');
    const { errors } = await auditor.ask(SetReceiptWitnessDocument, { url: witness.url });
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('takes public addresses only, and shows nobody another tenant’s log', async () => {
    const story = await beginWitness();
    const { app, witness } = story;
    const strict = await useTestApp({ beside: app, env: { EGRESS_ALLOW: '' } });
    const { errors } = await (await strict.caller()).ask(SetReceiptWitnessDocument, { url: witness.url });
    expect(errors[0]?.extensions.code).toBe('INVALID_INPUT');
    const globex = await app.caller('globex');
    expect((await globex.get(ReceiptWitnessesDocument)).receiptWitnesses).toEqual([]);
    await globex.get(SetIncidentSinkDocument, { url: null });
    await grow(story, 1);
    await deliver(story);
    expect(witness.provider.requests.map(({ text }) => text.includes('globex'))).toEqual([false]);
  });
});

describe('the operator’s store', () => {
  const TOKEN = 'store-token-4711';
  const withStore = async () => {
    const store = await startStore(({ headers }) => headers['authorization'] === `Bearer ${TOKEN}`);
    const env = { RECEIPT_WITNESS_URL: store.url, RECEIPT_WITNESS_TOKEN: TOKEN };
    return { store, ...(await begin(env)) };
  };

  it('keeps checkpoints of every tenant’s log, each written once', async () => {
    const { store, ...story } = await withStore();
    await (await story.app.caller('a/b %')).get(SetIncidentSinkDocument, { url: null });
    await grow(story, 2);
    await deliver(story);
    await grow(story, 1);
    await deliver(story);
    const keys = [...store.objects.keys()].filter((key) => !key.includes('operator'));
    expect(keys.toSorted()).toEqual([
      'log.example/receipts/a%2Fb%20%25/1',
      'log.example/receipts/a%2Fb%20%25/latest',
      'log.example/receipts/acme/2',
      'log.example/receipts/acme/3',
      'log.example/receipts/acme/latest',
    ]);
    expect(store.objects.get('log.example/receipts/acme/3')).toBe(
      store.objects.get('log.example/receipts/acme/latest'),
    );
    expect(await standingOf(story)).toMatchObject({ kind: 'OPERATOR', url: null, lastSize: '3' });
    // Written, and not written down: the same again is no conflict.
    await story.app.database.query('update receipt_anchors set due_at = now()');
    await deliver(story);
    expect(await standingOf(story)).toMatchObject({ lastError: null, conflict: null });
  });

  it('finds out a roll-back, keeps what it has, and shows it to the verifier', async () => {
    const { store, ...story } = await withStore();
    await grow(story, 3);
    await deliver(story);
    const restore = await backUp(story.app.database);
    await grow(story, 4);
    await deliver(story);
    const before = new Map(store.objects);
    const notes = [...before.values()].filter((note) => note.includes('/acme\n'));
    expect(await verdict(story, notes)).toMatchObject({ isGenuine: true, witnessed: { held: 2, open: 0 } });
    await restore();
    await grow(story, 1);
    await deliver(story);
    expect((await standingOf(story))?.conflict).toContain('saw 7 receipts, and the log has 4');
    expect(await verdict(story, notes)).toMatchObject({
      isGenuine: false,
      problem: 'the log was rolled back: it has 4 receipts and the witness saw 7',
    });
    // To exactly the size that was seen, with other receipts; and whoever could has taken the pointer away.
    await grow(story, 3);
    store.objects.delete('log.example/receipts/acme/latest');
    before.delete('log.example/receipts/acme/latest');
    await deliver(story);
    expect((await standingOf(story))?.conflict).toContain('of 7 receipts');
    expect(store.objects).toEqual(before);
    expect(await incidentsOf(story)).toEqual(['TENANT RECEIPTS_ROLLED_BACK open']);
  });

  it('may be a bucket of S3: each request is signed, conditions included, whatever the names are', async () => {
    const key = {
      region: 'eu-central-1',
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
    };
    const store = await startStore((request) => isSignedForS3(request, key));
    const story = await begin({
      RECEIPT_WITNESS_URL: store.url,
      RECEIPT_WITNESS_AWS_REGION: key.region,
      RECEIPT_WITNESS_AWS_ACCESS_KEY_ID: key.accessKeyId,
      RECEIPT_WITNESS_AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    });
    await (await story.app.caller("a/b %(c)*'!~")).get(SetIncidentSinkDocument, { url: null });
    await grow(story, 2);
    await deliver(story);
    expect([...store.objects.keys()]).toContain("log.example/receipts/a%2Fb%20%25(c)*'!~/1");
    expect(await standingOf(story)).toMatchObject({ lastSize: '2', lastError: null });
    // Once more the same: what is there is not written over.
    await story.app.database.query('update receipt_anchors set due_at = now(), taken_size = null');
    await deliver(story);
    const writes = store.provider.performed.filter(({ request }) => request.path.endsWith('/acme/2'));
    expect(writes.map(({ request, answer: { status } }) => `${request.method} ${status}`)).toEqual([
      'PUT 200',
      'PUT 412',
      'GET 200',
    ]);
    const { performed } = store.provider;
    expect(performed.every(({ request }) => isSignedForS3(request, key))).toBe(true);
    const other = { ...key, secretAccessKey: 'another' };
    expect(performed.some(({ request }) => isSignedForS3(request, other))).toBe(false);
    expect(performed.every(({ request }) => !JSON.stringify(request).includes(key.secretAccessKey))).toBe(
      true,
    );
  });

  it('that refuses us is tried again, and nothing is in conflict', async () => {
    const { store, ...story } = await withStore();
    store.provider.next(({ path }) => path.endsWith('/acme/latest'), answer({ status: 403 }));
    await grow(story, 1);
    await deliver(story);
    expect(await standingOf(story)).toMatchObject({
      lastSize: null,
      lastError: 'The store answered 403 to reading the latest checkpoint.',
      conflict: null,
    });
    await deliver(story);
    expect(await standingOf(story)).toMatchObject({ lastSize: '1', lastError: null });
  });
});

/** What the offline verifier says of all there is, against what a witness kept. */
async function verdict({ app }: Story, witnessed: readonly string[]) {
  const { receiptExports, checkpointKeys } = app.app.services;
  const caller = { tenantId: 'acme', subject: 'auditor', scopes: new Set<never>(), correlationId: 'audit' };
  const lines = await receiptExports.export(caller, {});
  const chunks = (async function* toBytes() {
    for await (const text of lines) yield Buffer.from(text);
  })();
  return verifyReceipts(chunks, { keys: await checkpointKeys.list(), witnessed, isWhole: true });
}
