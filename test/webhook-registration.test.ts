import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  DisconnectDocument,
  ReceiptsDocument,
  RegisterWebhookDocument,
  type RotateInput,
  RotateDocument,
  SecretAccessesDocument,
  SignalsDocument,
  UnregisterWebhookDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { answer, hang, loseAnswer } from './support/fake-behavior.js';
import { type FakeGitHub, githubError, startFakeGitHub } from './support/fake-github.js';
import type { Behavior } from './support/fake-provider.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly connectionId: string;
}

const CREATE = 'POST /repos/{owner}/{repo}/hooks';
const CONFIGURE = 'PATCH /repos/{owner}/{repo}/hooks/{id}/config';
const REMOVE = 'DELETE /repos/{owner}/{repo}/hooks/{id}';
const demo = { repository: 'octo/demo' };

/** A connection to a fake GitHub, verified. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  const { connectionId } = await connectGitHub(caller, 'main', github.token);
  await caller.get(VerifyDocument, { connectionId });
  return { app, clock, github, caller, connectionId };
}

async function register({ caller, connectionId }: Story, target: object = demo, signalTypes?: string[]) {
  const input = { connectionId, target: { ...target }, ...(signalTypes && { signalTypes }) };
  return (await caller.get(RegisterWebhookDocument, { input })).registerWebhook;
}

async function rotate({ caller, connectionId }: Story, input: Omit<RotateInput, 'connectionId'>) {
  return (await caller.get(RotateDocument, { input: { connectionId, ...input } })).rotate;
}

async function registrationsOf({ caller, connectionId }: Story) {
  const { connection } = await caller.get(ConnectionDocument, { id: connectionId });
  return connection?.webhook?.registrations;
}

async function newestReceipt({ caller }: Story) {
  const { receipts } = await caller.get(ReceiptsDocument);
  const { operation, outcome, request, result } = receipts.nodes[0]!;
  return { verb: operation.split('.').at(-1), outcome, request, result };
}

/** What GitHub has, and what comes of its telling us of a push. */
const hooksAt = ({ github }: Story) => github.hooks.all;
const push = ({ github }: Story) =>
  github.hooks.deliver('push', { ref: 'refs/heads/main', after: randomUUID(), repository: { id: 1 } });

/** Lets a request wait, before or after it has taken effect, until it is released. */
function gate(when: 'before' | 'after'): { readonly behavior: Behavior; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    release: resolve,
    async behavior({ perform, send }) {
      const early = when === 'after' ? perform() : undefined;
      await promise;
      send(early ?? perform());
    },
  };
}

describe('registerWebhook', () => {
  it('sets the webhook up with our URL and secret, and GitHub’s ping is taken', async () => {
    const s = await story();
    const { registration, failure } = await register(s);
    expect(failure).toBeNull();
    const [hook] = hooksAt(s);
    expect(hook?.config).toMatchObject({ content_type: 'json', insecure_ssl: '0' });
    expect(registration).toMatchObject({ target: demo, externalId: String(hook?.id) });
    expect(hook?.events).toEqual(registration?.events);
    expect(hook?.events).toEqual(expect.arrayContaining(['push', 'pull_request', 'issues', 'workflow_run']));
    for (const event of ['*', 'ping', 'installation', 'organization'])
      expect(hook?.events).not.toContain(event);

    await expect.poll(() => hook?.lastStatus).toBe(202);
    expect(await push(s)).toEqual([202]);
    const { signals } = await s.caller.get(SignalsDocument);
    expect(signals.nodes.map(({ type }) => type).toSorted()).toEqual(['push', 'webhook_ping']);
    expect(await registrationsOf(s)).toEqual([registration]);
    expect(await newestReceipt(s)).toMatchObject({
      verb: 'register_webhook',
      outcome: 'SUCCESS',
      request: { target: demo },
      result: { external_id: String(hook?.id) },
    });
    const accesses = async () => {
      const { connection } = await s.caller.get(SecretAccessesDocument, { connectionId: s.connectionId });
      const nodes = connection?.secretAccesses.nodes ?? [];
      return nodes.filter(({ purpose }) => purpose === 'register_webhook').map(({ field }) => field);
    };
    await expect.poll(async () => (await accesses()).toSorted()).toEqual(['CREDENTIAL', 'WEBHOOK_SECRET']);
  });

  it('a second time brings the same webhook into line', async () => {
    const s = await story();
    const first = await register(s);
    const second = await register(s, demo, ['pr_opened', 'pr_merged', 'issue_created']);
    expect(second.registration).toMatchObject({
      id: first.registration?.id,
      events: ['issues', 'pull_request'],
    });
    const third = await register(s, demo, ['push']);
    expect(third.registration?.id).toBe(first.registration?.id);
    expect(hooksAt(s).map(({ events }) => events)).toEqual([['push']]);

    // Taken away by hand: a new one takes its place, here as well.
    await fetch(`${s.github.provider.url}/repos/octo/demo/hooks/${third.registration?.externalId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${s.github.token}`, 'user-agent': 'a person' },
    });
    const fourth = await register(s);
    expect(hooksAt(s).map(({ id }) => String(id))).toEqual([fourth.registration?.externalId]);
    expect(await registrationsOf(s)).toEqual([fourth.registration]);
  });

  it('two at once make one', async () => {
    const s = await story();
    const held = gate('before');
    s.github.provider.next(CREATE, held.behavior);
    const slow = register(s);
    await s.github.provider.waitForRequest(CREATE);
    const fast = await register(s);
    held.release();
    expect((await slow).registration?.id).toBe(fast.registration?.id);
    expect(hooksAt(s)).toHaveLength(1);
  });

  it('whose answer was lost is told as a failure, and repeated without a second webhook', async () => {
    const s = await story();
    s.github.provider.next(CREATE, loseAnswer());
    const lost = await register(s);
    expect(lost).toMatchObject({ registration: null, failure: { category: 'NETWORK' } });
    expect(await newestReceipt(s)).toMatchObject({ verb: 'register_webhook', outcome: 'UNCONFIRMED' });
    const { registration } = await register(s);
    expect(hooksAt(s).map(({ id }) => String(id))).toEqual([registration?.externalId]);
    expect(await push(s)).toEqual([202]);
  });

  it('that GitHub refuses is a failure as data', async () => {
    const s = await story();
    for (const [status, category, code] of [
      [403, 'AUTH', 'forbidden'],
      [404, 'NOT_FOUND', 'not_found'],
      [422, 'INVALID', 'validation_failed'],
    ] as const) {
      s.github.provider.next(CREATE, answer(githubError(status)));
      const { registration, failure } = await register(s);
      expect(registration).toBeNull();
      expect(failure).toMatchObject({ category, code, providerStatus: status });
      expect(await newestReceipt(s)).toMatchObject({ outcome: 'FAILURE', result: { reason: code } });
    }
    expect(await registrationsOf(s)).toEqual([]);
  });

  it('of an organization needs its scope, and brings what no repository sends', async () => {
    const s = await story();
    expect((await register(s, { organization: 'octo' })).failure).toMatchObject({ category: 'NOT_FOUND' });
    s.github.grant('admin:org_hook');
    const { registration } = await register(s, { organization: 'octo' }, ['user_created', 'push']);
    expect(registration?.events).toEqual(['organization', 'push']);
    const { failure } = await register(s, demo, ['user_created']);
    expect(failure).toMatchObject({ category: 'INVALID', code: 'no_events' });
  });

  it('refuses what can’t be meant', async () => {
    const s = await story();
    const { connectionId } = s;
    const codeOf = async (input: object) =>
      (await s.caller.ask(RegisterWebhookDocument, { input: { connectionId, target: demo, ...input } }))
        .errors[0]?.extensions.code;
    expect(await codeOf({ target: {} })).toBe('INVALID_INPUT');
    expect(await codeOf({ target: { repository: 'demo' } })).toBe('INVALID_INPUT');
    expect(await codeOf({ target: { ...demo, organization: 'octo' } })).toBe('INVALID_INPUT');
    expect(await codeOf({ signalTypes: [] })).toBe('INVALID_INPUT');
    expect(await codeOf({ signalTypes: ['provider_event'] })).toBe('INVALID_INPUT');
    const connect = async (capabilities: ('ACTIONS' | 'WEBHOOK')[]) => {
      const credential = { token: s.github.token };
      const of = { providerId: 'github', authMethod: 'BEARER', credential, capabilities } as const;
      const made = await s.caller.get(ConnectDocument, { input: { ...of, name: randomUUID() } });
      return made.connect.connection.id;
    };
    const [unverified, deaf] = [await connect(['WEBHOOK']), await connect(['ACTIONS'])];
    expect(await codeOf({ connectionId: unverified })).toBe('CONNECTION_NOT_READY');
    await s.caller.get(VerifyDocument, { connectionId: deaf });
    expect(await codeOf({ connectionId: deaf })).toBe('UNSUPPORTED');
    expect(hooksAt(s)).toEqual([]);
  });

  it('takes back at GitHub what it can’t store', async () => {
    const s = await story();
    const registering = async (meanwhile: () => Promise<unknown>) => {
      const held = gate('after');
      const asked = s.github.provider.requests.length;
      s.github.provider.next(CREATE, held.behavior);
      const input = { connectionId: s.connectionId, target: demo };
      const answering = s.caller.ask(RegisterWebhookDocument, { input });
      await s.github.provider.waitForRequest(
        (request) => request.method === 'POST' && s.github.provider.requests.indexOf(request) >= asked,
      );
      await meanwhile();
      held.release();
      return (await answering).errors[0]?.extensions.code;
    };
    expect(await registering(() => rotate(s, { what: 'WEBHOOK_SECRET' }))).toBe('CONFLICT');
    expect(hooksAt(s)).toEqual([]);
    const { connectionId } = s;
    expect(await registering(() => s.caller.get(DisconnectDocument, { connectionId }))).toBe('NOT_FOUND');
    expect(hooksAt(s)).toEqual([]);
  });
});

describe('rotate', () => {
  it('WEBHOOK_SECRET tells GitHub, and what it signs anew is taken after the overlap too', async () => {
    const s = await story();
    await register(s);
    const before = hooksAt(s)[0]!.config;
    const { webhook, registrationFailures } = await rotate(s, { what: 'WEBHOOK_SECRET', overlapSeconds: 60 });
    expect(registrationFailures).toEqual([]);
    expect(hooksAt(s)[0]!.config).toEqual({ ...before, secret: webhook?.secret });
    await expect.poll(() => push(s)).toEqual([202]);
    s.clock.advance(60_001);
    expect(await push(s)).toEqual([202]);
    expect(await newestReceipt(s)).toMatchObject({ verb: 'update_webhooks', outcome: 'SUCCESS' });
  });

  it('WEBHOOK_TOKEN tells GitHub the new URL, and leaves the events alone', async () => {
    const s = await story();
    await register(s, demo, ['push']);
    const { webhook } = await rotate(s, { what: 'WEBHOOK_TOKEN', overlapSeconds: 60 });
    expect(hooksAt(s)).toMatchObject([{ events: ['push'], config: { url: webhook?.url } }]);
    s.clock.advance(60_001);
    await expect.poll(() => push(s)).toEqual([202]);
  });

  it('stands when GitHub refuses: both count for the overlap, and who has to act is told', async () => {
    const s = await story();
    const { registration } = await register(s);
    s.github.provider.next(CONFIGURE, answer(githubError(403)));
    const { webhook, registrationFailures } = await rotate(s, { what: 'WEBHOOK_TOKEN', overlapSeconds: 60 });
    expect(registrationFailures).toMatchObject([
      { registration: { id: registration?.id, target: demo }, failure: { category: 'AUTH' } },
    ]);
    expect(await newestReceipt(s)).toMatchObject({
      verb: 'update_webhooks',
      outcome: 'FAILURE',
      result: { failed: [{ external_id: registration?.externalId, reason: 'forbidden' }] },
    });
    expect(await push(s)).toEqual([202]);
    const ping = await githubDelivery('ping', {}, hooksAt(s)[0]!.config.secret!);
    await expect.poll(async () => (await post(webhook!.url, ping)).status).toBeLessThan(300);

    // The same webhook, although its URL is one of before.
    await register(s);
    expect(hooksAt(s)).toMatchObject([{ config: { url: webhook?.url } }]);
    s.clock.advance(60_001);
    expect(await push(s)).toEqual([202]);
  });

  it('shows the new secret, whatever breaks after it counts', async () => {
    const s = await story();
    const { registration } = await register(s);
    await s.app.database.query(`
      create function fail() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
      create trigger fail before update on webhook_registrations for each row execute function fail()`);
    const { webhook, registrationFailures } = await rotate(s, { what: 'WEBHOOK_SECRET', overlapSeconds: 60 });
    expect(hooksAt(s)[0]!.config.secret).toBe(webhook?.secret);
    expect(registrationFailures).toMatchObject([
      { registration: { id: registration?.id }, failure: { code: 'not_told' } },
    ]);
    s.clock.advance(60_001);
    await expect.poll(() => push(s)).toEqual([202]);
  });

  it('twice at once ends with the last secret at GitHub', async () => {
    const s = await story();
    await register(s);
    const held = gate('before');
    s.github.provider.next(CONFIGURE, held.behavior);
    const slow = rotate(s, { what: 'WEBHOOK_SECRET' });
    await s.github.provider.waitForRequest(CONFIGURE);
    const { webhook } = await rotate(s, { what: 'WEBHOOK_SECRET' });
    held.release();
    await slow;
    expect(hooksAt(s)[0]!.config.secret).toBe(webhook?.secret);
  });
});

describe('unregisterWebhook', () => {
  it('takes one away, or all, also those that are gone already; and keeps what GitHub keeps', async () => {
    const s = await story();
    s.github.grant('admin:org_hook');
    const { connectionId } = s;
    const [one, two] = [await register(s), await register(s, { organization: 'octo' })];
    const registrationId = one.registration!.id;
    s.github.provider.next(REMOVE, answer(githubError(403)));
    const refused = await s.caller.get(UnregisterWebhookDocument, { connectionId, registrationId });
    expect(refused.unregisterWebhook.failures).toMatchObject([
      { registration: { id: registrationId }, failure: { category: 'AUTH' } },
    ]);
    expect(await registrationsOf(s)).toHaveLength(2);
    expect(await newestReceipt(s)).toMatchObject({ verb: 'unregister_webhook', outcome: 'FAILURE' });

    await s.caller.get(UnregisterWebhookDocument, { connectionId, registrationId });
    expect(await registrationsOf(s)).toEqual([two.registration]);
    const again = await s.caller.ask(UnregisterWebhookDocument, { connectionId, registrationId });
    expect(again.errors[0]?.extensions.code).toBe('NOT_FOUND');

    s.github.provider.next('DELETE /orgs/{org}/hooks/{id}', ({ perform, send }) => {
      perform();
      send(githubError(404));
    });
    const all = await s.caller.get(UnregisterWebhookDocument, { connectionId });
    expect(all.unregisterWebhook.failures).toEqual([]);
    expect(await registrationsOf(s)).toEqual([]);
    const done = [two.registration?.externalId];
    expect(await newestReceipt(s)).toMatchObject({ outcome: 'SUCCESS', result: { done, failed: [] } });
  });

  it.each([
    ['which may not manage webhooks', [answer(githubError(404))]],
    ['which may not even read them', [answer(githubError(404)), answer(githubError(404))]],
  ])('a token %s is no proof that one is gone', async (_, [removal, list]) => {
    const s = await story();
    await register(s);
    s.github.provider.next(REMOVE, removal!);
    if (list) s.github.provider.next('GET /repos/{owner}/{repo}/hooks', list);
    const { connectionId } = s;
    const { unregisterWebhook } = await s.caller.get(UnregisterWebhookDocument, { connectionId });
    expect(unregisterWebhook.failures).toMatchObject([{ failure: { category: 'NOT_FOUND' } }]);
    expect(await registrationsOf(s)).toHaveLength(1);
    expect(hooksAt(s)).toHaveLength(1);
  });
});

describe('disconnect', () => {
  it('takes the webhooks away at GitHub first, and the receipt says so', async () => {
    const s = await story();
    const { registration } = await register(s);
    await s.caller.get(DisconnectDocument, { connectionId: s.connectionId });
    expect(hooksAt(s)).toEqual([]);
    expect(await newestReceipt(s)).toMatchObject({
      verb: 'disconnect',
      outcome: 'SUCCESS',
      result: { status: 'DELETED', webhooks: { done: [registration?.externalId], failed: [] } },
    });
    expect(await s.app.database.query('select * from webhook_registrations')).toEqual([]);
  });

  it.each([
    ['that can’t be reached', 'unreachable', (s: Story) => s.github.provider.close()],
    ['that hangs', 'not_waited_for', async (s: Story) => s.github.provider.next(REMOVE, hang())],
    [
      'that refuses',
      'forbidden',
      async (s: Story) => s.github.provider.next(REMOVE, answer(githubError(403))),
    ],
  ])('is not kept up by a provider %s', async (_, reason, upset) => {
    const s = await story();
    const { registration } = await register(s);
    await upset(s);
    const { disconnect } = await s.caller.get(DisconnectDocument, { connectionId: s.connectionId });
    expect(disconnect.status).toBe('DELETED');
    const failed = [{ external_id: registration?.externalId, reason }];
    expect(await newestReceipt(s)).toMatchObject({ result: { webhooks: { done: [], failed } } });
    for (const table of ['credentials', 'webhook_endpoints', 'webhook_registrations']) {
      expect(await s.app.database.query(`select * from ${table}`)).toEqual([]);
    }
  });
});
