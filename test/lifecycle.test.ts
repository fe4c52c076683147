import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  ConnectionsDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  ReceiptsDocument,
  ResumeDocument,
  RotateDocument,
  type RotateInput,
  SignalsDocument,
  SuspendDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { connectionStatuses, transitions } from '../src/connection/status.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly hook: Hook;
  readonly connectionId: string;
}

/** A connection to a fake GitHub, verified. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  const hook = await connectGitHub(caller, 'main', github.token);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  return { app, clock, github, caller, hook, connectionId: hook.connectionId };
}

async function send({ url, secret }: Pick<Hook, 'url' | 'secret'>): Promise<number> {
  return (await post(url, await githubDelivery('ping', { zen: randomUUID() }, secret))).status;
}

/** Caches of endpoints hear of a change a moment after it is committed. */
function expectStatus(hook: Pick<Hook, 'url' | 'secret'>, status: number): Promise<void> {
  return expect.poll(() => send(hook)).toBe(status);
}

async function operations(caller: TestCaller): Promise<string[]> {
  const { receipts } = await caller.get(ReceiptsDocument);
  return receipts.nodes.map(({ operation, outcome }) => `${operation.split('.').at(-1)} ${outcome}`);
}

const comment = (connectionId: string) => ({
  input: {
    connectionId,
    idempotencyKey: randomUUID(),
    action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } },
  },
});

async function rotate({ caller, connectionId }: Story, input: Omit<RotateInput, 'connectionId'>) {
  return (await caller.get(RotateDocument, { input: { connectionId, ...input } })).rotate;
}

describe('the table of transitions', () => {
  it('leads from every status but DELETED to DELETED, and out of DELETED nowhere', () => {
    const from = Object.values(transitions).flatMap((transition) => [...transition.from] as string[]);
    expect(from).not.toContain('DELETED');
    const alive = connectionStatuses.filter((status) => status !== 'DELETED');
    expect(([...transitions.disconnected.from] as string[]).toSorted()).toEqual(alive.toSorted());
  });
});

describe('suspend and resume', () => {
  it('stop actions and webhooks, and take them up again once the credential has proven to work', async () => {
    const s = await story();
    const { suspend } = await s.caller.get(SuspendDocument, {
      connectionId: s.connectionId,
      reason: 'Audit.',
    });
    expect(suspend).toMatchObject({
      status: 'SUSPENDED',
      statusReason: { code: 'suspended', message: 'Audit. Resume it to go on.' },
    });
    await expectStatus(s.hook, 409);
    const refused = await s.caller.ask(ExecuteActionDocument, comment(s.connectionId));
    expect(refused.errors[0]?.extensions).toMatchObject({
      code: 'CONNECTION_NOT_READY',
      details: { status: 'SUSPENDED' },
    });

    s.github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    const { resume: still } = await s.caller.get(ResumeDocument, { connectionId: s.connectionId });
    expect(still).toMatchObject({
      status: 'SUSPENDED',
      statusReason: { message: expect.stringContaining('rotate') },
    });

    const { resume } = await s.caller.get(ResumeDocument, { connectionId: s.connectionId });
    expect(resume).toMatchObject({ status: 'ACTIVE', statusReason: null });
    await expectStatus(s.hook, 202);
    expect((await s.caller.get(ExecuteActionDocument, comment(s.connectionId))).executeAction.status).toBe(
      'SUCCEEDED',
    );
    expect((await operations(s.caller)).slice(1, 4)).toEqual([
      'resume SUCCESS',
      'resume FAILURE',
      'suspend SUCCESS',
    ]);
  });

  it('suspending twice changes nothing; what runs can’t be resumed', async () => {
    const s = await story();
    const resumed = await s.caller.ask(ResumeDocument, { connectionId: s.connectionId });
    expect(resumed.errors[0]?.extensions.code).toBe('CONNECTION_NOT_READY');
    await s.caller.get(SuspendDocument, { connectionId: s.connectionId });
    await s.caller.get(SuspendDocument, { connectionId: s.connectionId });
    expect(await operations(s.caller)).toEqual(['suspend SUCCESS', 'verify SUCCESS', 'connect SUCCESS']);
  });

  it('a verification under way does not undo a suspension', async () => {
    const s = await story();
    let release = (): void => {};
    s.github.provider.next('GET /user', async ({ perform, send: reply }) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reply(perform());
    });
    const verifying = s.caller.get(VerifyDocument, { connectionId: s.connectionId });
    await expect.poll(() => s.github.provider.requests.length).toBe(2);
    await s.caller.get(SuspendDocument, { connectionId: s.connectionId });
    release();
    expect((await verifying).verify.status).toBe('SUSPENDED');
  });
});

describe('disconnect', () => {
  it('deletes the secrets, frees the name, keeps the history, and is as if it had never been by its id', async () => {
    const s = await story();
    await send(s.hook);
    const { disconnect } = await s.caller.get(DisconnectDocument, { connectionId: s.connectionId });
    expect(disconnect.status).toBe('DELETED');
    await expectStatus(s.hook, 404);
    for (const table of ['credentials', 'webhook_endpoints']) {
      expect(await s.app.database.query(`select * from ${table}`)).toEqual([]);
    }
    const unknown = randomUUID();
    for (const document of [
      ConnectionDocument,
      VerifyDocument,
      SuspendDocument,
      ResumeDocument,
      DisconnectDocument,
    ]) {
      const ask = (id: string) =>
        s.caller.ask(document as typeof ConnectionDocument, { id, connectionId: id } as never);
      const [gone, never] = [await ask(s.connectionId), await ask(unknown)];
      expect(gone.errors[0]?.extensions.code).toBe('NOT_FOUND');
      expect(gone).toMatchObject({ data: never.data, errors: never.errors });
    }
    const action = await s.caller.ask(ExecuteActionDocument, comment(s.connectionId));
    expect(action.errors[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await s.caller.get(ConnectionsDocument)).connections.nodes).toEqual([]);

    const { signals } = await s.caller.get(SignalsDocument);
    // What comes while processes hear of it may still be taken.
    const ping = { type: 'webhook_ping', connection: { id: s.connectionId, name: 'main' } };
    expect(signals.nodes.length).toBeGreaterThan(0);
    expect(signals.nodes).toMatchObject(signals.nodes.map(() => ping));
    expect(await operations(s.caller)).toContain('disconnect SUCCESS');
    await expect(connectGitHub(s.caller, 'main', s.github.token)).resolves.toBeDefined();
  });
});

describe('rotate CREDENTIAL', () => {
  it('tries the new one first, swaps it in, and works on with it', async () => {
    const s = await story();
    const { connection, failure } = await rotate(s, {
      what: 'CREDENTIAL',
      credential: { token: s.github.token },
    });
    expect(failure).toBeNull();
    expect(connection).toMatchObject({ status: 'ACTIVE', credential: { version: 2 } });
    expect((await s.caller.get(ExecuteActionDocument, comment(s.connectionId))).executeAction.status).toBe(
      'SUCCEEDED',
    );
    expect((await operations(s.caller))[1]).toBe('rotate SUCCESS');
  });

  it('that the provider refuses changes nothing: working stays working', async () => {
    const s = await story();
    const { connection, failure } = await rotate(s, {
      what: 'CREDENTIAL',
      credential: { token: 'ghp_wrong' },
    });
    expect(failure).toMatchObject({ category: 'AUTH' });
    expect(connection).toMatchObject({ status: 'ACTIVE', credential: { version: 1 } });
    expect((await s.caller.get(ExecuteActionDocument, comment(s.connectionId))).executeAction.status).toBe(
      'SUCCEEDED',
    );
    expect((await operations(s.caller))[1]).toBe('rotate FAILURE');
  });

  it('mends a connection whose credential was refused', async () => {
    const s = await story();
    s.github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    const { verify } = await s.caller.get(VerifyDocument, { connectionId: s.connectionId });
    expect(verify.status).toBe('ERROR');
    const { connection } = await rotate(s, { what: 'CREDENTIAL', credential: { token: s.github.token } });
    expect(connection.status).toBe('ACTIVE');
  });

  it('of another account is refused', async () => {
    const s = await story();
    const other = { id: 99, login: 'mallory', html_url: 'https://github.com/mallory' };
    s.github.provider.next('GET /user', answer({ status: 200, body: other }));
    const { connection, failure } = await rotate(s, {
      what: 'CREDENTIAL',
      credential: { token: s.github.token },
    });
    expect(failure).toMatchObject({ category: 'INVALID', code: 'other_account' });
    expect(connection.credential?.version).toBe(1);
  });

  it('two at once: one wins, the other is told', async () => {
    const s = await story();
    const input = {
      connectionId: s.connectionId,
      what: 'CREDENTIAL',
      credential: { token: s.github.token },
    } as const;
    const release: (() => void)[] = [];
    const hold = async ({ perform, send: reply }: { perform(): never; send(answer: never): void }) => {
      await new Promise<void>((resolve) => release.push(resolve));
      reply(perform());
    };
    s.github.provider.next('GET /user', hold as never, hold as never);
    const both = Promise.all([
      s.caller.ask(RotateDocument, { input }),
      s.caller.ask(RotateDocument, { input }),
    ]);
    await expect.poll(() => release.length).toBe(2);
    for (const go of release) go();
    const answers = await both;
    expect(answers.map(({ errors }) => errors[0]?.extensions.code ?? 'ok').toSorted()).toEqual([
      'CONFLICT',
      'ok',
    ]);
  });

  it('needs a credential in the provider’s form', async () => {
    const s = await story();
    for (const credential of [undefined, {}, { password: 'x' }]) {
      const refused = await s.caller.ask(RotateDocument, {
        input: { connectionId: s.connectionId, what: 'CREDENTIAL', ...(credential && { credential }) },
      });
      expect(refused.errors[0]?.extensions.code).toBe('INVALID_INPUT');
    }
  });
});

describe('rotate a webhook', () => {
  it('WEBHOOK_SECRET: old and new count until the overlap is over, then only the new', async () => {
    const s = await story();
    const { webhook, connection } = await rotate(s, { what: 'WEBHOOK_SECRET', overlapSeconds: 600 });
    expect(webhook?.url).toBe(s.hook.url);
    expect(webhook?.secret).not.toBe(s.hook.secret);
    expect(connection.webhook?.previousSecretUntil).toBeTruthy();
    const renewed = { url: s.hook.url, secret: webhook?.secret ?? '' };
    await expectStatus(renewed, 202);
    expect(await send(s.hook)).toBe(202);
    s.clock.advance(600_001);
    expect(await send(s.hook)).toBe(401);
    expect(await send(renewed)).toBe(202);
  });

  it('WEBHOOK_TOKEN: old and new URL count until the overlap is over, then only the new', async () => {
    const s = await story();
    const { webhook } = await rotate(s, { what: 'WEBHOOK_TOKEN', overlapSeconds: 600 });
    expect(webhook?.secret).toBeNull();
    expect(webhook?.url).not.toBe(s.hook.url);
    const renewed = { url: webhook?.url ?? '', secret: s.hook.secret };
    await expectStatus(renewed, 202);
    expect(await send(s.hook)).toBe(202);
    s.clock.advance(600_001);
    await expectStatus(s.hook, 404);
    expect(await send(renewed)).toBe(202);
    const { connection } = await s.caller.get(ConnectionDocument, { id: s.connectionId });
    expect(connection?.webhook?.url).toBe(webhook?.url);
  });

  it('without an overlap ends the old one at once', async () => {
    const s = await story();
    const { webhook } = await rotate(s, { what: 'WEBHOOK_SECRET', overlapSeconds: 0 });
    await expectStatus(s.hook, 401);
    expect(await send({ url: s.hook.url, secret: webhook?.secret ?? '' })).toBe(202);
  });

  it('one delivery under both secrets is one delivery', async () => {
    const s = await story();
    const { webhook } = await rotate(s, { what: 'WEBHOOK_SECRET' });
    const id = randomUUID();
    await expectStatus({ url: s.hook.url, secret: webhook?.secret ?? '' }, 202);
    const payload = { zen: 'x' };
    const first = await post(s.hook.url, await githubDelivery('ping', payload, s.hook.secret, id));
    const second = await post(s.hook.url, await githubDelivery('ping', payload, webhook?.secret ?? '', id));
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body).toEqual(first.body);
  });

  it('needs a webhook, and an overlap within reason', async () => {
    const s = await story();
    const { connect } = await s.caller.get(ConnectDocument, {
      input: {
        providerId: 'github',
        name: 'no hook',
        authMethod: 'BEARER',
        credential: { token: 'x' },
        capabilities: ['ACTIONS'],
      },
    });
    const none = await s.caller.ask(RotateDocument, {
      input: { connectionId: connect.connection.id, what: 'WEBHOOK_SECRET' },
    });
    expect(none.errors[0]?.extensions.code).toBe('UNSUPPORTED');
    const endless = await s.caller.ask(RotateDocument, {
      input: { connectionId: s.connectionId, what: 'WEBHOOK_SECRET', overlapSeconds: 10_000_000 },
    });
    expect(endless.errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: [{ field: 'overlapSeconds' }] },
    });
  });
});

describe('updateConnection', () => {
  it('changes what is given, and only that', async () => {
    const s = await story();
    const input = { connectionId: s.connectionId, description: 'Ours', tags: ['a', 'b', 'a'] };
    const { updateConnection } = await s.caller.get(UpdateConnectionDocument, { input });
    expect(updateConnection).toMatchObject({ name: 'main', description: 'Ours', tags: ['a', 'b'] });
    const { updateConnection: again } = await s.caller.get(UpdateConnectionDocument, {
      input: { connectionId: s.connectionId, name: 'renamed', description: null },
    });
    expect(again).toMatchObject({ name: 'renamed', description: null, tags: ['a', 'b'] });
    expect((await operations(s.caller)).slice(0, 2)).toEqual(['update SUCCESS', 'update SUCCESS']);
  });

  it('does not take a name that is taken', async () => {
    const s = await story();
    await connectGitHub(s.caller, 'other');
    const taken = await s.caller.ask(UpdateConnectionDocument, {
      input: { connectionId: s.connectionId, name: 'other' },
    });
    expect(taken.errors[0]?.extensions.code).toBe('NAME_TAKEN');
    expect((await operations(s.caller))[0]).toBe('connect SUCCESS');
  });
});

it('another tenant’s connection can’t be touched by any of it', async () => {
  const s = await story();
  const stranger = await s.app.caller('globex');
  const id = { connectionId: s.connectionId };
  const answers = [
    await stranger.ask(SuspendDocument, id),
    await stranger.ask(ResumeDocument, id),
    await stranger.ask(DisconnectDocument, id),
    await stranger.ask(UpdateConnectionDocument, { input: { ...id, name: 'mine' } }),
    await stranger.ask(RotateDocument, { input: { ...id, what: 'WEBHOOK_SECRET' } }),
    await stranger.ask(RotateDocument, { input: { ...id, what: 'CREDENTIAL', credential: { token: 'x' } } }),
  ];
  expect(answers.map(({ errors }) => errors[0]?.extensions.code)).toEqual(answers.map(() => 'NOT_FOUND'));
  expect(await send(s.hook)).toBe(202);
});
