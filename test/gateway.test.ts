import { randomUUID } from 'node:crypto';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionsDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { useSupergraph } from './support/gateway.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const newCaller = (scope?: string): Promise<TestCaller> => app.caller(`tenant-${randomUUID()}`, scope);

/** What both subgraphs have to answer a part of. */
const ACROSS = `query ($id: ID!) {
  connection(id: $id) { name tenant { id services { id name } } service { id name } }
}`;
const WATCHER = { id: 'greenhouse', name: 'Greenhouse' };

const issue = (n: number) => ({
  action: 'opened',
  issue: { id: n, number: n, title: `Issue ${n}` },
  repository: { full_name: 'acme/x' },
});

/** A signal with a field of the other subgraph's in it. */
const WATCH =
  'subscription ($after: Cursor) { signalReceived(after: $after) { id cursor connection { name service { name } } } }';
interface Watched {
  readonly signalReceived: { readonly id: string; readonly cursor: string; readonly connection: object };
}

describe('through Hive Gateway', () => {
  it('one query is answered by both subgraphs', async () => {
    const direct = await newCaller();
    const { connectionId } = await connectGitHub(direct, 'main');
    const { caller } = await useSupergraph(app.url);
    const through = caller(direct.token);
    expect(await through.ask(ACROSS, { id: connectionId })).toMatchObject({
      status: 200,
      errors: [],
      data: { connection: { name: 'main', service: WATCHER, tenant: { services: [WATCHER] } } },
    });
  });

  it('a caller sees what its own token may see, and errors keep their codes', async () => {
    const [mine, theirs] = [await newCaller(), await newCaller()];
    const { connectionId } = await connectGitHub(theirs);
    const { caller } = await useSupergraph(app.url);
    const through = caller(mine.token);
    expect((await through.get(ConnectionsDocument)).connections.nodes).toEqual([]);
    expect(await through.ask(ACROSS, { id: connectionId })).toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
    const writer = caller((await newCaller('integrations:write')).token);
    expect(await writer.ask(ConnectionsDocument)).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN', details: { required_scope: 'integrations:read' } } }],
    });
    const nobody = caller('garbage');
    expect(await nobody.ask(ConnectionsDocument)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('a subscription over WebSocket carries the token, and the other subgraph’s fields are filled in', async () => {
    const [mine, theirs] = [await newCaller(), await newCaller()];
    const [hook, foreign] = [await connectGitHub(mine, 'mine'), await connectGitHub(theirs, 'theirs')];
    const { caller } = await useSupergraph(app.url);
    const stream = watch(caller(mine.token).socket(), FROM_START);
    const first = stream.next();
    await post(foreign.url, await githubDelivery('issues', issue(1), foreign.secret));
    const answer = await post(hook.url, await githubDelivery('issues', issue(2), hook.secret));
    expect((await first).value?.data?.signalReceived).toMatchObject({
      id: answer.body.signals?.[0],
      connection: { name: 'mine', service: { name: 'Greenhouse' } },
    });
    await stream.return?.();
  });

  it('so does one over SSE', async () => {
    const mine = await newCaller();
    const hook = await connectGitHub(mine, 'mine');
    const { url } = await useSupergraph(app.url);
    const events = await subscribeBySse(url, mine.token, { after: FROM_START });
    const answer = await post(hook.url, await githubDelivery('issues', issue(1), hook.secret));
    expect((await events.next()).data.signalReceived).toMatchObject({
      id: answer.body.signals?.[0],
      connection: { name: 'mine', service: { name: 'Greenhouse' } },
    });
  });

  it('a socket whose token is no good gets the subgraph’s no, and nothing else', async () => {
    const { caller } = await useSupergraph(app.url);
    const stream = watch(caller('garbage').socket(), FROM_START);
    expect((await stream.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    expect((await stream.next()).done).toBe(true);
  });
});

describe('through @apollo/gateway', () => {
  it('the same query is answered by both subgraphs', async () => {
    const direct = await newCaller();
    const { connectionId } = await connectGitHub(direct, 'main');
    const { unscopedSdl } = await useSupergraph(app.url);
    const gateway = new ApolloServer<{ token: string }>({
      gateway: new ApolloGateway({
        supergraphSdl: unscopedSdl,
        buildService: ({ url = '' }) =>
          new RemoteGraphQLDataSource<{ token: string }>({
            url,
            willSendRequest: ({ request, context }) =>
              request.http?.headers.set('authorization', `Bearer ${context.token}`),
          }),
      }),
      stopOnTerminationSignals: false,
    });
    await gateway.start();
    onTestFinished(() => gateway.stop());
    const { body } = await gateway.executeOperation(
      { query: ACROSS, variables: { id: connectionId } },
      { contextValue: { token: direct.token } },
    );
    expect(body).toMatchObject({
      singleResult: {
        data: { connection: { name: 'main', service: WATCHER, tenant: { services: [WATCHER] } } },
      },
    });
  });
});

/** A subscriber from the beginning of the tenant's feed: sequences start at one. */
const FROM_START = Buffer.from('signals:0').toString('base64url');

function watch(client: Client, after: string) {
  return client.iterate<Watched>({ query: WATCH, variables: { after } });
}

/** GraphQL over SSE, "distinct connections mode": https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
async function subscribeBySse(url: string, token: string, variables: object) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const { body } = await fetch(`${url}/graphql`, {
    method: 'POST',
    signal: abort.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: WATCH, variables }),
  });
  const chunks = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    /** The next event's data. */
    async next(): Promise<{ data: Watched }> {
      for (;;) {
        const event = /event: next\ndata: (.*)\n\n/.exec(text);
        if (event?.[1]) {
          text = text.slice(event.index + event[0].length);
          return JSON.parse(event[1]) as { data: Watched };
        }
        const { value, done } = await chunks.read();
        if (done) throw new Error(`The stream ended: ${text}`);
        text += value;
      }
    },
  };
}
