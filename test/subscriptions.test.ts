import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { print } from 'graphql';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connectors } from '../connectors/index.js';
import {
  ProvidersDocument,
  SignalReceivedDocument,
  type SignalReceivedSubscription,
  type SignalReceivedSubscriptionVariables,
  SignalsDocument,
} from '../schema/generated/operations.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { systemClock } from '../src/core/clock.js';
import { type TestApp, type TestCaller, createCaller, startTestApp, useTestApp } from './support/app.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

type Received = SignalReceivedSubscription['signalReceived'];

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const newCaller = (): Promise<TestCaller> => app.caller(`tenant-${randomUUID()}`);

function subscribe(client: Client, variables: SignalReceivedSubscriptionVariables = {}) {
  return client.iterate<SignalReceivedSubscription>({
    query: print(SignalReceivedDocument),
    variables: { ...variables },
  });
}

type Stream = ReturnType<typeof subscribe>;

async function take(stream: Stream, count: number): Promise<Received[]> {
  const taken: Received[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    if (value.data) taken.push(value.data.signalReceived);
  }
  return taken;
}

async function send({ url, secret }: Hook, count: number, first = 0): Promise<string[]> {
  const ids: string[] = [];
  for (let n = first; n < first + count; n += 1) {
    const payload = {
      action: 'opened',
      issue: { id: n, number: n, title: `Issue ${n}` },
      repository: { full_name: 'acme/x' },
    };
    const answer = await post(url, await githubDelivery('issues', payload, secret));
    ids.push(...(answer.body.signals ?? []));
  }
  return ids;
}

const ids = (signals: readonly Received[]): string[] => signals.map(({ id }) => id);

/** A subscriber from the beginning of the tenant's feed: sequences start at one. */
const FROM_START = Buffer.from('signals:0').toString('base64url');

describe('signalReceived', () => {
  it('delivers what was missed, then what is live, once each and in order', async () => {
    const caller = await newCaller();
    const hook = await connectGitHub(caller);
    const missed = await send(hook, 10);
    const stream = subscribe(caller.socket(), { after: FROM_START });
    expect(ids(await take(stream, 10))).toEqual(missed);
    const live = take(stream, 10);
    const sent = await send(hook, 10, 10);
    expect(ids(await live)).toEqual(sent);
    await stream.return?.();
  });

  it('cut at random points and resumed with the last cursor, shows every signal once', async () => {
    const caller = await newCaller();
    const hook = await connectGitHub(caller);
    const total = 120;
    const seen: Received[] = [];
    const reading = (async () => {
      while (seen.length < total) {
        const client = caller.socket();
        const stream = subscribe(client, { after: seen.at(-1)?.cursor ?? FROM_START });
        const signals = await take(stream, Math.min(1 + Math.floor(Math.random() * 20), total - seen.length));
        seen.push(...signals);
        // Not a polite goodbye: the socket is gone in the middle of things.
        client.terminate();
      }
    })();
    const sent = await send(hook, total);
    await reading;
    expect(ids(seen)).toEqual(sent);
  });

  it('filters', async () => {
    const caller = await newCaller();
    const [wanted, other] = [await connectGitHub(caller), await connectGitHub(caller)];
    const filter = { connectionIds: [wanted.connectionId], types: ['issue_created'] };
    const stream = subscribe(caller.socket(), { after: FROM_START, filter });
    const seen = take(stream, 6);
    await send(other, 3);
    const first = await send(wanted, 3);
    await post(wanted.url, await githubDelivery('ping', { zen: '…' }, wanted.secret));
    await send(other, 3, 3);
    const second = await send(wanted, 3, 3);
    expect(ids(await seen)).toEqual([...first, ...second]);
    await stream.return?.();
  });

  it('shows a tenant its own signals only', async () => {
    const [mine, theirs] = [await newCaller(), await newCaller()];
    const [myHook, theirHook] = [await connectGitHub(mine), await connectGitHub(theirs)];
    const stream = subscribe(mine.socket(), { after: FROM_START });
    const seen = take(stream, 3);
    await send(theirHook, 3);
    const sent = await send(myHook, 3);
    expect(ids(await seen)).toEqual(sent);
    await stream.return?.();
  });

  it('delivers a webhook taken by one process to a subscriber of another', async () => {
    const caller = await app.caller('two-processes');
    const hook = await connectGitHub(caller);
    const second = await useTestApp({ beside: app });
    const stream = subscribe((await second.caller('two-processes')).socket(), { after: FROM_START });
    const seen = take(stream, 5);
    const sent = await send(hook, 5);
    expect(ids(await seen)).toEqual(sent);
    await stream.return?.();
  });

  it('agrees with the query: one order, one cursor', async () => {
    const caller = await newCaller();
    const sent = await send(await connectGitHub(caller), 6);
    const { signals } = await caller.get(SignalsDocument, { first: 3 });
    const stream = subscribe(caller.socket(), { after: signals.pageInfo.endCursor });
    expect([...signals.nodes.map(({ id }) => id), ...ids(await take(stream, 3))]).toEqual(sent);
    await stream.return?.();
  });

  it('refuses a foreign cursor with a code', async () => {
    const caller = await newCaller();
    const { value } = await subscribe(caller.socket(), { after: 'nonsense' }).next();
    expect(value).toMatchObject({ errors: [{ extensions: { code: 'INVALID_CURSOR' } }] });
  });

  it('needs the scope to read', async () => {
    const caller = await app.caller('acme', 'integrations:write');
    const { value } = await subscribe(caller.socket()).next();
    expect(value).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('frees its place when the socket goes', async () => {
    const caller = await newCaller();
    const client = caller.socket();
    const before = await subscribers();
    const streams = [subscribe(client), subscribe(client), subscribe(client)];
    for (const stream of streams) void stream.next().catch(() => undefined);
    await expect.poll(subscribers).toBe(before + 3);
    client.terminate();
    await expect.poll(subscribers).toBe(before);
  });

  it('ends with "going away" when the process stops, so that clients come back elsewhere', async () => {
    const stopping = await startTestApp();
    const { token } = await stopping.caller();
    const socket = await open(stopping, { authorization: `Bearer ${token}` });
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query: print(SignalReceivedDocument) } }),
    );
    const closed = once(socket, 'close');
    await stopping.close();
    expect((await closed)[0]).toBe(1001);
  });
});

async function subscribers(): Promise<number> {
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  return Number(/^tributary_feed_subscribers (\d+)$/m.exec(metrics)?.[1]);
}

/** A raw socket that has been acknowledged. */
async function open(
  target: TestApp,
  payload: object,
  protocols: string | string[] = 'graphql-transport-ws',
): Promise<WebSocket> {
  const socket = new WebSocket(`${target.url.replace('http', 'ws')}/graphql`, protocols);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  await Promise.race([once(socket, 'message'), once(socket, 'close')]);
  return socket;
}

async function closeOf(socket: WebSocket): Promise<number> {
  return socket.readyState === WebSocket.CLOSED ? -1 : ((await once(socket, 'close')) as [number])[0];
}

describe('a socket', () => {
  it.each([
    ['no token', {}],
    ['a bad token', { authorization: 'Bearer nope' }],
    ['a token that is no text', { authorization: 7 }],
  ])('with %s is closed with 4403', async (_name, payload) => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    expect(await closeOf(socket)).toBe(4403);
  });

  it('takes its token from the Authorization header as well', async () => {
    const { token } = await newCaller();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { authorization: `Bearer ${token}` },
    });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toMatchObject({ type: 'connection_ack' });
  });

  it('lives as long as its token, then is closed with 4403', async () => {
    const claims = { tenantId: 'acme', subject: 'ada', scope: 'integrations:read', lifetimeSeconds: 2 };
    const token = await issueDevelopmentToken(app.config, claims, systemClock);
    const socket = await open(app, { authorization: `Bearer ${token}` });
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(await closeOf(socket)).toBe(4403);
  });

  it('that asks before it has said who it is is closed with 4401', async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: print(ProvidersDocument) } }));
    expect(await closeOf(socket)).toBe(4401);
  });

  it('that says nothing is closed with 4408', async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    expect(await closeOf(socket)).toBe(4408);
  });

  it('that sends garbage is closed with 4400, and one with a message without end with 1009', async () => {
    const { token } = await newCaller();
    const garbage = await open(app, { authorization: `Bearer ${token}` });
    garbage.send('{"type":');
    expect(await closeOf(garbage)).toBe(4400);
    const endless = await open(app, { authorization: `Bearer ${token}` });
    endless.send('x'.repeat(65 * 1024));
    expect(await closeOf(endless)).toBe(1009);
  });

  it('of another protocol, or to another path, gets nowhere', async () => {
    const wrongProtocol = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-ws');
    await expect(once(wrongProtocol, 'open')).rejects.toThrow(/subprotocol/);
    const wrongPath = new WebSocket(`${app.url.replace('http', 'ws')}/elsewhere`, 'graphql-transport-ws');
    await expect(once(wrongPath, 'open')).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  it('answers queries, and errors in the same form as HTTP', async () => {
    const caller = await newCaller();
    const client = caller.socket();
    const providers = client.iterate({ query: print(ProvidersDocument) });
    expect((await providers.next()).value.data.providers).toHaveLength(connectors.length + 1);
    const invalid = client.iterate({ query: '{ nope }' });
    await expect(invalid.next()).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    const unknown = client.iterate({ query: '{ connection(id: "x") { id } }' });
    expect((await unknown.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND', details: {} } }],
    });
  });

  it('survives a document that can’t be parsed, and one whose variables are wrong', async () => {
    const caller = await newCaller();
    const hook = await connectGitHub(caller);
    const client = caller.socket();
    const stream = subscribe(client, { after: FROM_START });
    const seen = take(stream, 2);
    const sent = await send(hook, 1);
    await expect(client.iterate({ query: '{ providers {' }).next()).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_PARSE_FAILED' } },
    ]);
    const wrong = await client
      .iterate({ query: print(SignalsDocument), variables: { first: 'many' } })
      .next();
    expect(wrong.value).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    sent.push(...(await send(hook, 1, 1)));
    expect(ids(await seen)).toEqual(sent);
    await stream.return?.();
  });

  it('is not kept busy by fragments that spread each other over and over', async () => {
    const caller = await newCaller();
    const spreads = (name: string) => `...${name} `.repeat(30);
    const fragments = Array.from(
      { length: 8 },
      (_, n) => `fragment F${n} on Query { ${n === 7 ? 'providers { id }' : spreads(`F${n + 1}`)} }`,
    );
    const began = performance.now();
    const answer = await caller.ask(`{ ${spreads('F0')} } ${fragments.join(' ')}`);
    expect(answer).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('carries a hundred operations at once, and says so to the next', async () => {
    const caller = await newCaller();
    const client = caller.socket();
    const before = await subscribers();
    const streams = Array.from({ length: 100 }, () => subscribe(client));
    for (const stream of streams) void stream.next().catch(() => undefined);
    await expect.poll(subscribers).toBe(before + 100);
    await expect(subscribe(client).next()).rejects.toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
    client.terminate();
    await expect.poll(subscribers).toBe(before);
  });
});

describe('many subscribers', () => {
  it('each get everything', async () => {
    const caller = await newCaller();
    const hook = await connectGitHub(caller);
    const streams = Array.from({ length: 20 }, () => subscribe(createSocket(caller), { after: FROM_START }));
    const all = Promise.all(streams.map((stream) => take(stream, 15)));
    const sent = await send(hook, 15);
    for (const signals of await all) expect(ids(signals)).toEqual(sent);
  });
});

function createSocket(caller: TestCaller): Client {
  const client = createCaller(app.url, caller.token).socket();
  onTestFinished(() => void client.dispose());
  return client;
}
