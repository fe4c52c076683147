import { describe, expect, it } from 'vitest';
import { ConnectDocument, DisconnectDocument, QuotaDocument } from '../schema/generated/operations.js';
import { plans } from '../src/connection/quota.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { connectGitHub } from './support/github.js';

const withLimit = (limit: number): Promise<TestApp> =>
  useTestApp({ env: { TRIBUTARY_MAX_CONNECTIONS_PER_TENANT: String(limit) } });

async function connect(caller: TestCaller, name: string) {
  const input = { providerId: 'github', name, authMethod: 'BEARER', credential: { token: 'x' } } as const;
  const { data, errors } = await caller.ask(ConnectDocument, { input });
  return { id: data?.connect.connection.id, error: errors[0] };
}

const quotaOf = async (caller: TestCaller) => (await caller.get(QuotaDocument)).quota;

describe('the quota of connections', () => {
  it('holds however many connect at once, frees with a disconnect, and is each tenant’s own', async () => {
    const app = await withLimit(3);
    const caller = await app.caller();
    const made = await Promise.all(Array.from({ length: 10 }, (_, n) => connect(caller, `number ${n}`)));
    const ids = made.flatMap(({ id }) => id ?? []);
    expect(ids).toHaveLength(3);
    for (const { error } of made.filter(({ id }) => id === undefined)) {
      expect(error?.extensions).toMatchObject({ code: 'QUOTA_EXCEEDED', details: { limit: 3, used: 3 } });
      expect(error?.message).toContain('Disconnect one');
    }
    expect(await quotaOf(caller)).toEqual({
      plan: 'default',
      limits: { connections: 3 },
      used: { connections: 3 },
    });
    expect(await app.database.query('select id from connections')).toHaveLength(3);

    const stranger = await app.caller('globex');
    await connectGitHub(stranger);
    expect((await quotaOf(stranger)).used.connections).toBe(1);

    await caller.get(DisconnectDocument, { connectionId: ids[0]! });
    expect((await quotaOf(caller)).used.connections).toBe(2);
    expect((await connect(caller, 'after')).error).toBeUndefined();
    expect((await connect(caller, 'one more')).error?.extensions.code).toBe('QUOTA_EXCEEDED');
  });

  it('is what the tenant’s plan says, once the operator has put it on one', async () => {
    const app = await withLimit(1);
    const caller = await app.caller();
    const setPlan = (plan: string) =>
      app.database.query(
        `insert into tenant_plans (tenant_id, plan) values ('acme', $1)
         on conflict (tenant_id) do update set plan = excluded.plan`,
        [plan],
      );
    await connectGitHub(caller);
    expect((await connect(caller, 'second')).error?.extensions.code).toBe('QUOTA_EXCEEDED');
    for (const [plan, limits] of Object.entries(plans)) {
      await setPlan(plan);
      expect(await quotaOf(caller)).toEqual({ plan, limits, used: { connections: 1 } });
    }
    expect((await connect(caller, 'second')).error).toBeUndefined();
    await expect(setPlan('generous')).rejects.toThrow(/tenant_plans_plan_check/);
    expect((await quotaOf(await app.caller('globex'))).plan).toBe('default');
  });
});
