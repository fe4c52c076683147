import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectionDocument,
  ReceiptsDocument,
  SetCallBudgetDocument,
  type SetCallBudgetInput,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly id: string;
}

/** A connection to a fake GitHub, which nobody has called yet. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  const { connectionId } = await connectGitHub(caller, 'main', github.token);
  return { app, clock, github, caller, id: connectionId };
}

async function read({ caller, id }: Story) {
  return (await caller.get(ConnectionDocument, { id })).connection!;
}

async function verify({ caller, id }: Story) {
  return (await caller.get(VerifyDocument, { connectionId: id })).verify;
}

async function setBudget({ caller }: Story, input: SetCallBudgetInput) {
  return (await caller.get(SetCallBudgetDocument, { input })).setCallBudget;
}

async function codeOf(caller: TestCaller, input: SetCallBudgetInput) {
  return (await caller.ask(SetCallBudgetDocument, { input })).errors[0]?.extensions.code;
}

describe('a connection’s limits', () => {
  it('are there before the first call, and count it', async () => {
    const one = await story();
    const fresh = await read(one);
    expect(fresh).toMatchObject({ circuit: { state: 'CLOSED' }, callBudgets: [] });
    expect(fresh.rateLimit).toEqual({
      multiplier: 1,
      pausedUntil: null,
      windows: [
        { bucket: 'core', limit: 5_000, remaining: 5_000, resetsAt: null },
        { bucket: 'points', limit: 900, remaining: 900, resetsAt: null },
        { bucket: 'content', limit: 80, remaining: 80, resetsAt: null },
        { bucket: 'content-hour', limit: 500, remaining: 500, resetsAt: null },
      ],
    });
    await verify(one);
    const { windows } = (await read(one)).rateLimit;
    expect(windows.map(({ remaining }) => 5_000 - remaining)).toEqual([1, 4_101, 4_920, 4_500]);
  });

  it('say when GitHub wants to be left alone', async () => {
    const one = await story();
    const body = { message: 'You have exceeded a secondary rate limit.' };
    one.github.provider.next('GET /user', answer({ status: 403, headers: { 'retry-after': '60' }, body }));
    await verify(one);
    const { rateLimit } = await read(one);
    expect(rateLimit.multiplier).toBe(0.5);
    expect(Date.parse(rateLimit.pausedUntil as unknown as string)).toBeGreaterThan(
      one.clock.now().getTime() + 50_000,
    );
    one.clock.advance(60_000);
    expect(await verify(one)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('a connection’s circuit', () => {
  it('opens on a provider that is down, and closes when it is well', async () => {
    const one = await story();
    one.github.provider.next('GET /user', ...Array.from({ length: 15 }, () => answer({ status: 503 })));
    for (let n = 0; n < 5; n += 1) await verify(one);
    expect((await read(one)).circuit.state).toBe('OPEN');
    expect((await verify(one)).statusReason).toMatchObject({ code: 'circuit_open' });
    expect(one.github.provider.requests).toHaveLength(15);
    one.clock.advance(15_000);
    expect(await verify(one)).toMatchObject({ status: 'ACTIVE', statusReason: null });
    expect((await read(one)).circuit).toEqual({ state: 'CLOSED', openedAt: null, retryAt: null });
  });
});

describe('a budget', () => {
  it('is set, counts at once, is attested, and taken away again', async () => {
    const one = await story();
    const { caller, github, id } = one;
    const budget = { scope: 'CONNECTION', callsPerHour: 1, callsPerDay: null };
    expect(await setBudget(one, { connectionId: id, callsPerHour: 1 })).toEqual(budget);
    expect((await read(one)).callBudgets).toEqual([budget]);
    await verify(one);
    expect((await verify(one)).statusReason).toMatchObject({ code: 'budget_spent' });
    expect(github.provider.requests).toHaveLength(1);

    await setBudget(one, { connectionId: id });
    expect((await read(one)).callBudgets).toEqual([]);
    expect(await verify(one)).toMatchObject({ statusReason: null });
    const { receipts } = await caller.get(ReceiptsDocument);
    const ofBudgets = receipts.nodes.filter(({ operation }) => operation.startsWith('integration.budget'));
    expect(ofBudgets).toMatchObject([
      { operation: 'integration.budget.github.set', outcome: 'SUCCESS' },
      { operation: 'integration.budget.github.set', outcome: 'SUCCESS' },
    ]);
  });

  it('may be for a provider or for the whole tenant, and all of them count', async () => {
    const one = await story();
    await setBudget(one, { callsPerDay: 7 });
    await setBudget(one, { providerId: 'github', callsPerHour: 5 });
    await setBudget(one, { providerId: 'example', callsPerHour: 0 });
    await setBudget(one, { providerId: 'github', callsPerHour: 0, callsPerDay: 9 });
    expect((await read(one)).callBudgets).toEqual([
      { scope: 'TENANT', callsPerHour: null, callsPerDay: 7 },
      { scope: 'PROVIDER', callsPerHour: 0, callsPerDay: 9 },
    ]);
    expect((await verify(one)).statusReason).toMatchObject({ code: 'budget_spent' });
    expect(one.github.provider.requests).toEqual([]);
  });

  it('is one tenant’s alone', async () => {
    const one = await story();
    const other = await one.app.caller('other');
    expect(await codeOf(other, { connectionId: one.id, callsPerHour: 0 })).toBe('NOT_FOUND');
    await other.get(SetCallBudgetDocument, { input: { callsPerHour: 0 } });
    expect((await read(one)).callBudgets).toEqual([]);
    expect(await verify(one)).toMatchObject({ status: 'ACTIVE' });
  });

  it('needs an admin, and makes sense', async () => {
    const one = await story();
    const writer = await one.app.caller('acme', 'integrations:read integrations:write');
    expect(await codeOf(writer, { callsPerHour: 1 })).toBe('FORBIDDEN');
    const both = { connectionId: one.id, providerId: 'github', callsPerHour: 1 };
    expect(await codeOf(one.caller, both)).toBe('INVALID_INPUT');
    expect(await codeOf(one.caller, { callsPerHour: -1 })).toBe('INVALID_INPUT');
    expect(await codeOf(one.caller, { providerId: 'nobody', callsPerHour: 1 })).toBe('NOT_FOUND');
  });
});
