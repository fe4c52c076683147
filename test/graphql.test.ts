import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ActionDocument,
  ConnectDocument,
  ConnectionDocument,
  ConnectionsDocument,
  ExecuteActionDocument,
  HealthDocument,
  ProvidersDocument,
  ReceiptsDocument,
  SignalsDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, createCaller, startTestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';
import { useIssuer } from './support/issuer.js';

let app: TestApp;
let github: FakeGitHub;
beforeAll(async () => {
  github = await startFakeGitHub(createTestClock());
  app = await startTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
});
afterAll(async () => {
  await app.close();
  await github.provider.close();
});

const newCaller = (scope?: string): Promise<TestCaller> => app.caller(`tenant-${randomUUID()}`, scope);

function code({ errors }: { errors: readonly { extensions: { code: string } }[] }): string | undefined {
  return errors[0]?.extensions.code;
}

describe('the main job', () => {
  it('connect, verify, webhook, signal, action, receipt: one path through all of it', async () => {
    const caller = await newCaller();
    const { providers } = await caller.get(ProvidersDocument);
    expect(providers.find(({ id }) => id === 'github')).toMatchObject({
      capabilities: ['WEBHOOK', 'POLLING', 'ACTIONS'],
    });

    const hook = await connectGitHub(caller, 'main', github.token);
    const { verify } = await caller.get(VerifyDocument, { connectionId: hook.connectionId });
    expect(verify).toMatchObject({
      status: 'ACTIVE',
      account: { name: expect.any(String) },
      credential: { version: 1, scopes: ['repo', 'read:user'] },
    });

    const payload = {
      action: 'opened',
      issue: { id: 5, number: 5, title: 'Leak' },
      repository: { full_name: 'octo/demo' },
    };
    const answer = await post(hook.url, await githubDelivery('issues', payload, hook.secret));
    const { signals } = await caller.get(SignalsDocument);
    expect(signals.nodes).toMatchObject([
      {
        id: answer.body.signals?.[0],
        type: 'issue_created',
        resource: { repository: 'octo/demo' },
        connection: { id: hook.connectionId, name: 'main' },
      },
    ]);

    const input = {
      connectionId: hook.connectionId,
      idempotencyKey: 'answer-5',
      correlationId: 'case-17',
      action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'Thanks.' } },
    };
    const { executeAction } = await caller.get(ExecuteActionDocument, { input });
    expect(executeAction).toMatchObject({
      status: 'SUCCEEDED',
      type: 'addIssueComment',
      correlationId: 'case-17',
      result: { url: expect.stringContaining('octo/demo') },
    });
    const { action } = await caller.get(ActionDocument, { idempotencyKey: 'answer-5' });
    expect(action).toMatchObject({ id: executeAction.id, receipt: { outcome: 'SUCCESS' } });

    const { receipts } = await caller.get(ReceiptsDocument);
    expect(receipts.nodes.map(({ operation }) => operation)).toEqual([
      'integration.action.github.add_issue_comment',
      'integration.connection.github.verify',
      'integration.connection.github.connect',
    ]);
    expect(receipts.nodes[0]).toMatchObject({
      correlationId: 'case-17',
      connection: { id: hook.connectionId },
    });
    expect(JSON.stringify(receipts)).not.toContain('Thanks.');

    await expect
      .poll(
        async () =>
          (await caller.get(HealthDocument)).health.counts.find(({ status }) => status === 'HEALTHY')?.count,
      )
      .toBe(1);
    const { connection } = await caller.get(ConnectionDocument, { id: hook.connectionId });
    expect(connection).toMatchObject({
      webhook: { url: hook.url },
      health: { status: 'HEALTHY', errors1h: 0 },
      signals: { nodes: [{ type: 'issue_created' }] },
      actions: { nodes: [{ type: 'addIssueComment' }] },
    });
  });
});

describe('who may ask', () => {
  it('nobody without a good token: 401, and how to send one', async () => {
    const { token } = await newCaller();
    const tokens = [
      '',
      'garbage',
      `${token}x`,
      token.split('.').with(1, Buffer.from('{"sub":"x"}').toString('base64url')).join('.'),
    ];
    for (const bad of tokens) {
      const answer = await createCaller(app.url, bad).ask(ProvidersDocument);
      expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
  });

  it('nobody whose token has expired', async () => {
    const clock = createTestClock();
    const aging = await useTestApp({ clock });
    const caller = await aging.caller();
    expect((await caller.ask(ProvidersDocument)).status).toBe(200);
    clock.advance(3_601_000);
    expect(await caller.ask(ProvidersDocument)).toMatchObject({
      status: 401,
      errors: [{ message: expect.stringContaining('expired') }],
    });
  });

  it('nobody without the scope, and the answer names it', async () => {
    const reader = await newCaller('integrations:read');
    const writer = await newCaller('integrations:write');
    const input = {
      providerId: 'github',
      name: 'x',
      authMethod: 'BEARER',
      credential: { token: 'x' },
    } as const;
    const action = {
      connectionId: randomUUID(),
      idempotencyKey: 'k',
      action: { createIssue: { project: 'a/b', title: 'x' } },
    };
    const refusals = [
      [await reader.ask(ConnectDocument, { input }), 'integrations:write'],
      [await reader.ask(VerifyDocument, { connectionId: randomUUID() }), 'integrations:write'],
      [await reader.ask(ExecuteActionDocument, { input: action }), 'integrations:execute'],
      [await reader.ask(ReceiptsDocument), 'integrations:audit'],
      [await writer.ask(ProvidersDocument), 'integrations:read'],
      [await writer.ask(SignalsDocument), 'integrations:read'],
    ] as const;
    for (const [answer, scope] of refusals) {
      expect(answer.errors[0]).toMatchObject({
        extensions: { code: 'FORBIDDEN', details: { required_scope: scope } },
      });
    }
    expect(
      await app.database.query('select count(*)::int as n from connections where name = $1', ['x']),
    ).toEqual([{ n: 0 }]);
  });

  it('no reader gets receipts through the back door', async () => {
    const caller = await newCaller();
    const hook = await connectGitHub(caller);
    const reader = createCaller(
      app.url,
      (await app.caller((await tenantOf(hook.connectionId)) ?? '', 'integrations:read')).token,
    );
    const viaConnection = await reader.ask(
      `{ connection(id: "${hook.connectionId}") { receipts { nodes { id } } } }`,
    );
    expect(code(viaConnection)).toBe('FORBIDDEN');
    const [receipt] = await app.database.query<{ id: string }>(
      'select id from receipts where connection_id = $1',
      [hook.connectionId],
    );
    const viaEntities = await reader.ask(
      `{ _entities(representations: [{ __typename: "IntegrationReceipt", id: "${receipt?.id}" }]) { ... on IntegrationReceipt { operation } } }`,
    );
    expect(code(viaEntities)).toBe('FORBIDDEN');
  });
});

async function tenantOf(connectionId: string): Promise<string | undefined> {
  const [row] = await app.database.query<{ tenant_id: string }>(
    'select tenant_id from connections where id = $1',
    [connectionId],
  );
  return row?.tenant_id;
}

describe('tenants', () => {
  it('see nothing of each other: lists, ids, entities', async () => {
    const [mine, theirs] = [await newCaller(), await newCaller()];
    const hook = await connectGitHub(theirs, 'theirs', github.token);
    await theirs.get(VerifyDocument, { connectionId: hook.connectionId });
    await post(hook.url, await githubDelivery('ping', { zen: '…' }, hook.secret));
    const [signal] = (await theirs.get(SignalsDocument)).signals.nodes;
    const unknown = randomUUID();

    expect((await mine.get(ConnectionsDocument)).connections.nodes).toEqual([]);
    expect((await mine.get(SignalsDocument)).signals.nodes).toEqual([]);
    expect(
      (await mine.get(SignalsDocument, { filter: { connectionIds: [hook.connectionId] } })).signals.nodes,
    ).toEqual([]);
    expect((await mine.get(ReceiptsDocument)).receipts.nodes).toEqual([]);
    for (const [field, id] of [
      ['connection', hook.connectionId],
      ['signal', signal?.id],
      ['action', unknown],
    ] as const) {
      const foreign = await mine.ask(`{ ${field}(id: "${id}") { id } }`);
      const none = await mine.ask(`{ ${field}(id: "${unknown}") { id } }`);
      expect(code(foreign)).toBe('NOT_FOUND');
      expect(foreign).toMatchObject({ data: none.data, errors: none.errors });
    }
    const verify = await mine.ask(VerifyDocument, { connectionId: hook.connectionId });
    expect(code(verify)).toBe('NOT_FOUND');
    const entities = await mine.ask<{ _entities: unknown[] }, object>(
      `{ _entities(representations: [
           { __typename: "IntegrationConnection", id: "${hook.connectionId}" },
           { __typename: "Signal", id: "${signal?.id}" },
           { __typename: "Tenant", id: "someone-else" },
           { __typename: "IntegrationProvider", id: "github" }]) {
           __typename ... on IntegrationConnection { name } ... on Signal { type } ... on IntegrationProvider { name } } }`,
    );
    expect(entities.data?._entities).toEqual([
      null,
      null,
      null,
      { __typename: 'IntegrationProvider', name: 'GitHub' },
    ]);
  });
});

describe('bad input is answered with a code, and what to mend', () => {
  it.each<[string, string, number, string]>([
    ['broken JSON', '{"query":', 400, 'MALFORMED_REQUEST'],
    ['no query', '{}', 400, 'BAD_REQUEST'],
    ['a syntax error', '{"query":"{ providers {"}', 400, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{"query":"{ nope }"}', 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a missing variable',
      '{"query":"query ($id: ID!) { connection(id: $id) { id } }"}',
      400,
      'BAD_USER_INPUT',
    ],
    [
      'a document without end',
      JSON.stringify({ query: `{ ${'a '.repeat(10_000)} }` }),
      400,
      'GRAPHQL_PARSE_FAILED',
    ],
    ['a document without bottom', JSON.stringify({ query: nested(40) }), 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a body without end',
      JSON.stringify({ query: '{ providers { id } }', padding: 'x'.repeat(1_100_000) }),
      413,
      'PAYLOAD_TOO_LARGE',
    ],
  ])('%s', async (_name, body, status, expected) => {
    const { token } = await newCaller();
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(JSON.parse(text)).toMatchObject({
      errors: [{ message: expect.any(String), extensions: { code: expected } }],
    });
    expect(text).not.toMatch(/node_modules|stacktrace|at \w+ \(/);
  });

  it('never repeats a variable’s value: it may be a credential in the wrong place', async () => {
    const caller = await newCaller();
    const input = { providerId: { oops: 'hunter2' }, name: 7, authMethod: 'hunter2', credential: 'hunter2' };
    const { errors } = await caller.ask(ConnectDocument, { input } as never);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(errors.map(() => 'BAD_USER_INPUT'));
    expect(errors.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining('input.providerId')]),
    );
    expect(JSON.stringify(errors.filter(({ message }) => !message.includes('authMethod')))).not.toContain(
      'hunter2',
    );
  });

  it('exactly one verb, or none is tried', async () => {
    const caller = await newCaller();
    const two = { createIssue: { project: 'a/b', title: 'x' }, addIssueComment: { issue: '1', body: 'x' } };
    for (const action of [{}, two]) {
      const input = { connectionId: randomUUID(), idempotencyKey: 'k', action } as never;
      expect(code(await caller.ask(ExecuteActionDocument, { input }))).toBe('BAD_USER_INPUT');
    }
  });

  it.each([0, -1, 201])('a page of %d', async (first) => {
    const caller = await newCaller();
    expect(await caller.ask(SignalsDocument, { first })).toMatchObject({
      errors: [{ extensions: { code: 'INVALID_INPUT', details: { problems: [{ field: 'first' }] } } }],
    });
  });

  it('a cursor of another list', async () => {
    const caller = await newCaller();
    await connectGitHub(caller);
    const { connections } = await caller.get(ConnectionsDocument, { first: 1 });
    const after = connections.pageInfo.endCursor ?? '';
    expect(code(await caller.ask(SignalsDocument, { after }))).toBe('INVALID_CURSOR');
  });

  it('a batch is refused', async () => {
    const { token } = await newCaller();
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify([{ query: '{ providers { id } }' }]),
    });
    expect(response.status).toBe(400);
  });
});

function nested(depth: number): string {
  return `{ connections { nodes ${'{ provider { connections { nodes '.repeat(depth)} { id } ${'} } }'.repeat(depth)} } }`;
}

describe('every answer', () => {
  it('carries the caller’s correlation id, or a new one; and the receipts have it', async () => {
    const caller = await newCaller();
    const ask = async (given?: string): Promise<string | null> => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${caller.token}`,
          ...(given && { 'x-correlation-id': given }),
        },
        body: JSON.stringify({
          query: `mutation { connect(input: { providerId: "github", name: "${randomUUID()}", authMethod: BEARER, credential: { token: "x" } }) { connection { id } } }`,
        }),
      });
      return response.headers.get('x-correlation-id');
    };
    expect(await ask('case-42')).toBe('case-42');
    const made = [await ask(), await ask('not fit for a header'), await ask('x'.repeat(129))];
    for (const id of made) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const { receipts } = await caller.get(ReceiptsDocument);
    expect(receipts.nodes.map(({ correlationId }) => correlationId)).toEqual([
      ...made.toReversed(),
      'case-42',
    ]);
  });

  it('that is a bug of ours shows nothing but where it is logged', async () => {
    const caller = await newCaller();
    await app.database.query('alter table health_minutes rename to hidden');
    const answer = await caller.ask(HealthDocument);
    await app.database.query('alter table hidden rename to health_minutes');
    expect(answer.errors).toEqual([
      expect.objectContaining({
        message: expect.not.stringMatching(/health_minutes|select|relation/),
        extensions: { code: 'INTERNAL', details: { correlation_id: answer.headers.get('x-correlation-id') } },
      }),
    ]);
  });
});

describe('in prod', () => {
  it('there is no introspection and no suggestion of names', async () => {
    const issuer = await useIssuer();
    const key = Buffer.alloc(32, 1).toString('base64');
    const prod = await useTestApp({
      env: { ...issuer.env, TRIBUTARY_ENVIRONMENT: 'prod', TRIBUTARY_MASTER_KEY: key },
    });
    const caller = createCaller(prod.url, await issuer.sign());
    const introspection = '{ __schema { types { name } } }';
    expect(code(await caller.ask(introspection))).toBe('GRAPHQL_VALIDATION_FAILED');
    await expect(caller.socket().iterate({ query: introspection }).next()).rejects.toContainEqual(
      expect.objectContaining({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }),
    );
    const { errors } = await caller.ask('{ provider(id: "github") { nam } }');
    expect(errors[0]?.message).toBe('Cannot query field "nam" on type "IntegrationProvider".');
  });
});
