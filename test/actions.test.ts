import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ExecuteCommand } from '../src/action/execute.js';
import { LEASE_MS } from '../src/action/settle.js';
import { type Caller, scopes } from '../src/core/caller.js';
import { type TestApp, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer, drop, loseAnswer } from './support/fake-behavior.js';
import { type FakeGitHub, HEAD_SHA, startFakeGitHub } from './support/fake-github.js';

const COMMENTS = 'POST /repos/{owner}/{repo}/issues/{number}/comments';

const caller: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'corr-1' };

interface Story {
  readonly app: TestApp;
  readonly github: FakeGitHub;
  readonly clock: TestClock;
  readonly connectionId: string;
  comment(overrides?: Partial<ExecuteCommand>): ExecuteCommand;
}

/** A verified connection to a fake GitHub on a real socket. */
async function story(env: Record<string, string> = {}): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({
    clock,
    env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url, ...env },
  });
  const { connections } = app.app.services;
  const { connection } = await connections.connect(caller, {
    providerId: 'github',
    name: 'main',
    authMethod: 'BEARER',
    credential: { token: github.token },
  });
  await connections.verify(caller, connection.id);
  return {
    app,
    github,
    clock,
    connectionId: connection.id,
    comment: (overrides) => ({
      connectionId: connection.id,
      verb: 'commentOnPullRequest',
      input: { repository: 'octo/demo', number: 2, body: 'Looks good.' },
      idempotencyKey: randomUUID(),
      ...overrides,
    }),
  };
}

async function receiptsOf({ app }: Story, actionId: string): Promise<object[]> {
  return app.database.query(
    'select operation, outcome, actor, correlation_id, result from receipts where action_id = $1',
    [actionId],
  );
}

/** The name or the text of what was asked under a tenant. */
function askedFor(tenant: string, asked: string | { readonly name?: string; readonly values?: unknown[] }) {
  if (typeof asked === 'string') return asked.includes(`'${tenant}'`) ? [asked] : [];
  return asked.values?.[0] === tenant ? [asked.name] : [];
}

describe('executeAction', () => {
  it('does it, answers with the provider’s id and URL, and leaves one receipt', async () => {
    const s = await story();
    const action = await s.app.app.services.actions.execute(caller, s.comment());
    expect(action).toMatchObject({
      status: 'SUCCEEDED',
      attempts: 1,
      failure: null,
      result: {
        externalId: expect.stringMatching(/^\d+$/),
        url: expect.stringContaining('/octo/demo/pull/2#issuecomment-'),
      },
    });
    expect(s.github.provider.effects.get('comment')).toBe(1);
    expect(await receiptsOf(s, action.id)).toEqual([
      {
        operation: 'integration.action.github.comment_on_pull_request',
        outcome: 'SUCCESS',
        actor: 'ada',
        correlation_id: 'corr-1',
        result: expect.objectContaining({ status: 'SUCCEEDED', externalId: action.result?.externalId }),
      },
    ]);
  });

  it.each<[ExecuteCommand['verb'], Record<string, unknown>, string]>([
    ['createIssue', { project: 'octo/demo', title: 'Leak', body: 'It drips.' }, 'issue'],
    ['addIssueComment', { project: 'octo/demo', issue: '1', body: 'On it.' }, 'comment'],
    [
      'setCommitStatus',
      { repository: 'octo/demo', sha: HEAD_SHA, context: 'ci/pump', state: 'SUCCESS' },
      'status',
    ],
    [
      'mergePullRequest',
      { repository: 'octo/demo', number: 2, method: 'SQUASH', expectedHeadSha: HEAD_SHA },
      'merge',
    ],
  ])('%s works, too', async (verb, input, effect) => {
    const s = await story();
    const action = await s.app.app.services.actions.execute(caller, s.comment({ verb, input }));
    expect(action).toMatchObject({ status: 'SUCCEEDED', failure: null });
    expect(s.github.provider.effects.get(effect)).toBe(1);
  });

  it('repeated with the same key and body answers the same action; the order of fields does not matter', async () => {
    const s = await story();
    const { execute } = s.app.app.services.actions;
    const command = s.comment();
    const first = await execute(caller, command);
    const reordered = Object.fromEntries(Object.entries(command.input).toReversed());
    const second = await execute(caller, { ...command, input: reordered });
    expect(second.id).toBe(first.id);
    const upper = await execute(caller, { ...command, connectionId: command.connectionId.toUpperCase() });
    expect(upper.id).toBe(first.id);
    expect(s.github.provider.effects.get('comment')).toBe(1);
  });

  it('with a used key and another body is IDEMPOTENCY_CONFLICT', async () => {
    const s = await story();
    const { execute } = s.app.app.services.actions;
    const command = s.comment();
    await execute(caller, command);
    for (const other of [
      { input: { ...command.input, body: 'Other.' } },
      { verb: 'addIssueComment' as const, input: { project: 'octo/demo', issue: '2', body: 'x' } },
    ]) {
      await expect(execute(caller, { ...command, ...other })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
    }
    expect(s.github.provider.effects.get('comment')).toBe(1);
  });

  it('answers what a key stands for, whatever has become of the connection since', async () => {
    const s = await story();
    const { actions, connections } = s.app.app.services;
    const command = s.comment();
    const { id } = await actions.execute(caller, command);
    const other = { ...command, input: { ...command.input, body: 'Other.' } };
    for (const [become, code] of [
      ['suspend', 'CONNECTION_NOT_READY'],
      ['disconnect', 'NOT_FOUND'],
    ] as const) {
      await connections[become](caller, s.connectionId);
      await expect(actions.execute(caller, s.comment())).rejects.toMatchObject({ code });
      expect(await actions.execute(caller, command)).toMatchObject({ id, status: 'SUCCEEDED' });
      await expect(actions.execute(caller, other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    }
    expect(s.github.provider.effects.get('comment')).toBe(1);
  });

  it('asks the database four times before it answers', async () => {
    const s = await story();
    const { execute } = s.app.app.services.actions;
    // The first one reads what is kept for a moment, such as the credential.
    await execute(caller, s.comment());
    const spy = vi.spyOn(Client.prototype, 'query');
    onTestFinished(() => spy.mockRestore());
    await execute(caller, s.comment());
    expect(spy.mock.calls.flatMap(([asked]) => askedFor('acme', asked))).toEqual([
      'connection_read',
      'action_begin',
      'action_lease_holds',
      'action_settle',
    ]);
  });

  it('repeated many times at once, in two processes, has one effect and one answer', async () => {
    const s = await story();
    const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: s.github.provider.url };
    const second = await useTestApp({ beside: s.app, clock: s.clock, env });
    const command = s.comment();
    const apps = [s.app, second] as const;
    const actions = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        apps[n % 2 === 0 ? 0 : 1].app.services.actions.execute(caller, command),
      ),
    );
    expect(new Set(actions.map(({ id }) => id)).size).toBe(1);
    expect(actions.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(s.github.provider.effects.get('comment')).toBe(1);
    expect(await receiptsOf(s, actions[0]?.id ?? '')).toHaveLength(1);
  });

  it('answers at once with waitSeconds 0, and goes on by itself', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    const { id, status } = await actions.execute(caller, s.comment({ waitSeconds: 0 }));
    expect(status).toBe('RUNNING');
    await expect.poll(async () => (await actions.require(caller, { id })).status).toBe('SUCCEEDED');
  });

  it('gives the provider’s failure as data, with a receipt', async () => {
    const s = await story();
    s.github.provider.next(COMMENTS, answer({ status: 422, body: { message: 'Validation Failed' } }));
    const action = await s.app.app.services.actions.execute(caller, s.comment());
    expect(action).toMatchObject({
      status: 'FAILED',
      result: null,
      failure: { category: 'INVALID', providerStatus: 422, message: 'Validation Failed' },
    });
    expect(await receiptsOf(s, action.id)).toMatchObject([
      { outcome: 'FAILURE', result: { failure: { category: 'INVALID' } } },
    ]);
  });

  it('tells when a limit is over', async () => {
    const s = await story();
    const headers = { 'retry-after': '30' };
    s.github.provider.next(
      COMMENTS,
      answer({ status: 429, headers, body: { message: 'You have exceeded a secondary rate limit' } }),
    );
    const { status, failure } = await s.app.app.services.actions.execute(caller, s.comment());
    expect(status).toBe('RETRYING');
    expect(failure).toMatchObject({ category: 'RATE_LIMIT' });
    const wait = Date.parse(failure?.retryAt ?? '') - Date.now();
    expect(wait).toBeGreaterThan(25_000);
    expect(wait).toBeLessThanOrEqual(30_000);
  });
});

describe('an action whose answer is lost', () => {
  it.each<[ExecuteCommand['verb'], Record<string, unknown>, string, string]>([
    ['commentOnPullRequest', { repository: 'octo/demo', number: 2, body: 'Hm.' }, COMMENTS, 'comment'],
    ['createIssue', { project: 'octo/demo', title: 'Leak' }, 'POST /repos/{owner}/{repo}/issues', 'issue'],
    [
      'mergePullRequest',
      { repository: 'octo/demo', number: 2 },
      'PUT /repos/{owner}/{repo}/pulls/{number}/merge',
      'merge',
    ],
  ])('%s: is found at the provider and has one effect', async (verb, input, route, effect) => {
    const s = await story();
    s.github.provider.next(route, loseAnswer());
    const action = await s.app.app.services.actions.execute(caller, s.comment({ verb, input }));
    expect(action).toMatchObject({
      status: 'SUCCEEDED',
      attempts: 1,
      result: { externalId: expect.any(String) },
    });
    expect(s.github.provider.effects.get(effect)).toBe(1);
    expect(await receiptsOf(s, action.id)).toHaveLength(1);
  });

  it('and which had no effect is sent again, but only after nothing can be on its way any more', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    s.github.provider.next(COMMENTS, drop());
    const action = await actions.execute(caller, s.comment());
    expect(action).toMatchObject({ status: 'RETRYING', attempts: 1, failure: { category: 'NETWORK' } });
    expect(await receiptsOf(s, action.id)).toEqual([]);
    expect(await actions.recover()).toBe(0);
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    expect(await actions.recover()).toBe(1);
    expect(await actions.require(caller, { id: action.id })).toMatchObject({
      status: 'SUCCEEDED',
      attempts: 2,
    });
    expect(s.github.provider.effects.get('comment')).toBe(1);
    expect(await receiptsOf(s, action.id)).toHaveLength(1);
  });

  it('and whose effect appears late is found, not doubled', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    // The provider takes its time: it does it, but the first look does not show it yet.
    s.github.provider.next(COMMENTS, loseAnswer());
    s.github.provider.next(
      'GET /repos/{owner}/{repo}/issues/{number}/comments',
      answer({ status: 200, body: [] }),
    );
    const action = await actions.execute(caller, s.comment());
    expect(action.status).toBe('RETRYING');
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    await actions.recover();
    expect(await actions.require(caller, { id: action.id })).toMatchObject({ status: 'SUCCEEDED' });
    expect(s.github.provider.effects.get('comment')).toBe(1);
  });

  it('and can’t be looked into ends UNCONFIRMED, never in a silent second try', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    const unavailable = answer({ status: 503, body: { message: 'down' } });
    s.github.provider.next(COMMENTS, loseAnswer());
    s.github.provider.next(
      'GET /repos/{owner}/{repo}/issues/{number}/comments',
      ...Array.from({ length: 30 }, () => unavailable),
    );
    const { id } = await actions.execute(caller, s.comment());
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      s.clock.advance(LEASE_MS + 1);
      await s.app.database.endLeases();
      expect(await actions.recover()).toBe(1);
    }
    expect(await actions.require(caller, { id })).toMatchObject({ status: 'UNCONFIRMED', attempts: 5 });
    expect(s.github.provider.effects.get('comment')).toBe(1);
    expect(await receiptsOf(s, id)).toMatchObject([{ outcome: 'UNCONFIRMED' }]);
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    expect(await actions.recover()).toBe(0);
  });

  it('because its process died is taken over by one other process', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    s.github.provider.next(COMMENTS, loseAnswer());
    s.github.provider.next(
      'GET /repos/{owner}/{repo}/issues/{number}/comments',
      answer({ status: 200, body: [] }),
    );
    const { id } = await actions.execute(caller, s.comment());
    // As a kill leaves it: running, under a lease that nobody will renew.
    await s.app.database.query(
      `update actions set status = 'RUNNING', lease_owner = $2, failure = null where id = $1`,
      [id, randomUUID()],
    );
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: s.github.provider.url };
    const others = [s.app, await useTestApp({ beside: s.app, clock: s.clock, env })];
    const taken = await Promise.all(others.map(({ app }) => app.services.actions.recover()));
    expect(taken.toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(await actions.require(caller, { id })).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
    expect(s.github.provider.effects.get('comment')).toBe(1);
  });

  it('is settled by who holds the lease, not by a late comer', async () => {
    const s = await story();
    const { actions } = s.app.app.services;
    let release = (): void => {};
    s.github.provider.next(COMMENTS, async ({ perform, send }) => {
      const done = perform();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      send(done);
    });
    const { id } = await actions.execute(caller, s.comment({ waitSeconds: 0 }));
    await s.github.provider.waitForRequest(COMMENTS);
    s.clock.advance(LEASE_MS + 1);
    await s.app.database.endLeases();
    const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: s.github.provider.url };
    const other = await useTestApp({ beside: s.app, clock: s.clock, env });
    expect(await other.app.services.actions.recover()).toBe(1);
    release();
    await actions.drain();
    expect(await actions.require(caller, { id })).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
    expect(s.github.provider.effects.get('comment')).toBe(1);
    expect(await receiptsOf(s, id)).toHaveLength(1);
  });
});

describe('an action that can’t be', () => {
  it.each<[string, string, Partial<ExecuteCommand>]>([
    ['an unknown connection', 'NOT_FOUND', { connectionId: randomUUID() }],
    ['a connection id that is none', 'NOT_FOUND', { connectionId: 'x' }],
    ['an empty key', 'INVALID_INPUT', { idempotencyKey: '' }],
    ['an endless key', 'INVALID_INPUT', { idempotencyKey: 'x'.repeat(256) }],
    ['an endless wait', 'INVALID_INPUT', { waitSeconds: 3_600 }],
    ['a missing field', 'INVALID_INPUT', { input: { repository: 'octo/demo', number: 2 } }],
    [
      'an unknown field',
      'INVALID_INPUT',
      { input: { repository: 'octo/demo', number: 2, body: 'x', color: 'red' } },
    ],
    [
      'a field of the wrong type',
      'INVALID_INPUT',
      { input: { repository: 'octo/demo', number: 'two', body: 'x' } },
    ],
    ['a repository that is none', 'INVALID_INPUT', { input: { repository: 'demo', number: 2, body: 'x' } }],
    ['a key with NUL', 'INVALID_INPUT', { idempotencyKey: 'a\0b' }],
    ['a key with half a character', 'INVALID_INPUT', { idempotencyKey: 'a\ud800' }],
    ['an unknown verb', 'INVALID_INPUT', { verb: 'launchRocket' as never }],
  ])('%s: %s, and nothing is sent', async (_name, code, overrides) => {
    const s = await story();
    const before = s.github.provider.requests.length;
    await expect(s.app.app.services.actions.execute(caller, s.comment(overrides))).rejects.toMatchObject({
      code,
    });
    expect(s.github.provider.requests).toHaveLength(before);
    expect(await s.app.database.query('select count(*)::int as n from actions')).toEqual([{ n: 0 }]);
  });

  it.each<[string, string, object]>([
    ['half a surrogate pair', 'action.commentOnPullRequest.body', { body: 'x\ud800' }],
    ['a name with one', 'action.commentOnPullRequest.…', { body: 'x', '\udc00': 'x' }],
    [
      'a hundred levels and more',
      `action.commentOnPullRequest.body${'.0'.repeat(100)}`,
      { body: JSON.parse('['.repeat(1_000) + ']'.repeat(1_000)) as unknown },
    ],
    ['an infinite number', 'action.commentOnPullRequest.number', { body: 'x', number: Infinity }],
  ])('%s is INVALID_INPUT that names the field', async (_name, field, wrong) => {
    const s = await story();
    const input = { repository: 'octo/demo', number: 2, ...wrong };
    await expect(s.app.app.services.actions.execute(caller, s.comment({ input }))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: expect.arrayContaining([expect.objectContaining({ field })]) },
    });
  });

  it('another tenant’s connection: NOT_FOUND, like one that does not exist', async () => {
    const s = await story();
    const stranger = { ...caller, tenantId: 'globex' };
    const { execute } = s.app.app.services.actions;
    const foreign = await execute(stranger, s.comment()).catch((error: unknown) => error);
    const unknown = await execute(stranger, s.comment({ connectionId: randomUUID() })).catch(
      (error: unknown) => error,
    );
    expect(foreign).toMatchObject({ code: 'NOT_FOUND' });
    expect(String(foreign)).toBe(String(unknown));
  });

  it('the same key in two tenants is two actions', async () => {
    const s = await story();
    const command = s.comment();
    await s.app.app.services.actions.execute(caller, command);
    const stranger = { ...caller, tenantId: 'globex' };
    await expect(s.app.app.services.actions.execute(stranger, command)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('a connection that is not verified: CONNECTION_NOT_READY', async () => {
    const s = await story();
    await s.app.database.query(`update connections set status = 'ERROR'`);
    await expect(s.app.app.services.actions.execute(caller, s.comment())).rejects.toMatchObject({
      code: 'CONNECTION_NOT_READY',
      details: { status: 'ERROR' },
    });
  });

  it('a credential without the scope: PROVIDER_SCOPE_MISSING, naming it', async () => {
    const s = await story();
    await s.app.database.query(`update connections set granted_scopes = '{read:user}'`);
    await expect(s.app.app.services.actions.execute(caller, s.comment())).rejects.toMatchObject({
      code: 'PROVIDER_SCOPE_MISSING',
      message: expect.stringContaining('repo'),
    });
  });
});
