import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { githubDelivery, post } from './support/github.js';

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

const CONNECTIONS = '/v1/integrations/connections';

type Json = Record<string, never> & {
  connection: Record<string, unknown>;
  webhook: { url: string; secret: string };
};

async function call({ token }: Pick<TestCaller, 'token'>, method: string, path: string, body?: unknown) {
  const response = await fetch(app.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

const newCaller = (scope?: string): Promise<TestCaller> => app.caller(`tenant-${randomUUID()}`, scope);
const command = () => ({
  provider_id: 'github',
  name: 'main',
  auth_method: 'BEARER',
  credential: { token: github.token },
});

describe('connections over REST', () => {
  it('connect, verify, list, change: the same services in snake_case', async () => {
    const caller = await newCaller();
    const made = await call(caller, 'POST', CONNECTIONS, command());
    expect(made).toMatchObject({
      status: 201,
      body: {
        connection: {
          provider_id: 'github',
          name: 'main',
          status: 'PENDING_VERIFICATION',
          auth_method: 'BEARER',
        },
      },
    });
    const { id } = made.body.connection as { id: string };
    const { url, secret } = made.body.webhook;
    expect((await post(url, await githubDelivery('ping', { zen: 'x' }, secret))).status).toBe(202);

    const verified = await call(caller, 'POST', `${CONNECTIONS}/${id}/verify`);
    expect(verified).toMatchObject({
      status: 200,
      body: { connection: { status: 'ACTIVE', granted_scopes: ['repo', 'read:user'] } },
    });
    const changed = await call(caller, 'PATCH', `${CONNECTIONS}/${id}`, { name: 'renamed', tags: ['a'] });
    expect(changed.body.connection).toMatchObject({ id, name: 'renamed', tags: ['a'] });
    const list = await call(caller, 'GET', `${CONNECTIONS}?status=ACTIVE&first=1&tag=a`);
    expect(list.body).toMatchObject({ connections: [{ id }], page_info: { has_next_page: false } });
    expect((await call(caller, 'GET', `${CONNECTIONS}?status=ERROR`)).body).toMatchObject({
      connections: [],
    });

    await expect
      .poll(async () => (await call(caller, 'GET', `/internal/integrations/connections/${id}/health`)).body)
      .toMatchObject({ connection_id: id, status: 'HEALTHY', requests_1h: 1, errors_1h: 0 });
    expect(JSON.stringify([verified.body, changed.body, list.body])).not.toContain(github.token);
  });

  it('asks for a token, and for the scope', async () => {
    const reader = await newCaller('integrations:read');
    expect(await call({ token: 'x' }, 'GET', CONNECTIONS)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED' } },
    });
    expect(await call(reader, 'POST', CONNECTIONS, command())).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', details: { required_scope: 'integrations:write' } } },
    });
    expect((await call(reader, 'GET', CONNECTIONS)).status).toBe(200);
  });

  it.each<[string, string, string, unknown, number, string]>([
    ['no body', 'POST', '', undefined, 400, 'MALFORMED_REQUEST'],
    ['a body that is null', 'POST', '', 'null', 400, 'MALFORMED_REQUEST'],
    ['a list for a body', 'POST', '', [], 400, 'MALFORMED_REQUEST'],
    ['broken JSON', 'POST', '', '{"name":', 400, 'MALFORMED_REQUEST'],
    ['a missing field', 'POST', '', { provider_id: 'github' }, 400, 'INVALID_INPUT'],
    [
      'an unknown field',
      'POST',
      '',
      {
        provider_id: 'github',
        name: 'x',
        auth_method: 'BEARER',
        credential: { token: 'x' },
        color: 1,
      },
      400,
      'INVALID_INPUT',
    ],
    [
      'an unknown provider',
      'POST',
      '',
      { provider_id: 'nowhere', name: 'x', auth_method: 'BEARER' },
      404,
      'NOT_FOUND',
    ],
    ['an unknown status', 'GET', '?status=GONE', undefined, 400, 'INVALID_INPUT'],
    ['a page of nothing', 'GET', '?first=0', undefined, 400, 'INVALID_INPUT'],
    ['a page of words', 'GET', '?first=many', undefined, 400, 'INVALID_INPUT'],
    ['a cursor of nothing', 'GET', '?after=x', undefined, 400, 'INVALID_CURSOR'],
    ['an unknown id', 'POST', `/${randomUUID()}/verify`, undefined, 404, 'NOT_FOUND'],
    ['an id that is none', 'PATCH', '/x', { name: 'x' }, 404, 'NOT_FOUND'],
  ])('%s: a code in the one shape', async (_name, method, path, body, status, code) => {
    const answer = await call(await newCaller(), method, CONNECTIONS + path, body);
    expect(answer).toMatchObject({
      status,
      body: {
        error: {
          code,
          message: expect.any(String),
          details: expect.any(Object),
          timestamp: expect.any(String),
        },
      },
    });
  });

  it('another tenant’s connection is NOT_FOUND on every route', async () => {
    const { id } = (await call(await newCaller(), 'POST', CONNECTIONS, command())).body.connection as {
      id: string;
    };
    const stranger = await newCaller();
    const answers = [
      await call(stranger, 'POST', `${CONNECTIONS}/${id}/verify`),
      await call(stranger, 'PATCH', `${CONNECTIONS}/${id}`, { name: 'mine' }),
      await call(stranger, 'GET', `/internal/integrations/connections/${id}/health`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect((await call(stranger, 'GET', CONNECTIONS)).body).toMatchObject({ connections: [] });
  });
});
