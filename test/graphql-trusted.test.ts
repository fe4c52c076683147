import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentId, readTrustedDocuments } from '../resolvers/trusted.js';
import * as operations from '../schema/generated/operations.js';
import { ProvidersDocument, SignalReceivedDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';

const MANIFEST = 'schema/generated/trusted-documents.json';

let app: TestApp;
let caller: TestCaller;
beforeAll(async () => {
  app = await startTestApp({ env: { GRAPHQL_TRUSTED_DOCUMENTS: MANIFEST } });
  caller = await app.caller();
});
afterAll(() => app.close());

async function post(body: object): Promise<{ data?: object; errors?: { extensions: { code: string } }[] }> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${caller.token}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Awaited<ReturnType<typeof post>>;
}

const byHash = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

describe('where only trusted documents are answered', () => {
  it('one of schema/operations is, however it is laid out', async () => {
    expect(await caller.ask(ProvidersDocument)).toMatchObject({ status: 200, errors: [] });
    const query = `# mine\n${print(ProvidersDocument).replaceAll('\n', '   \n')}`;
    expect(await caller.ask(query)).toMatchObject({ status: 200, errors: [] });
  });

  it('and by its id alone, as Apollo’s clients send it', async () => {
    const { data } = await post(byHash(documentId(ProvidersDocument)));
    expect(data).toHaveProperty('providers');
  });

  it('another is refused, over HTTP and over a socket', async () => {
    const refusal = { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' }, message: /registered/ };
    const expected = { ...refusal, message: expect.stringMatching(refusal.message) };
    expect(await caller.ask('{ __typename }')).toMatchObject({ status: 400, errors: [expected] });
    await expect(caller.socket().iterate({ query: '{ __typename }' }).next()).rejects.toMatchObject([
      expected,
    ]);
  });

  it('and can’t be registered by whoever sends it with its id', async () => {
    const other = '{ __typename }';
    const hash = await sha256(other);
    expect(await post({ query: other, ...byHash(hash) })).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect(await post(byHash(hash))).toMatchObject({
      errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    });
  });

  it('a trusted subscription is taken', async () => {
    const stream = caller.socket().iterate({
      query: print(SignalReceivedDocument),
      variables: { after: 'no cursor of ours' },
    });
    const outcome = await stream.next().catch((errors: unknown) => ({ value: { errors } }));
    expect(outcome.value).toMatchObject({ errors: [{ extensions: { code: 'INVALID_CURSOR' } }] });
  });

  it('every operation of schema/operations is one', () => {
    const trusted = readTrustedDocuments(MANIFEST);
    const documents = Object.entries(operations).filter(([name]) => name.endsWith('Document'));
    expect(documents.length).toBeGreaterThan(40);
    for (const [, document] of documents) trusted.require(document);
  });

  it.each(['package.json', 'nowhere.json'])('%s is no manifest, and that is said', (path) => {
    expect(() => readTrustedDocuments(path)).toThrow(/GRAPHQL_TRUSTED_DOCUMENTS: .* is no manifest/);
  });
});

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}
