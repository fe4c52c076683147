import { randomBytes, randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  DeadLettersDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  PollNowDocument,
  PollingDocument,
  ProbeDocument,
  ReceiptsDocument,
  RegisterWebhookDocument,
  ReplaySignalsDocument,
  ResumeDocument,
  RotateDocument,
  SecretAccessesDocument,
  SetIncidentSinkDocument,
  SuspendDocument,
  UnregisterWebhookDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { drop, hang, loseAnswer, resetMidBody } from './support/fake-behavior.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import type { FakeProvider } from './support/fake-provider.js';
import { type Hook, githubDelivery, post } from './support/github.js';
import {
  type Planted,
  type Watched,
  createPlanted,
  createWatched,
  formsOf,
  repeat,
  repetitions,
  restOf,
} from './support/secrets.js';

interface Story {
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly example: FakeExample;
  readonly app: TestApp;
  readonly caller: TestCaller;
  readonly watched: Watched;
  readonly planted: Planted;
}

async function useStory(): Promise<Story> {
  const clock = createTestClock();
  const [github, example] = await Promise.all([startFakeGitHub(clock), startFakeExample(clock)]);
  for (const { provider } of [github, example]) onTestFinished(() => provider.close());
  const [watched, planted] = [createWatched(), createPlanted()];
  const app = await useTestApp({
    clock,
    log: watched.log,
    env: {
      TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
    },
  });
  const caller = watched.keep(await app.caller());
  planted.plant('the caller’s token', caller.token);
  planted.plant('GitHub’s token', github.token);
  return { clock, github, example, app, caller, watched, planted };
}

const made = (kind: string): string => `${kind}_${randomBytes(15).toString('hex')}`;

/** Nothing of what was planted is anywhere; what was not, is: the places are those that matter. */
async function expectClean({ app, planted, watched }: Story, known: string): Promise<void> {
  const places = await watched.places(app);
  expect(places['tables']).toContain(known);
  expect(places['answers']).toContain(known);
  expect(places['metrics']).toContain('tributary_');
  planted.expectNoneIn(places);
}

async function connect(
  { caller, planted }: Story,
  providerId: string,
  token: string,
): Promise<Hook & { readonly name: string }> {
  const name = `${providerId} ${randomUUID()}`;
  const input = { providerId, name, authMethod: 'BEARER', credential: { token } } as const;
  const { connect: connected } = await caller.get(ConnectDocument, { input });
  const { url = '', secret = '' } = connected.webhook ?? {};
  planted.plant('a webhook’s secret', secret ?? '');
  planted.plant('a webhook’s token', url.split('/').at(-1) ?? '');
  return { connectionId: connected.connection.id, name, url, secret: secret ?? '' };
}

/** A comment, or an issue: one is made safe by a key of the provider's, the other by looking for it. */
function act({ caller }: Story, { connectionId, name }: { connectionId: string; name: string }) {
  const [project, issue] = name.startsWith('github') ? ['octo/demo', '1'] : ['DEMO', 'DEMO-1'];
  const action = { addIssueComment: { project, issue, body: 'Hello.' } };
  return caller.ask(ExecuteActionDocument, {
    input: { connectionId, idempotencyKey: randomUUID(), action },
  });
}

/** Every answer that shows a connection. */
async function lookAround({ caller, watched, app }: Story, connectionId: string): Promise<void> {
  for (const document of [ConnectionDocument, PollingDocument, SecretAccessesDocument] as const)
    await caller.ask(print(document), { id: connectionId, connectionId });
  for (const document of [ReceiptsDocument, DeadLettersDocument]) await caller.ask(print(document));
  await caller.ask('{ signals { nodes { id type payload } } incidents { nodes { message } } }');
  await caller.ask(
    '{ health { worst { reason recentErrors { message code } } } connections { nodes { id } } }',
  );
  const rest = restOf(watched, app, caller);
  await rest('GET', '/connections');
  await rest('POST', `/connections/${connectionId}/verify`);
  const headers = { authorization: `Bearer ${caller.token}` };
  await watched.request(`${app.url}/internal/integrations/connections/${connectionId}/health`, { headers });
}

describe('the forms that are looked for', () => {
  it('find a secret in whatever surrounds it', () => {
    const secret = 'a "secret"/+?ü with\nall kinds';
    const forms = [...formsOf(secret)].map(([, text]) => text);
    const finds = (text: string): boolean => forms.some((form) => text.includes(form));
    const { username: id } = new URL('https://client:x@host');
    const dressed = [
      `x${secret}x`,
      JSON.stringify({ secret }),
      JSON.stringify({ told: JSON.stringify({ secret }) }),
      new URL(`https://host/?x=${encodeURIComponent(secret)}`).href,
      encodeURIComponent(`x=${encodeURIComponent(secret)}`),
      new URLSearchParams({ secret }).toString(),
      Buffer.from(`x${secret}`).toString('hex').toUpperCase(),
      ...['', 'x', 'xx', 'xxx', `${id}:`].flatMap((before) => [
        Buffer.from(`${before}${secret}x`).toString('base64'),
        Buffer.from(`${before}${secret}`).toString('base64url'),
      ]),
    ];
    expect(dressed.filter((text) => !finds(text))).toEqual([]);
    expect(finds(JSON.stringify(dressed.map((text) => text.length)))).toBe(false);
  });
});

describe('planted secrets show in no log line, metric, row, receipt, signal or answer:', () => {
  it('a credential in its own place, and in every wrong one', async () => {
    const s = await useStory();
    const { caller, planted, watched, app } = s;
    const good = await connect(s, 'github', s.github.token);
    const verified = await caller.get(VerifyDocument, { connectionId: good.connectionId });
    expect(verified.verify.status).toBe('ACTIVE');
    const wrong = planted.plant('a refused token', made('ghp'));
    const bad = await connect(s, 'github', wrong);
    await caller.ask(VerifyDocument, { connectionId: bad.connectionId });
    const unfit = planted.plant('a token that can’t be sent', `${made('ghp')}\n${made('ghp')}`);
    await caller.ask(VerifyDocument, { connectionId: wrong });

    const input = { providerId: 'github', name: 'odd', authMethod: 'BEARER', credential: { token: wrong } };
    const inputs: object[] = [
      { ...input, credential: { token: { deep: wrong }, [wrong]: 1 } },
      { ...input, credential: { [wrong.slice(0, 30)]: wrong } },
      { ...input, credential: wrong },
      { ...input, credential: [wrong] },
      { ...input, credential: { token: unfit } },
      { ...input, settings: { [wrong]: wrong } },
      { ...input, [wrong]: wrong },
      ...['providerId', 'authMethod', 'settings', 'capabilities', 'tags', 'returnTo'].flatMap((field) => [
        { ...input, [field]: wrong },
        { ...input, [field]: [wrong] },
        { ...input, [field]: { [wrong]: wrong } },
      ]),
      // What stands here is a label, kept as it is: no credential comes with it, and none may be in it.
    ].filter((given) => !JSON.stringify((given as { tags?: unknown }).tags ?? '').includes(wrong));
    const rest = restOf(watched, app, caller);
    for (const given of inputs) {
      const { errors } = await caller.ask(print(ConnectDocument), { input: given });
      expect(errors, JSON.stringify(given)).not.toEqual([]);
      await rest('POST', '/connections', toSnake(given));
    }
    await rest('POST', '/connections', `{"credential":{"token":${wrong}}}`);
    await rest('POST', '/connections', `{"credential":{"token":"${wrong}`);
    await rest('PATCH', `/connections/${good.connectionId}`, { [wrong]: wrong, tags: wrong });
    await rest('POST', `/connections/${wrong}/verify`);
    for (const backfillSince of [wrong, [wrong], { [wrong]: wrong }])
      await caller.ask(print(PollNowDocument), { connectionId: good.connectionId, backfillSince });
    await rest('GET', `/connections?status=${wrong}&first=${wrong}&after=${wrong}`);
    for (const document of [
      `mutation { connect(input: { providerId: "${wrong}", name: "odd", authMethod: ${wrong} }) { authorizationUrl } }`,
      `mutation { connect(input: { providerId: 1, ${wrong}: "${wrong}", name: 2, authMethod: BEARER, credential: ${wrong} }) { authorizationUrl } }`,
      `mutation { connect(${wrong}: "${wrong}") { ${wrong} } }`,
      `mutation { connect(input: "${wrong}") { authorizationUrl } }`,
      `mutation { rotate(input: { connectionId: "x", what: "${wrong}" }) { connection { id } } }`,
      `{ receipts(first: "${wrong}", after: "${wrong}") { nodes { id } } }`,
      `{ connection(id: "${wrong}") { id } } "${wrong}`,
      `{ connection(id: "${wrong}" '${wrong}') { id } }`,
      `{ connection(id: "x") { id } } "${wrong}"`,
      `mutation { pollNow(connectionId: "x", backfillSince: "${wrong}") { id } }`,
      `query ($${wrong}: ID!) { connection(id: "x") { id } }`,
    ]) {
      expect((await caller.ask(document)).errors, document).not.toEqual([]);
      await subscribed(s, document.replace(/^(mutation|query)?/, 'subscription'));
    }
    await subscribed(s, 'subscription ($after: Cursor) { signalReceived(after: $after) { id } }', {
      after: [wrong],
    });
    await lookAround(s, bad.connectionId);
    await expectClean(s, good.connectionId);
  });

  it('what is rotated, before and after; what is signed with it; and bodies that carry secrets', async () => {
    const s = await useStory();
    const { caller, planted, example, watched } = s;
    const [first, second, third] = [1, 2, 3].map((n) => planted.plant(`token ${n}`, made('ex_live')));
    example.accept((token) => token === first || token === second);
    const hook = await connect(s, 'example', first!);
    const { connectionId } = hook;
    const changes = watched.follow(
      caller,
      'subscription { connectionChanged { cursor verb outcome status connection { id statusReason { message } } } }',
    );
    const signals = watched.follow(caller, 'subscription { signalReceived { id type payload cursor } }');
    await caller.ask(VerifyDocument, { connectionId });
    const credential = (token: string) =>
      caller.ask(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential: { token } } });
    await credential(third!);
    await credential(second!);
    await credential(`${third}\u0000`);
    await caller.ask(RotateDocument, {
      input: { connectionId, what: 'CREDENTIAL', credential: { token: { third }, [third!]: third } },
    });

    const github = await connect(s, 'github', s.github.token);
    await caller.ask(VerifyDocument, { connectionId: github.connectionId });
    for (const what of ['WEBHOOK_SECRET', 'WEBHOOK_TOKEN'] as const) {
      const { rotate } = await caller.get(RotateDocument, {
        input: { connectionId: github.connectionId, what },
      });
      const { url = '', secret } = rotate.webhook ?? {};
      if (secret) planted.plant('a new webhook secret', secret);
      planted.plant('a new webhook token', url.split('/').at(-1) ?? '');
    }
    await caller.ask(RotateDocument, { input: { connectionId, what: 'ENCRYPTION_KEY' } });
    const inside = planted.plant('a token in a body', made('ghp'));
    for (const body of [
      { zen: 'x', hook: { config: { secret: inside, url: `https://x:${inside}@host/` } } },
      `{"zen": "${inside}`,
      {
        action: 'opened',
        issue: { id: { of: inside } },
        repository: inside,
        installation: { token: inside },
      },
    ]) {
      const event = typeof body === 'object' && 'issue' in body ? 'issues' : 'ping';
      await deliver(s, github, await githubDelivery(event, body, github.secret));
      await deliver(s, github, await githubDelivery(event, body, inside));
    }
    await deliver(
      s,
      { ...github, url: `${github.url}x` },
      await githubDelivery('ping', { zen: 'x' }, github.secret),
    );
    await caller.ask(ReplaySignalsDocument, {
      input: {
        connectionId: github.connectionId,
        from: '2020-01-01T00:00:00Z',
        to: '2090-01-01T00:00:00Z',
        dryRun: true,
      },
    });
    await caller.ask(UpdateConnectionDocument, { input: { connectionId, name: 'renamed' } });
    await caller.ask(SuspendDocument, { connectionId, reason: 'so' });
    await caller.ask(ResumeDocument, { connectionId });
    await lookAround(s, connectionId);
    await caller.ask(DisconnectDocument, { connectionId });
    await expect.poll(() => [changes() >= 8, signals() >= 1]).toEqual([true, true]);
    await expectClean(s, github.connectionId);
  });

  it.each(Object.keys(repetitions))('what a provider repeats, %s, in its answers', async (name) => {
    const s = await useStory();
    const { caller, example, github, planted, app } = s;
    const hooks = [await connect(s, 'github', github.token), await connect(s, 'example', example.token)];
    planted.plant('Example’s token', example.token);
    const credential = { token: planted.plant('another token', made('ghp')) };
    const form = repetitions[name]!;
    for (const hook of hooks) {
      const { provider } = hook.name.startsWith('github') ? github : example;
      const { connectionId } = hook;
      const asked = async (work: () => Promise<unknown>): Promise<void> => {
        for (const status of [401, 403, 422, 500, 302]) {
          once(
            provider,
            repeat(status, form, ({ headers }) => headers['authorization'] ?? ''),
          );
          await work();
          s.clock.advance(60_000);
        }
      };
      await asked(() => caller.ask(VerifyDocument, { connectionId }));
      await caller.ask(VerifyDocument, { connectionId });
      await asked(() =>
        caller.ask(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } }),
      );
      await asked(() => act(s, hook));
      await asked(() => caller.ask(ProbeDocument, { connectionId }));
      await caller.ask(VerifyDocument, { connectionId });
      await app.app.services.polls.enroll();
      await caller.ask(PollNowDocument, { connectionId });
      await asked(() => app.app.services.polls.runDue(5));
      await app.app.services.health.evaluate(100);
      await lookAround(s, connectionId);
      expect(provider.requests.length).toBeGreaterThan(15);
    }
    await expectClean(s, hooks[0]!.connectionId);
  });

  it.each(Object.keys(repetitions))(
    'what is told a provider of a webhook, when it repeats that %s',
    async (name) => {
      const s = await useStory();
      const { caller, github, planted } = s;
      const { connectionId } = await connect(s, 'github', github.token);
      await caller.ask(VerifyDocument, { connectionId });
      const target = { repository: 'octo/demo' };
      const register = () => caller.get(RegisterWebhookDocument, { input: { connectionId, target } });
      const isHook = ({ path, method }: { path: string; method: string }) =>
        path.includes('/hooks') && method !== 'GET';
      const configOf = (body: unknown) => (body as { config?: Record<string, string> } | undefined)?.config;
      const withConfig = (body: unknown) => configOf(body) ?? (body as Record<string, string> | undefined);
      for (const field of ['secret', 'url']) {
        for (const status of [422, 302]) {
          const told = repeat(status, repetitions[name]!, ({ body }) => withConfig(body)?.[field] ?? '');
          github.provider.next(isHook, told);
          expect((await register()).registerWebhook.failure).not.toBeNull();
        }
      }
      expect((await register()).registerWebhook.failure).toBeNull();
      for (const what of ['WEBHOOK_SECRET', 'WEBHOOK_TOKEN'] as const) {
        const field = what === 'WEBHOOK_SECRET' ? 'secret' : 'url';
        github.provider.next(
          isHook,
          repeat(422, repetitions[name]!, ({ body }) => withConfig(body)?.[field] ?? ''),
        );
        const { rotate } = await caller.get(RotateDocument, { input: { connectionId, what } });
        expect(rotate.registrationFailures).toHaveLength(1);
        planted.plant('a new webhook token', rotate.webhook?.url.split('/').at(-1) ?? '');
        if (rotate.webhook?.secret) planted.plant('a new webhook secret', rotate.webhook.secret);
      }
      await caller.ask(UnregisterWebhookDocument, { connectionId });
      await lookAround(s, connectionId);
      await expectClean(s, connectionId);
    },
  );

  it('whatever is under way when the provider breaks off or the database loses a table', async () => {
    const s = await useStory();
    const { caller, github, planted, app, watched } = s;
    const hook = await connect(s, 'github', github.token);
    const { connectionId } = hook;
    await caller.ask(VerifyDocument, { connectionId });
    for (const behavior of [drop(), resetMidBody(), loseAnswer()]) {
      once(github.provider, behavior);
      await caller.ask(VerifyDocument, { connectionId });
      once(github.provider, behavior);
      await act(s, hook);
    }
    const wrong = planted.plant('a token for a connection that can’t be stored', made('ghp'));
    const rest = restOf(watched, app, caller);
    for (const table of [
      'credentials',
      'webhook_endpoints',
      'receipts',
      'data_keys',
      'actions',
      'deliveries',
    ]) {
      await app.database.query(`alter table ${table} rename to hidden`);
      const input = { providerId: 'github', name: table, authMethod: 'BEARER', credential: { token: wrong } };
      await caller.ask(print(ConnectDocument), { input });
      await rest('POST', '/connections', toSnake(input));
      await caller.ask(VerifyDocument, { connectionId });
      const credential = { token: wrong };
      await caller.ask(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
      for (const what of ['WEBHOOK_SECRET', 'WEBHOOK_TOKEN', 'ENCRYPTION_KEY'] as const)
        await caller.ask(RotateDocument, { input: { connectionId, what } });
      await act(s, hook);
      await deliver(s, hook, await githubDelivery('ping', { zen: wrong }, hook.secret));
      await caller.ask(ConnectionDocument, { id: connectionId });
      await app.database.query(`alter table hidden rename to ${table}`);
    }
    await app.database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
    );
    await caller.ask(ConnectionDocument, { id: connectionId });
    github.provider.next(({ method }) => method === 'POST', hang());
    const waiting = act(s, hook);
    await github.provider.waitForRequest('POST /repos/{owner}/{repo}/issues/{number}/comments');
    await github.provider.close();
    await waiting;
    await lookAround(s, connectionId);
    const places = await watched.places(app);
    expect(places['logs']).toContain('does not exist');
    await expectClean(s, connectionId);
  });

  it('the secret of an incident sink', async () => {
    const s = await useStory();
    const { connectionId } = await connect(s, 'github', s.github.token);
    // By a caller whose answers are not kept: this one shows it.
    const { setIncidentSink } = await (
      await s.app.caller()
    ).get(SetIncidentSinkDocument, {
      url: `${s.github.provider.url}/sink`,
    });
    s.planted.plant('the sink’s secret', setIncidentSink.secret ?? '');
    expect(setIncidentSink.sink?.url).toContain('/sink');
    await s.caller.ask('{ incidentSink { url updatedAt } }');
    await lookAround(s, connectionId);
    await expectClean(s, connectionId);
  });
});

/** The next request of any kind is treated so. */
function once(provider: FakeProvider, behavior: ReturnType<typeof repeat>): void {
  provider.next(() => true, behavior);
}

/** Runs a document over WebSocket, to its error. */
async function subscribed(
  { caller, watched }: Story,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<void> {
  await new Promise<void>((resolve) => {
    caller.socket().subscribe(
      { query, variables },
      {
        next: (result) => void watched.answers.push(JSON.stringify(result)),
        error(error) {
          watched.answers.push(error instanceof Error ? error.message : JSON.stringify(error));
          resolve();
        },
        complete: resolve,
      },
    );
  });
}

async function deliver(
  { watched }: Story,
  { url }: Pick<Hook, 'url'>,
  delivery: Awaited<ReturnType<typeof githubDelivery>>,
): Promise<void> {
  const { status, headers, body } = await post(url, delivery);
  watched.answers.push(JSON.stringify([status, [...headers], body]));
}

function toSnake(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replaceAll(/[A-Z](?=[a-z])/g, (letter) => `_${letter.toLowerCase()}`),
      value as unknown,
    ]),
  );
}
