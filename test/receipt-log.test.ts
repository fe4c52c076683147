import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, DatabaseError, type Pool } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OPERATOR } from '../src/core/caller.js';
import { systemClock } from '../src/core/clock.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { openCheckpoint } from '../src/receipt/checkpoint.js';
import { bodyHash } from '../src/receipt/leaf.js';
import { leafHash } from '../src/receipt/merkle.js';
import { createSequencer } from '../src/receipt/sequencer.js';
import { useTestDatabase } from './support/database.js';
import { callerOf } from './support/receipt-exports.js';
import { expectSoundLog, useReceipts, writeReceipts } from './support/receipts.js';

/** A process that sequences until it is killed. */
function startRunner(url: string) {
  const runner = join(import.meta.dirname, 'support/sequencer-runner.ts');
  const child = fork(runner, [url], { execArgv: ['--import', 'tsx'] });
  const closed = once(child, 'close');
  const heard = (what: string): Promise<void> =>
    new Promise((resolve) => child.on('message', (message) => message === what && resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return {
    isWorking: heard('started'),
    hasSequenced: heard('sequenced'),
    kill: () => child.kill('SIGKILL'),
  };
}

async function queued(query: (sql: string) => Promise<{ n: number }[]>): Promise<number | undefined> {
  return (await query('select count(*)::int as n from receipt_queue'))[0]?.n;
}

describe('the sequencer', () => {
  it('gives every receipt one place in its tenant’s log, and signs for what became of it', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const { sequencer } = receipts.services;
    await receipts.add('acme', 3);
    await receipts.add('globex', 1);
    // Those four, and the one of the key that was made to sign for them: it waits for the next run or is in this one.
    expect(await sequencer.run()).toBeGreaterThanOrEqual(4);
    for (const count of [1, 4, 5, 7]) {
      await receipts.add('acme', count);
      expect(await sequencer.run()).toBeGreaterThanOrEqual(count);
    }
    expect(await sequencer.run()).toBe(0);
    expect(await expectSoundLog(database, receipts, 'acme')).toHaveLength(20);
    expect(await expectSoundLog(database, receipts, 'globex')).toHaveLength(1);
    await expectSoundLog(database, receipts, OPERATOR);
    const sizes = `select size from receipt_checkpoints where tenant_id = 'acme' order by sequence`;
    expect((await database.query<{ size: string }>(sizes)).map(({ size }) => Number(size))).toEqual([
      3, 4, 8, 13, 20,
    ]);
  });

  it('keeps what a transaction that is slow to commit has written for later, and loses it not', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const { sequencer } = receipts.services;
    const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
    const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
    const slow = receipts.db.for({ tenantId: 'acme' }).transactional(async (transaction) => {
      await writeReceipts(transaction, 'acme', 1, { actor: 'slow' });
      written();
      await isOver;
    });
    await isWritten;
    await receipts.add('acme', 2);
    await sequencer.run();
    const places = `select r.actor from receipt_leaves l join receipts r on r.id = l.receipt_id
      where l.tenant_id = 'acme' order by l.leaf_index`;
    expect(await database.query(places)).toEqual([{ actor: 'user-of-acme' }, { actor: 'user-of-acme' }]);
    over();
    await slow;
    await sequencer.run();
    expect((await database.query(places))[2]).toEqual({ actor: 'slow' });
    await expectSoundLog(database, receipts, 'acme');
  });

  it('follows commits', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    onTestFinished(receipts.services.sequencer.follow());
    for (let round = 1; round <= 3; round += 1) {
      await receipts.add('acme', 2);
      const size = `select max(size)::int as size from receipt_checkpoints where tenant_id = 'acme'`;
      await vi.waitFor(async () => expect(await database.query(size)).toEqual([{ size: 2 * round }]), 5_000);
    }
    await expectSoundLog(database, receipts, 'acme');
  });

  it('gives places while there is no key to sign with, and signs when there is one', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const { sequencer, receiptProofs } = receipts.services;
    const [first] = await receipts.add('acme');
    await sequencer.run();
    const [second] = await receipts.add('acme');
    const keyless = createSequencer({
      db: receipts.db,
      clock: systemClock,
      log: createLog('silent'),
      metrics: createMetrics(),
      keys: { current: () => Promise.reject(new Error('the key provider does not answer')) },
      host: 'tributary.example',
    });
    expect(await keyless.run()).toBeGreaterThan(0);
    const [caller, ids] = [callerOf('acme'), [first!, second!]];
    expect([...(await receiptProofs.places(caller, ids)).values()]).toEqual([0, 1]);
    // What no checkpoint covers has no proof yet.
    expect([...(await receiptProofs.of(caller, ids)).keys()]).toEqual([first]);
    await sequencer.run();
    expect([...(await receiptProofs.of(caller, ids)).keys()]).toEqual([first, second]);
    await expectSoundLog(database, receipts, 'acme');
  });

  it('stores leaves and bodies that hash as they were written', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    await receipts.add('acme', 5);
    const rows = await database.query<{
      leaf: string;
      salt: Buffer;
      actor: string;
      request: object;
      result: object;
      occurred_at: Date;
    }>('select leaf, salt, actor, request, result, occurred_at from receipts');
    for (const { leaf, salt, actor, request, result, occurred_at: occurredAt } of rows) {
      const { body_sha256: hash, occurred_at: at } = JSON.parse(leaf);
      expect(bodyHash(salt, { actor, request, result } as never)).toBe(hash);
      expect(new Date(at)).toEqual(occurredAt);
      expect(leaf).not.toContain(actor);
    }
    expect(rows).toHaveLength(5);
  });
});

/** A pool that dies at one statement: before it, or when it has taken effect and nobody has been told. */
function dying(statement: string, when: 'before' | 'after') {
  let isDead = false;
  return (pool: Pool): Pool => {
    const query = async (config: { name?: string } | string, values?: unknown[]): Promise<unknown> => {
      const isIt = typeof config === 'object' && config.name === statement;
      if (isDead || (isIt && when === 'before')) {
        isDead = true;
        throw new Error('the process is dead');
      }
      const answer = await pool.query(config as never, values as never);
      if (isIt) {
        isDead = true;
        throw new Error('the process is dead');
      }
      return answer;
    };
    return Object.assign(Object.create(pool) as Pool, { query });
  };
}

describe('a crash', () => {
  const statements = [
    'receipts_waiting',
    'receipt_log_next',
    'receipt_log_edge',
    'receipt_log_append',
    'receipt_checkpoint_add',
  ];
  it.each(statements.flatMap((name) => [[name, 'before'] as const, [name, 'after'] as const]))(
    'at %s (%s) leaves a log that goes on',
    async (name, when) => {
      const database = await useTestDatabase();
      const crashed = await useReceipts(database, { doors: dying(name, when) });
      await crashed.add('acme', 7);
      await crashed.services.sequencer.run().catch(() => {});
      const next = await useReceipts(database);
      await next.add('acme', 4);
      await next.services.sequencer.run();
      expect(await expectSoundLog(database, next, 'acme')).toHaveLength(11);
      expect(await next.services.sequencer.run()).toBeLessThanOrEqual(1);
    },
  );
});

interface Plan {
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** Every step of a plan. */
const stepsOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(stepsOf)];

/** How many rows a step has looked at. */
function rowsOf(step: Plan): number {
  const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Join Filter': unjoined = 0 } = step;
  return ((step['Actual Rows'] ?? 0) + filtered + unjoined) * (step['Actual Loops'] ?? 0);
}

/** Every plan that the database has carried out in a session, those within its functions included. */
async function explaining(url: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const plans: Plan[] = [];
  client.on('notice', ({ message = '' }) => {
    const start = message.indexOf('{');
    if (start >= 0) plans.push((JSON.parse(message.slice(start)) as { Plan: Plan }).Plan);
  });
  await client.query(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_analyze = on;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_format = 'json';
    set client_min_messages = 'log'`);
  return { client, plans };
}

it('a batch costs what it takes, however many wait: receipts are not read, nothing is looked at twice', async () => {
  const database = await useTestDatabase();
  await database.query(`
    insert into receipts (id, tenant_id, operation, outcome, actor, request, result, occurred_at, leaf, salt)
    select gen_random_uuid(), 'acme', 'integration.test', 'SUCCESS', 'somebody', '{}', '{}', now(), '{"n":' || n || '}', ''
    from generate_series(1, 4000) n`);
  const { client, plans } = await explaining(database.url);
  const take = 400;
  let after = '00000000-0000-0000-0000-000000000000';
  // More than the five of a session that are planned for their own arguments.
  for (let batch = 0; batch < 8; batch += 1) {
    const next = await client.query('select id from receipt_log_next($1, $2, $3)', ['acme', after, take]);
    const ids = next.rows.map(({ id }) => id as string);
    const text = `select receipt_log_append($1, $2, $3, '{}', '{}', '', now())`;
    await client.query(text, ['acme', batch * take, ids]);
    after = ids.at(-1)!;
  }
  const steps = plans.flatMap(stepsOf);
  expect(Math.max(...steps.map(rowsOf))).toBe(take);
  expect(new Set(steps.map((step) => step['Relation Name']))).not.toContain('receipts');
  expect(await queued(database.query)).toBe(4_000 - 8 * take);
});

it('what waits has the hash of its leaf from the start', async () => {
  const database = await useTestDatabase();
  const receipts = await useReceipts(database);
  await receipts.add('acme', 3);
  const waiting = await database.query<{ leaf: string; hash: Buffer }>(
    'select r.leaf, q.hash from receipt_queue q join receipts r on r.id = q.receipt_id',
  );
  expect(waiting.map(({ hash }) => hash)).toEqual(waiting.map(({ leaf }) => leafHash(Buffer.from(leaf))));
  expect(waiting).toHaveLength(3);
});

describe('several processes', () => {
  it('that race never fork a log', async () => {
    const database = await useTestDatabase();
    const processes = await Promise.all([1, 2, 3, 4].map(() => useReceipts(database)));
    const tenants = ['acme', 'globex', 'initech'];
    await Promise.all(
      processes.map(async ({ add, services }) => {
        for (let round = 0; round < 12; round += 1) {
          await add(tenants[round % 3]!, 1 + round);
          await services.sequencer.run();
        }
      }),
    );
    await processes[0]!.services.sequencer.run();
    const sizes = [];
    for (const tenant of tenants) sizes.push((await expectSoundLog(database, processes[0]!, tenant)).length);
    // Four processes, each with rounds of 1 to 12 receipts.
    expect(sizes).toEqual([4 * (1 + 4 + 7 + 10), 4 * (2 + 5 + 8 + 11), 4 * (3 + 6 + 9 + 12)]);
  });

  it('of which some are killed lose and fork nothing', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const tenants = ['acme', 'globex'];
    const victim = startRunner(database.url);
    startRunner(database.url);
    await victim.isWorking;
    let added = 0;
    const add = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1, added += 30)
        await receipts.add(tenants[round % 2]!, 30);
    };
    // Killed while it is at it.
    const [adding] = [add(20)];
    await victim.hasSequenced;
    victim.kill();
    await adding;
    startRunner(database.url);
    await add(10);
    await vi.waitFor(async () => expect(await queued(database.query)).toBe(0), 30_000);
    await receipts.services.sequencer.run();
    for (const tenant of tenants)
      expect(await expectSoundLog(database, receipts, tenant)).toHaveLength(added / 2);
  });
});

describe('the database', () => {
  it('takes leaves only behind the tree it has, only of receipts that wait, and none twice', async () => {
    const database = await useTestDatabase();
    const { db, add, services } = await useReceipts(database);
    const [first, second] = await add('acme', 2);
    const [foreign] = await add('globex', 1);
    const append = (size: number, ids: (string | undefined)[], tenant = 'acme') =>
      db.doors.query('select receipt_log_append($1, $2, $3, $4, $5, $6, now()) as done', [
        tenant,
        size,
        ids,
        [],
        [],
        Buffer.alloc(0),
      ]);
    expect((await append(1, [first])).rows).toEqual([{ done: false }]);
    await expect(append(0, [foreign])).rejects.toThrow(DatabaseError);
    await expect(append(0, [first, foreign])).rejects.toThrow('of 2 receipts 1 wait');
    expect((await append(0, [first])).rows).toEqual([{ done: true }]);
    await expect(append(1, [first])).rejects.toThrow('of 1 receipts 0 wait');
    expect((await append(0, [second])).rows).toEqual([{ done: false }]);
    await services.sequencer.run();
    expect((await append(2, [])).rows).toEqual([{ done: true }]);
  });

  it('takes a checkpoint only beyond the last, of a tree there is, by the key that signs now', async () => {
    const database = await useTestDatabase();
    const { db, add, services } = await useReceipts(database);
    await add('acme', 3);
    await services.sequencer.run();
    const old = await services.checkpointKeys.current();
    const publish = async (size: number, key = old.id) =>
      (
        await db.doors.query('select receipt_checkpoint_add($1, $2, $3, $4, $5, now()) as done', [
          'acme',
          size,
          Buffer.alloc(32),
          'a note',
          key,
        ])
      ).rows[0].done as boolean;
    expect(await publish(3)).toBe(false);
    expect(await publish(4)).toBe(false);
    await database.query(`update receipt_logs set signed = 2 where tenant_id = 'acme'`);
    await services.checkpointKeys.rotate();
    expect(await publish(3)).toBe(false);
    expect(await services.checkpointKeys.current()).toMatchObject({ version: old.version + 1 });
  });
});

describe('the key that signs', () => {
  it('is one, however many processes make the first', async () => {
    const database = await useTestDatabase();
    const processes = await Promise.all([1, 2, 3].map(() => useReceipts(database)));
    const keys = await Promise.all(processes.map(({ services }) => services.checkpointKeys.current()));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
  });

  it('is followed by the next, in every process; the one before stays listed and its seed is gone', async () => {
    const database = await useTestDatabase();
    const [one, other] = [await useReceipts(database), await useReceipts(database)];
    await one.add('acme');
    await one.services.sequencer.run();
    await other.services.checkpointKeys.current();
    expect(await one.services.checkpointKeys.rotate()).toBe(2);
    await one.add('acme');
    await other.services.sequencer.run();
    const keys = await other.services.checkpointKeys.list();
    expect(keys).toMatchObject([
      { version: 1, validUntil: keys[1]?.validFrom },
      { version: 2, validUntil: null },
    ]);
    const [before, after] = await database.query<{ note: string }>(
      `select note from receipt_checkpoints where tenant_id = 'acme' order by sequence`,
    );
    expect(openCheckpoint(before!.note, [keys[0]!.publicKey])?.size).toBe(1);
    expect(openCheckpoint(after!.note, [keys[0]!.publicKey])).toBeUndefined();
    expect(openCheckpoint(after!.note, [keys[1]!.publicKey])?.size).toBe(2);
    expect(
      await database.query('select sealed_seed is null as gone from checkpoint_keys order by version'),
    ).toEqual([{ gone: true }, { gone: false }]);
    const attested = `select operation from receipts where tenant_id = $1 order by id`;
    expect(await database.query(attested, [OPERATOR])).toEqual([
      { operation: 'integration.checkpoint_key.tributary.make' },
      { operation: 'integration.checkpoint_key.tributary.rotate' },
    ]);
  });
});
