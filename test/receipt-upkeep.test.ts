import { describe, expect, it } from 'vitest';
import { type AccessRow, accessesHash } from '../src/receipt/accesses.js';
import { createAccessLog } from '../src/credential/access.js';
import { createLog } from '../src/core/log.js';
import { verifyReceipts } from '../src/receipt/verify.js';
import { createTestClock } from './support/clock.js';
import { type TestDatabase, useTestDatabase } from './support/database.js';
import { callerOf, exportOf } from './support/receipt-exports.js';
import { type Receipts, expectSoundLog, useReceipts } from './support/receipts.js';

const DAY_MS = 86_400_000;

function bodiesOf(database: TestDatabase, tenantId: string) {
  return database.query<{ operation: string; kept: boolean }>(
    `select r.operation, r.request is not null as kept from receipts r join receipt_leaves l on l.receipt_id = r.id
     where r.tenant_id = $1 order by l.leaf_index`,
    [tenantId],
  );
}

/** How many bodies a tenant has, of how many receipts. */
async function kept(database: TestDatabase, tenantId: string): Promise<string> {
  const rows = await bodiesOf(database, tenantId);
  return `${rows.filter((row) => row.kept).length} of ${rows.length}`;
}

async function verify({ services }: Receipts, text: string) {
  const keys = await services.checkpointKeys.list();
  return verifyReceipts(
    (async function* chunks() {
      yield Buffer.from(text);
    })(),
    { keys, isWhole: true },
  );
}

describe('the bodies of receipts', () => {
  it('go when the time of their plan is over; the log stays and verifies, and a receipt tells', async () => {
    const clock = createTestClock();
    const database = await useTestDatabase();
    const receipts = await useReceipts(database, { clock });
    const { receiptRetention: retention, sequencer } = receipts.services;
    await database.query(
      `insert into tenant_plans (tenant_id, plan) values ('small', 'free'), ('middle', 'team'), ('large', 'enterprise')`,
    );
    const tenants = ['small', 'middle', 'large', 'planless'];
    for (const tenant of tenants) await receipts.add(tenant, 3);
    await sequencer.run();
    expect(await retention.deleteDue()).toBe(0);

    clock.advance(20 * DAY_MS);
    for (const tenant of tenants) await receipts.add(tenant, 2);
    await sequencer.run();
    clock.advance(11 * DAY_MS);
    expect(await retention.deleteDue()).toBe(3);
    await sequencer.run();
    expect(await Promise.all(tenants.map((tenant) => kept(database, tenant)))).toEqual([
      '3 of 6',
      '5 of 5',
      '5 of 5',
      '5 of 5',
    ]);
    const [attested] = await database.query(
      `select actor, request, result from receipts where operation = 'integration.receipt.tributary.delete_bodies'`,
    );
    expect(attested).toMatchObject({ actor: 'system', result: { from_leaf: 0, to_leaf: 3, deleted: 3 } });

    await expectSoundLog(database, receipts, 'small');
    const text = await exportOf(receipts, 'small');
    expect(await verify(receipts, text)).toMatchObject({ isGenuine: true, count: 6, withoutBody: 3 });
    expect(text.split('\n').slice(1, 4).join()).not.toContain('user-of-small');

    clock.advance(100 * DAY_MS);
    expect(await retention.deleteDue()).toBe(2 + 5);
    await sequencer.run();
    // What tells of deletions is not deleted, or telling would never end.
    clock.advance(100 * DAY_MS);
    expect(await retention.deleteDue()).toBe(0);
    expect(await kept(database, 'small')).toBe('2 of 7');
    expect(await kept(database, 'large')).toBe('5 of 5');
  });

  it('go in many small steps, where there are many', async () => {
    const clock = createTestClock();
    const database = await useTestDatabase();
    const receipts = await useReceipts(database, { clock, env: { RECEIPT_RETENTION_DAYS: '7' } });
    await receipts.add('acme', 2_300);
    await receipts.services.sequencer.run();
    clock.advance(8 * DAY_MS);
    await receipts.add('acme', 1);
    await receipts.services.sequencer.run();
    await receipts.services.receiptRetention.deleteDue();
    const told = `select (result ->> 'deleted')::int as n from receipts
      where tenant_id = 'acme' and operation like '%delete_bodies' order by id`;
    expect(await database.query(told)).toEqual([{ n: 1_000 }, { n: 1_000 }, { n: 300 }]);
    await receipts.services.sequencer.run();
    expect(await verify(receipts, await exportOf(receipts, 'acme'))).toMatchObject({ withoutBody: 2_300 });
  });

  it('are null to who asks for them, and the proof is there', async () => {
    const clock = createTestClock();
    const database = await useTestDatabase();
    const receipts = await useReceipts(database, { clock, env: { RECEIPT_RETENTION_DAYS: '1' } });
    const [id] = await receipts.add('acme');
    await receipts.services.sequencer.run();
    clock.advance(2 * DAY_MS);
    await receipts.services.receiptRetention.deleteDue();
    const caller = callerOf('acme');
    const receipt = await receipts.services.receipts.require(caller, id!);
    expect(receipt).toMatchObject({ actor: null, request: null, result: null, salt: null });
    expect(receipt.bodyDeletedAt).toBeInstanceOf(Date);
    expect((await receipts.services.receiptProofs.of(caller, [id!])).size).toBe(1);
  });
});

describe('uses of secrets', () => {
  it('are attested to together, each once, by a hash over them', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const { accessAttestor } = receipts.services;
    const accesses = createAccessLog(receipts.db.doors, createLog('silent'));
    const use = (tenantId: string, purpose: string): void =>
      accesses.record({
        tenantId,
        connectionId: '01900000-0000-7000-8000-000000000001',
        field: 'credential',
        secretVersion: 1,
        actor: 'somebody',
        purpose,
        correlationId: 'why',
        at: new Date(),
      });
    for (let n = 0; n < 7; n += 1) use('acme', n < 5 ? 'action' : 'verify');
    use('globex', 'refresh');
    await accesses.drain();
    const racing = await Promise.all([accessAttestor.attest(), accessAttestor.attest()]);
    expect(racing[0] + racing[1]).toBe(8);
    expect(await accessAttestor.attest()).toBe(0);
    use('acme', 'webhook');
    await accesses.drain();
    expect(await accessAttestor.attest()).toBe(1);

    const attested = await database.query<{ id: string; tenant_id: string; request: object; result: object }>(
      `select id, tenant_id, request, result from receipts where operation = 'integration.secret.tributary.access'`,
    );
    const rows = await database.query<AccessRow & { receipt_id: string }>('select * from secret_accesses');
    expect(attested.length).toBeGreaterThanOrEqual(3);
    for (const { id, request, result } of attested) {
      const own = rows.filter((row) => row.receipt_id === id);
      expect(request).toEqual({ accesses: own.length });
      expect(result).toMatchObject({ accesses_sha256: accessesHash(own) });
      expect(accessesHash(own.map((row) => ({ ...row, actor: 'another' })))).not.toBe(accessesHash(own));
    }
    expect(rows.every((row) => row.receipt_id !== null)).toBe(true);
  });

  it('are attested to for all tenants but the one that fails, and the job hears of that', async () => {
    const database = await useTestDatabase();
    const receipts = await useReceipts(database);
    const { accessAttestor } = receipts.services;
    const accesses = createAccessLog(receipts.db.doors, createLog('silent'));
    for (const tenantId of ['acme', 'broken', 'globex'])
      accesses.record({
        tenantId,
        connectionId: '01900000-0000-7000-8000-000000000001',
        field: 'credential',
        secretVersion: 1,
        actor: 'somebody',
        purpose: 'action',
        correlationId: 'why',
        at: new Date(),
      });
    await accesses.drain();
    await database.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
    );
    await database.query(
      `create trigger refuse before insert on receipts for each row when (new.tenant_id = 'broken') execute function refuse()`,
    );
    await expect(accessAttestor.attest()).rejects.toThrow('1 of 3 tenants');
    const attested = await database.query('select tenant_id from receipts order by tenant_id');
    expect(attested).toEqual([{ tenant_id: 'acme' }, { tenant_id: 'globex' }]);
  });
});
