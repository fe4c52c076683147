import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { ReceiptsDocument, SignalsDocument, VerifyDocument } from '../schema/generated/operations.js';
import { deleteTenant } from '../src/tenant/delete.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { startFakeGitHub } from './support/fake-github.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

const clock = createTestClock();

async function start(): Promise<{ app: TestApp; token: string }> {
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  return { app, token: github.token };
}

/** A connection that works, and a signal. */
async function settle(caller: TestCaller, token: string) {
  const hook = await connectGitHub(caller, 'main', token);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  const delivery = await githubDelivery('ping', { zen: randomUUID() }, hook.secret);
  expect((await post(hook.url, delivery)).status).toBe(202);
  return hook;
}

/** Rows of each table by tenant. */
async function rowsOf({ database }: TestApp, tenantId: string): Promise<Record<string, number>> {
  const tables = await database.query<{ name: string }>(
    `select table_name as name from information_schema.columns
     where table_schema = 'public' and column_name = 'tenant_id' order by 1`,
  );
  const found: Record<string, number> = {};
  for (const { name } of tables) {
    const sql = `select count(*)::int as n from ${name} where tenant_id = $1`;
    const [row] = await database.query<{ n: number }>(sql, [tenantId]);
    if (row?.n) found[name] = row.n;
  }
  return found;
}

it('deleting a tenant destroys its keys and all it has, but for its receipts; others keep theirs', async () => {
  const { app, token } = await start();
  const [acme, globex] = [await app.caller('acme'), await app.caller('globex')];
  const hook = await settle(acme, token);
  await settle(globex, token);
  // What is written down a moment later.
  for (const tenant of ['acme', 'globex']) {
    for (const table of ['secret_accesses', 'connection_health', 'health_minutes', 'provider_calls']) {
      await expect.poll(() => rowsOf(app, tenant)).toHaveProperty(table);
    }
  }
  const before = { acme: await rowsOf(app, 'acme'), globex: await rowsOf(app, 'globex') };
  expect(before.acme).toMatchObject({ data_keys: 1, credentials: 1, signals: 1, receipts: 2 });

  const deleted = await deleteTenant(app.database.url, clock, 'acme');
  // No worker has given the receipts their places in the log yet: they go on waiting for that.
  const { receipts, receipt_queue: waiting, connections, ...rest } = before.acme;
  const kept = { receipts: Number(receipts) + 1, receipt_queue: Number(waiting) + 1, connections };
  expect(deleted).toEqual(rest);
  expect(await rowsOf(app, 'acme')).toEqual(kept);
  expect(
    await app.database.query(`select name, account, status from connections where tenant_id = 'acme'`),
  ).toEqual([{ name: 'deleted', account: null, status: 'DELETED' }]);
  const log = await acme.get(ReceiptsDocument);
  expect(log.receipts.nodes[0]).toMatchObject({
    operation: 'integration.tenant.tributary.delete',
    actor: 'operator',
  });
  await expect
    .poll(async () => (await post(hook.url, await githubDelivery('ping', {}, hook.secret))).status)
    .toBe(404);

  expect(await rowsOf(app, 'globex')).toEqual(before.globex);
  expect((await globex.get(SignalsDocument)).signals.nodes).toHaveLength(1);
  // Again, as after a cut: nothing left, and nothing to attest.
  expect(await deleteTenant(app.database.url, clock, 'acme')).toEqual({});
  expect(await rowsOf(app, 'acme')).toEqual(kept);
});

it('a tenant that was deleted can begin anew', async () => {
  const { app, token } = await start();
  const caller = await app.caller('acme');
  await settle(caller, token);
  await deleteTenant(app.database.url, clock, 'acme');
  // The process may still have the old key in memory, as nobody has told it yet.
  await expect.poll(() => settle(caller, token).then(() => 'ok', String)).toBe('ok');
  const [key] = await app.database.query<{ version: number }>('select version from data_keys');
  expect(key).toEqual({ version: 1 });
});
