import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connectors } from '../connectors/index.js';
import {
  DisconnectDocument,
  ExecuteActionDocument,
  RedriveDocument,
  RegisterWebhookAppDocument,
  RegisterWebhookDocument,
  RemoveOAuthAppDocument,
  RemoveWebhookAppDocument,
  ReplaySignalsDocument,
  ResumeDocument,
  RotateDocument,
  SetCallBudgetDocument,
  SetIncidentSinkDocument,
  SetOAuthAppDocument,
  SetPollingDocument,
  SetReceiptWitnessDocument,
  SuspendDocument,
  UnregisterWebhookDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer } from './support/fake-behavior.js';
import { startFakeExample } from './support/fake-example.js';
import { startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';
import { connectExample, createMendable, failFor, sendIssue } from './support/mendable.js';
import { authorizeLink, begin, comment, useOAuthStory } from './support/oauth-story.js';

const HOUR_MS = 3_600_000;

/** Tells, of what is done, which receipts it leaves: all there are, of every tenant. */
function watchReceipts({ database, app }: TestApp) {
  const seen = new Set<string>();
  return async (act: () => Promise<unknown>): Promise<string[]> => {
    await act();
    await app.services.actions.drain();
    const rows = await database.query<{ id: string; operation: string; leaf: string; waits: boolean }>(
      `select r.id, r.operation, r.leaf, q.receipt_id is not null as waits
       from receipts r left join receipt_queue q on q.receipt_id = r.id order by r.id`,
    );
    const fresh = rows.filter(({ id }) => !seen.has(id));
    for (const { id, leaf, waits } of fresh) {
      seen.add(id);
      expect(JSON.parse(leaf)).toMatchObject({ id });
      expect(waits).toBe(true);
    }
    return fresh.map(({ operation }) => operation.replace('integration.', ''));
  };
}

it('what is done with a connection leaves exactly one receipt, each time', async () => {
  const github = await startFakeGitHub(createTestClock());
  onTestFinished(() => github.provider.close());
  const env = {
    TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
    PUBLIC_URL: 'https://tributary.example',
  };
  const app = await useTestApp({ env });
  const caller = await app.caller();
  const receiptsOf = watchReceipts(app);
  let connectionId = '';
  expect(
    await receiptsOf(async () => {
      ({ connectionId } = await connectGitHub(caller, 'main', github.token));
    }),
  ).toEqual(['connection.github.connect']);

  const credential = { token: github.token };
  const target = { repository: 'octo/demo' };
  const action = { createIssue: { project: 'octo/demo', title: 'It drips' } };
  const input = { connectionId, idempotencyKey: 'once', action };
  const execute = () => caller.get(ExecuteActionDocument, { input });
  const rotate = (what: 'CREDENTIAL' | 'WEBHOOK_SECRET' | 'WEBHOOK_TOKEN' | 'ENCRYPTION_KEY') => () =>
    caller.get(RotateDocument, {
      input: { connectionId, what, ...(what === 'CREDENTIAL' && { credential }) },
    });
  const acts: readonly (readonly [string[], () => Promise<unknown>])[] = [
    [['connection.github.verify'], () => caller.get(VerifyDocument, { connectionId })],
    [
      ['connection.github.update'],
      () => caller.get(UpdateConnectionDocument, { input: { connectionId, name: 'other' } }),
    ],
    [['connection.github.rotate'], rotate('CREDENTIAL')],
    [['connection.github.rotate'], rotate('WEBHOOK_SECRET')],
    [['tenant.tributary.rotate_encryption_key'], rotate('ENCRYPTION_KEY')],
    [
      ['connection.github.register_webhook'],
      () => caller.get(RegisterWebhookDocument, { input: { connectionId, target } }),
    ],
    [['connection.github.unregister_webhook'], () => caller.get(UnregisterWebhookDocument, { connectionId })],
    [
      ['connection.github.set_polling'],
      () => caller.get(SetPollingDocument, { input: { connectionId, isOn: false } }),
    ],
    [
      ['budget.github.set'],
      () => caller.get(SetCallBudgetDocument, { input: { connectionId, callsPerHour: 100 } }),
    ],
    [
      ['incident_sink.tributary.set'],
      () => caller.get(SetIncidentSinkDocument, { url: 'https://example.com/incidents' }),
    ],
    [['incident_sink.tributary.remove'], () => caller.get(SetIncidentSinkDocument, { url: null })],
    [
      ['receipt_witness.tributary.set'],
      () => caller.get(SetReceiptWitnessDocument, { url: 'https://example.com/witness' }),
    ],
    [['receipt_witness.tributary.remove'], () => caller.get(SetReceiptWitnessDocument, { url: null })],
    [
      ['webhook_app.example.register'],
      () => caller.get(RegisterWebhookAppDocument, { input: { providerId: 'example', secret: 'signs' } }),
    ],
    [['webhook_app.example.remove'], () => caller.get(RemoveWebhookAppDocument, { providerId: 'example' })],
    // Nothing was there any more.
    [[], () => caller.get(RemoveWebhookAppDocument, { providerId: 'example' })],
    [
      ['oauth_app.github.set_oauth_app'],
      () =>
        caller.get(SetOAuthAppDocument, {
          input: { providerId: 'github', clientId: 'ours', clientSecret: 'secret' },
        }),
    ],
    [
      ['oauth_app.github.remove_oauth_app'],
      () => caller.get(RemoveOAuthAppDocument, { providerId: 'github' }),
    ],
    [['action.github.create_issue'], execute],
    // The same key again is the same action, which is settled already.
    [[], execute],
    [['connection.github.suspend'], () => caller.get(SuspendDocument, { connectionId })],
    [['connection.github.resume'], () => caller.get(ResumeDocument, { connectionId })],
    [['connection.github.disconnect'], () => caller.get(DisconnectDocument, { connectionId })],
  ];
  for (const [expected, act] of acts) expect(await receiptsOf(act)).toEqual(expected);
});

it('a person’s consent and a renewed token leave one each', async () => {
  const story = await useOAuthStory();
  const caller = await story.caller();
  const receiptsOf = watchReceipts(story.app);
  let [connectionId, link] = ['', ''];
  const start = async (): Promise<void> => {
    ({ connectionId, link } = await begin(caller));
  };
  expect(await receiptsOf(start)).toEqual(['connection.example.connect']);
  expect(await receiptsOf(() => story.browser().consent(link))).toEqual(['connection.example.authorize']);
  const again = async () => story.browser().consent(await authorizeLink(caller, connectionId));
  expect(await receiptsOf(again)).toEqual(['connection.example.authorize']);
  story.clock.advance(2 * HOUR_MS);
  const later = await story.caller();
  expect(await receiptsOf(() => comment(later, connectionId))).toEqual([
    'connection.example.refresh',
    'action.example.add_issue_comment',
  ]);
});

it('what is tried again and told anew leaves one each', async () => {
  const [clock, mendable] = [createTestClock(), createMendable()];
  const { provider, token } = await startFakeExample(clock);
  onTestFinished(() => provider.close());
  const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url };
  const app = await useTestApp({ clock, env, connectors: [...connectors, mendable.connector] });
  const caller: TestCaller = await app.caller();
  const receiptsOf = watchReceipts(app);
  const hook = await connectExample(caller, token);
  const { connectionId } = hook;
  await receiptsOf(() => caller.get(VerifyDocument, { connectionId }));

  const refused = answer({ status: 422, body: { error: { message: 'No such label' } } });
  provider.next('POST /v1/projects/{project}/issues', refused);
  const action = { createIssue: { project: 'DEMO', title: 'It drips' } };
  const input = { connectionId, idempotencyKey: randomUUID(), action };
  const execute = () => caller.get(ExecuteActionDocument, { input });
  expect(await receiptsOf(execute)).toEqual(['action.example.create_issue']);
  const failed = (await execute()).executeAction.id;
  // That somebody wanted it again, and what came of it.
  const again = () => caller.get(RedriveDocument, { input: { ids: [failed] } });
  expect(await receiptsOf(again)).toEqual(['action.example.redrive', 'action.example.create_issue']);

  mendable.map(failFor('DEMO-1'));
  expect(await receiptsOf(() => sendIssue(hook, 'DEMO-1'))).toEqual([]);
  mendable.map((drafts) => drafts);
  const window = { from: '2020-01-01T00:00:00Z', to: '2040-01-01T00:00:00Z' };
  const replay = (dryRun: boolean) => () =>
    caller.get(ReplaySignalsDocument, { input: { connectionId, ...window, dryRun } });
  expect(await receiptsOf(replay(true))).toEqual([]);
  expect(await receiptsOf(replay(false))).toEqual(['signal.example.replay']);
});

it('a key of the deployment’s and the uses of secrets leave one', async () => {
  const app = await useTestApp();
  const receiptsOf = watchReceipts(app);
  const { services } = app.app;
  expect(await receiptsOf(() => services.checkpointKeys.current())).toEqual([
    'checkpoint_key.tributary.make',
  ]);
  expect(await receiptsOf(() => services.checkpointKeys.rotate())).toEqual([
    'checkpoint_key.tributary.rotate',
  ]);
  const clock = createTestClock();
  const { provider, token } = await startFakeExample(clock);
  onTestFinished(() => provider.close());
  const beside = await useTestApp({
    beside: app,
    env: { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url },
  });
  const caller = await beside.caller();
  const { connectionId } = await connectExample(caller, token);
  await receiptsOf(() => caller.get(VerifyDocument, { connectionId }));
  const used = async () =>
    (await app.database.query('select id from secret_accesses where receipt_id is null')).length;
  await vi.waitFor(async () => expect(await used()).toBeGreaterThan(0));
  expect(await receiptsOf(() => services.accessAttestor.attest())).toEqual(['secret.tributary.access']);
  expect(await used()).toBe(0);
});
