import { describe, expect, it, onTestFinished } from 'vitest';
import { connectors } from '../connectors/index.js';
import {
  ReceiptsDocument,
  RegisterWebhookDocument,
  SuspendDocument,
  UpdateConnectionDocument,
  type UpdateConnectionInput,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { baseUrlSetting } from '../src/connector/index.js';
import { type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { startFakeExample } from './support/fake-example.js';
import { githubError } from './support/fake-github.js';
import { connectExample, createMendable } from './support/mendable.js';
import { type PollStory, hold, pollAll, pollStory, rowOf } from './support/polling.js';

type Changes = Omit<UpdateConnectionInput, 'connectionId'>;

const repositories = (...names: string[]) => ({ settings: { repositories: names } });

const update = ({ caller, connectionId }: Pick<PollStory, 'caller' | 'connectionId'>, changes: Changes) =>
  caller.ask(UpdateConnectionDocument, { input: { connectionId, ...changes } });

async function rowOfConnection({ app, connectionId }: Pick<PollStory, 'app' | 'connectionId'>) {
  const select = 'select name, status, settings, account, verified_at from connections where id = $1';
  return (await app.database.query(select, [connectionId]))[0];
}

async function lastReceipt(caller: Pick<TestCaller, 'get'>) {
  const { receipts } = await caller.get(ReceiptsDocument, {});
  return receipts.nodes[0];
}

describe('new settings of a connection that works', () => {
  it('are tried, then count: streams that stay keep their cursors, others begin or rest', async () => {
    const story = await pollStory();
    const { app, caller, github } = story;
    await pollAll(story);
    const before = await rowOf(story, 'issues:octo/demo');
    const asked = github.provider.requests.filter(({ path }) => path === '/user').length;
    const { data } = await update(story, { ...repositories('octo/demo', 'octo/other'), tags: ['new'] });
    expect(data?.updateConnection).toMatchObject({
      status: 'ACTIVE',
      tags: ['new'],
      settings: { repositories: ['octo/demo', 'octo/other'] },
    });
    expect(github.provider.requests.filter(({ path }) => path === '/user')).toHaveLength(asked + 1);
    expect(await lastReceipt(caller)).toMatchObject({
      operation: 'integration.connection.github.update',
      outcome: 'SUCCESS',
      result: { tags: ['new'], settings: { repositories: ['octo/demo', 'octo/other'] } },
    });
    const changes = await app.database.query(
      `select verb, outcome, status from connection_changes order by sequence desc limit 1`,
    );
    expect(changes).toEqual([{ verb: 'update', outcome: 'SUCCESS', status: 'ACTIVE' }]);

    await app.app.services.polls.enroll();
    expect(await rowOf(story, 'issues:octo/demo')).toEqual(before);
    expect(await rowOf(story, 'issues:octo/other')).toMatchObject({ cursor: null, due_at: expect.any(Date) });
    await update(story, repositories('octo/other'));
    await app.app.services.polls.enroll();
    expect(await rowOf(story, 'issues:octo/demo')).toEqual({ ...before, due_at: null });
  });

  it.each([
    ['the credential is refused', answer(githubError(401)), 'AUTH', 'bad_credentials'],
    ['the provider is down', answer(githubError(503)), 'PROVIDER', 'http_503'],
    [
      'they lead to somebody else’s account',
      answer({ status: 200, body: { id: 999, login: 'somebody', html_url: 'https://github.com/somebody' } }),
      'INVALID',
      'other_account',
    ],
  ])('change nothing when %s', async (_, behavior, category, reason) => {
    const story = await pollStory();
    const before = await rowOfConnection(story);
    story.github.provider.next('GET /user', behavior, behavior, behavior);
    const { errors } = await update(story, { ...repositories('octo/other'), name: 'renamed' });
    expect(errors[0]?.extensions).toMatchObject({ code: 'SETTINGS_REFUSED', details: { category, reason } });
    expect(await rowOfConnection(story)).toEqual(before);
    expect(before).toMatchObject({ status: 'ACTIVE', settings: { repositories: ['octo/demo'] } });
    expect(await lastReceipt(story.caller)).toMatchObject({ outcome: 'FAILURE', result: { reason } });
  });

  it('lose against those that somebody else has set meanwhile', async () => {
    const story = await pollStory();
    const held = hold();
    story.github.provider.next('GET /user', held.behavior);
    const late = update(story, repositories('octo/late'));
    await held.waits;
    expect((await update(story, repositories('octo/first'))).errors).toEqual([]);
    held.release();
    expect((await late).errors[0]?.extensions.code).toBe('CONFLICT');
    expect(await rowOfConnection(story)).toMatchObject({ settings: { repositories: ['octo/first'] } });
  });

  it('are refused where the schema does not know them, and are not tried where they are the same', async () => {
    const story = await pollStory();
    const asked = story.github.provider.requests.length;
    const { errors } = await update(story, { settings: { repositories: 'octo/demo' } });
    expect(errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: [{ field: 'settings.repositories' }] },
    });
    expect((await update(story, repositories('octo/demo'))).errors).toEqual([]);
    expect(story.github.provider.requests).toHaveLength(asked);
  });

  it('can be set by REST', async () => {
    const story = await pollStory();
    const { token } = await story.app.caller();
    const response = await fetch(`${story.app.url}/v1/integrations/connections/${story.connectionId}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(repositories('octo/other')),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      connection: { settings: { repositories: ['octo/other'] } },
    });
  });
});

it('new settings of a suspended connection are stored, and nobody is asked', async () => {
  const story = await pollStory();
  await story.caller.get(SuspendDocument, { connectionId: story.connectionId });
  const asked = story.github.provider.requests.length;
  const { data } = await update(story, repositories('octo/other'));
  expect(data?.updateConnection).toMatchObject({
    status: 'SUSPENDED',
    settings: { repositories: ['octo/other'] },
  });
  expect(story.github.provider.requests).toHaveLength(asked);
});

describe('settings that lead to another address', () => {
  const elsewhere = { settings: { baseUrl: 'https://example.acme.test' } };

  async function begin() {
    const clock = createTestClock();
    const fake = await startFakeExample(clock);
    onTestFinished(() => fake.provider.close());
    const properties = { baseUrl: baseUrlSetting('Example') };
    const settingsSchema = { type: 'object', additionalProperties: false, properties };
    const { connector } = createMendable({ selfManaged: { apiPath: '' }, settingsSchema });
    const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: fake.provider.url };
    const app = await useTestApp({ clock, env, connectors: [...connectors, connector] });
    const caller = await app.caller();
    const { connectionId } = await connectExample(caller, fake.token);
    await caller.get(VerifyDocument, { connectionId });
    return { app, fake, caller, connectionId };
  }

  it('need a credential of their own: that of the old one is not sent there', async () => {
    const story = await begin();
    const asked = story.fake.provider.requests.length;
    const { errors } = await update(story, elsewhere);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: [{ field: 'credential' }] },
    });
    await story.caller.get(SuspendDocument, { connectionId: story.connectionId });
    expect((await update(story, elsewhere)).errors[0]?.extensions.code).toBe('INVALID_INPUT');
    expect(story.fake.provider.requests).toHaveLength(asked);
    expect(await rowOfConnection(story)).toMatchObject({ settings: {} });
  });

  it('count together with the new credential, once it works there; the provider is told of the webhooks again', async () => {
    const story = await begin();
    const { app, fake, caller, connectionId } = story;
    const target = { project: 'DEMO' };
    await caller.get(RegisterWebhookDocument, { input: { connectionId, target } });
    const another = 'ex_live_another';
    fake.accept((token) => token === another || token === fake.token);
    const wrong = await update(story, { ...elsewhere, credential: { token: 'ex_live_wrong' } });
    expect(wrong.errors[0]?.extensions).toMatchObject({
      code: 'SETTINGS_REFUSED',
      details: { category: 'AUTH' },
    });
    expect(await rowOfConnection(story)).toMatchObject({ status: 'ACTIVE', settings: {} });

    const { data } = await update(story, { ...elsewhere, credential: { token: another } });
    expect(data?.updateConnection).toMatchObject({ status: 'ACTIVE', ...elsewhere });
    await caller.get(VerifyDocument, { connectionId });
    expect(fake.provider.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${another}`);
    const receipts = JSON.stringify(
      await app.database.query('select request, result, operation from receipts'),
    );
    expect(receipts).not.toContain(another);
    expect(receipts).toContain('update_webhooks');
    const stray = await update(story, { credential: { token: another } });
    expect(stray.errors[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});
