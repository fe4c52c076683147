import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VerifyDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';

let app: TestApp;
let github: FakeGitHub;
let caller: TestCaller;
let connectionId: string;
beforeAll(async () => {
  github = await startFakeGitHub(createTestClock());
  app = await startTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  caller = await app.caller();
  ({ connectionId } = await connectGitHub(caller, undefined, github.token));
  await caller.get(VerifyDocument, { connectionId });
});
afterAll(async () => {
  await app.close();
  await github.provider.close();
});

interface Told {
  readonly code: string;
  readonly message: string;
}

/** As text: JSON that JavaScript would not write the same way again is what is tried here. */
async function post(path: string, body: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${caller.token}`, 'content-type': 'application/json' };
  return (await fetch(app.url + path, { method: 'POST', headers, body })).json();
}

async function graphql(query: string, variables: string): Promise<Told | undefined> {
  const answer = await post('/graphql', `{ "query": ${JSON.stringify(query)}, "variables": ${variables} }`);
  const { errors: [error] = [] } = answer as { errors?: { message: string; extensions: { code: string } }[] };
  return error && { code: error.extensions.code, message: error.message };
}

async function rest(body: string): Promise<Told | undefined> {
  const { error } = (await post('/internal/integrations/actions/execute', body)) as { error?: Told };
  return error && { code: error.code, message: error.message };
}

const EXECUTE = 'mutation ($input: ExecuteActionInput!) { executeAction(input: $input) { id } }';

/** What is told of one field of a verb, by GraphQL and by REST. */
async function tell(verb: string, field: string, value: string, others: object) {
  const more = JSON.stringify(others).slice(1, -1);
  const input = `{ "${field}": ${value}, ${more} }`;
  const key = () => `"${randomUUID()}"`;
  const type = verb.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    byGraphQL: await graphql(
      EXECUTE,
      `{ "input": { "connectionId": "${connectionId}", "idempotencyKey": ${key()}, "action": { "${verb}": ${input} } } }`,
    ),
    byRest: await rest(
      `{ "connection_id": "${connectionId}", "idempotency_key": ${key()}, "canonical_type": "${type}", "payload": ${input} }`,
    ),
  };
}

const issue = { project: 'octo/demo' };
const custom = { name: 'x' };
const comment = { repository: 'octo/demo', body: 'x' };
const HALF = 'must be Unicode text, with no half of a surrogate pair';
const BITS = `must be at most ${Number.MAX_SAFE_INTEGER} either way; send more digits as text`;

describe('what an action takes, by GraphQL and by REST alike', () => {
  it.each<[verb: string, field: string, value: string, others: object, message: string]>([
    ['createIssue', 'title', String.raw`"a\ud800"`, issue, `action.createIssue.title: ${HALF}`],
    [
      'createIssue',
      'title',
      `"${'💥'.repeat(256)}"`,
      issue,
      'action.createIssue.title: must NOT have more than 255 characters',
    ],
    [
      'createIssue',
      'body',
      `"${'x'.repeat(65_537)}"`,
      { ...issue, title: 'x' },
      'action.createIssue.body: must NOT have more than 65536 characters',
    ],
    [
      'createIssue',
      'labels',
      String.raw`["\udc00"]`,
      { ...issue, title: 'x' },
      `action.createIssue.labels.0: ${HALF}`,
    ],
    ['commentOnPullRequest', 'number', '0', comment, 'action.commentOnPullRequest.number: must be >= 1'],
    ['custom', 'parameters', '{ "n": 9007199254740993 }', custom, `action.custom.parameters.n: ${BITS}`],
    ['custom', 'parameters', '{ "n": [-9007199254740992] }', custom, `action.custom.parameters.n.0: ${BITS}`],
    ['custom', 'parameters', '{ "n": 18446744073709551615 }', custom, `action.custom.parameters.n: ${BITS}`],
    [
      'custom',
      'parameters',
      '{ "n": 1e999 }',
      custom,
      'action.custom.parameters.n: must be a number that is not too large',
    ],
  ])('%s.%s: %.40s', async (verb, field, value, others, message) => {
    const told = { code: 'INVALID_INPUT', message };
    expect(await tell(verb, field, value, others)).toEqual({ byGraphQL: told, byRest: told });
  });

  it('is not read as another number where a document has it', async () => {
    const parameters = '{ n: 9007199254740993 }';
    const query = `mutation { executeAction(input: { connectionId: "${connectionId}", idempotencyKey: "x",
      action: { custom: { name: "x", parameters: ${parameters} } } }) { id } }`;
    expect(await graphql(query, '{}')).toEqual({
      code: 'INVALID_INPUT',
      message: `action.custom.parameters.n: ${BITS}`,
    });
  });

  it('has no number that only one of them has', async () => {
    const told = await tell('commentOnPullRequest', 'number', '2147483648', comment);
    // GraphQL says it by its own type, before the schema is asked.
    expect(told).toEqual({
      byGraphQL: {
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(/number: Int cannot represent non 32-bit/),
      },
      byRest: { code: 'INVALID_INPUT', message: 'action.commentOnPullRequest.number: must be <= 2147483647' },
    });
  });

  it.each(['{ "__proto__": { "x": 1 } }', '{ "constructor": { "prototype": {} } }'])(
    'is not %s',
    async (value) => {
      const told = { code: 'MALFORMED_REQUEST', message: expect.stringContaining('__proto__') };
      expect(await tell('custom', 'parameters', value, custom)).toEqual({ byGraphQL: told, byRest: told });
      expect(({} as { x?: number }).x).toBeUndefined();
    },
  );

  it.each([
    ['astral characters', '"💥 👩‍👩‍👧 𝒳"'],
    ['as many of them as characters fit', `"${'💥'.repeat(255)}"`],
    ['NUL', String.raw`"a\u0000b"`],
    ['two halves that are one character', String.raw`"\ud83d\udca5"`],
  ])('may be %s, which arrive as they were sent', async (_, title) => {
    const before = github.provider.requests.length;
    expect(await tell('createIssue', 'title', title, issue)).toEqual({});
    const sent = github.provider.requests.slice(before).filter(({ method }) => method === 'POST');
    expect(sent.map(({ body }) => (body as { title: string }).title)).toEqual([
      JSON.parse(title),
      JSON.parse(title),
    ]);
  });
});

const SINCE = 'query ($since: DateTime!) { signals(filter: { since: $since }) { nodes { id } } }';

describe('a moment', () => {
  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    // Leap seconds have no place in the clocks of computers.
    '2016-12-31T23:59:60Z',
    '10000-01-01T00:00:00Z',
    '+010000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-14:00',
    '0001-01-01T00:00:00+14:00',
    '2026-01-01T00:00:00+25:00',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
  ])('is not %s, in no form of it', async (text) => {
    const message =
      'DateTime must be a moment as RFC 3339 text, such as 2026-11-21T09:30:00Z, of the years 1 to 9999.';
    expect(await graphql(SINCE, JSON.stringify({ since: text }))).toEqual({
      code: 'BAD_USER_INPUT',
      message: `Variable "$since" is not valid: ${message}`,
    });
  });

  it.each([
    '9999-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2026-01-01T00:00:00+14:00',
    '2026-01-01T00:00:00-00:00',
    '2026-01-01t00:00:00.123456789z',
  ])('is %s', async (text) => {
    expect(await graphql(SINCE, JSON.stringify({ since: text }))).toBeUndefined();
  });
});
