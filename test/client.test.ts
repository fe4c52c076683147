import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Cut, type FollowOptions, followSignals } from '../src/client/index.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { systemClock } from '../src/core/clock.js';
import { createLog } from '../src/core/log.js';
import { openDb } from '../src/core/db.js';
import { createMetrics } from '../src/core/metrics.js';
import { migrations } from '../src/migrations/index.js';
import { createJournal } from '../src/signal/journal.js';
import { Signal } from '../src/signal/signal.entity.js';
import { type TestApp, startTestApp } from './support/app.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { journalEntry } from './support/journal.js';

// A small program's way to keep up, against the real server over lines that fail.

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

interface Told {
  readonly cursor: string;
  readonly correlationId: string;
}

const FROM_START = Buffer.from('signals:0').toString('base64url');
const portOf = (url: string): number => Number(new URL(url).port);
const socketUrl = (port: number): string => `ws://127.0.0.1:${port}/graphql`;
const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `signal-${from + n}`);

/** A tenant of the test's own, and a writer of its signals. */
async function begin() {
  const tenantId = `tenant-${randomUUID()}`;
  const log = createLog('silent');
  const db = await openDb({ url: app.database.url, entities: [Signal], migrations, log });
  onTestFinished(() => db.close());
  const journal = createJournal({ pool: db.doors, log, metrics: createMetrics() });
  const connection = randomUUID();
  const { token } = await app.caller(tenantId);
  return {
    tenantId,
    token,
    tell: (from: number, to: number) =>
      Promise.all(names(from, to).map((name) => journal.append(journalEntry(tenantId, connection, name)))),
  };
}

/** Follows from the beginning until the test ends. */
function follow(options: FollowOptions) {
  const seen: string[] = [];
  const cuts: Cut[] = [];
  const abort = new AbortController();
  const ended = (async () => {
    const all = { after: FROM_START, abort: abort.signal, onCut: (cut: Cut) => void cuts.push(cut) };
    for await (const { correlationId } of followSignals<Told>({ ...all, ...options }))
      seen.push(correlationId);
  })();
  onTestFinished(async () => {
    abort.abort();
    await ended.catch(() => undefined);
  });
  return { seen, cuts, abort, ended };
}

async function useProxy() {
  const proxy = await startFaultProxy(() => portOf(app.url));
  onTestFinished(() => proxy.close());
  return { ...proxy, url: socketUrl(proxy.port) };
}

/** A gateway that passes messages on, and ends subscriptions as if all were well when it is told that we are gone. */
async function useGateway(onGone: (client: WebSocket, ids: readonly string[]) => void) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => 'graphql-transport-ws',
  });
  const clients = new Map<WebSocket, string[]>();
  const heard: string[] = [];
  server.on('connection', (client) => {
    const ids: string[] = [];
    clients.set(
      client.on('close', () => clients.delete(client)),
      ids,
    );
    const far = new WebSocket(socketUrl(portOf(app.url)), 'graphql-transport-ws');
    const opened = once(far, 'open');
    client.on('message', (data: Buffer) => {
      const { type, id } = JSON.parse(data.toString()) as { type: string; id: string };
      heard.push(type);
      if (type === 'subscribe') ids.push(id);
      void opened.then(() => far.send(data.toString()));
    });
    far.on('message', (data: Buffer) => client.send(data.toString()));
    client.on('close', () => far.terminate());
  });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of clients.keys()) client.terminate();
    server.close();
  });
  return {
    url: socketUrl((server.address() as AddressInfo).port),
    heard: (what: string) => heard.filter((type) => type === what).length,
    lose: () => clients.forEach((ids, client) => onGone(client, ids)),
  };
}

describe('followSignals', () => {
  it('goes on behind the last signal when the line is cut, again and again', async () => {
    const { token, tell } = await begin();
    const proxy = await useProxy();
    const { seen, cuts } = follow({ url: proxy.url, token: () => token });
    for (let round = 0; round < 4; round += 1) {
      await tell(round * 10, round * 10 + 5);
      proxy.cutOne();
      await tell(round * 10 + 5, round * 10 + 10);
      await expect.poll(() => seen).toHaveLength((round + 1) * 10);
    }
    expect(seen.toSorted()).toEqual(names(0, 40).toSorted());
    expect(cuts.map(({ code }) => code)).toContain('1006');
  });

  it.each([
    [
      'completes the subscription',
      'COMPLETE',
      (client: WebSocket, ids: readonly string[]) =>
        ids.forEach((id) => client.send(JSON.stringify({ type: 'complete', id }))),
    ],
    ['closes the socket normally', '1000', (client: WebSocket) => client.close(1000)],
  ] as const)('takes a gateway that %s for no end', async (_name, code, onGone) => {
    const { token, tell } = await begin();
    const gateway = await useGateway(onGone);
    const { seen, cuts } = follow({ url: gateway.url, token: () => token });
    await tell(0, 3);
    await expect.poll(() => seen).toHaveLength(3);
    gateway.lose();
    await tell(3, 6);
    await expect.poll(() => seen).toHaveLength(6);
    await tell(6, 9);
    await expect.poll(() => seen).toHaveLength(9);
    expect(new Set(seen)).toEqual(new Set(names(0, 9)));
    expect(cuts.map((cut) => cut.code)).toEqual([code]);
    expect(gateway.heard('subscribe')).toBe(2);
  });

  it('notices a line on which nothing comes any more, also one that never opens', async () => {
    const { token, tell } = await begin();
    const proxy = await useProxy();
    const { seen, cuts } = follow({ url: proxy.url, token: () => token, silenceMs: 300 });
    await tell(0, 2);
    await expect.poll(() => seen).toHaveLength(2);
    proxy.freeze();
    await tell(2, 4);
    await expect.poll(() => cuts.length).toBeGreaterThanOrEqual(2);
    expect(new Set(cuts.map(({ code }) => code))).toEqual(new Set(['SILENT']));
    proxy.mend();
    await expect.poll(() => new Set(seen)).toEqual(new Set(names(0, 4)));
    expect(seen).toHaveLength(4);
  });

  it('takes a line for alive on which nothing happens but signs of life', async () => {
    const { token } = await begin();
    const gateway = await useGateway(() => {});
    const { cuts } = follow({ url: gateway.url, token: () => token, silenceMs: 400 });
    await expect.poll(() => gateway.heard('ping')).toBeGreaterThanOrEqual(5);
    expect(cuts).toEqual([]);
  });

  it('asks for a token at each connection', async () => {
    const { tenantId, tell } = await begin();
    const claims = { tenantId, subject: 'ada', scope: 'integrations:read' };
    let asked = 0;
    const token = () => {
      const lifetimeSeconds = (asked += 1) === 1 ? 2 : 600;
      return issueDevelopmentToken(app.config, { ...claims, lifetimeSeconds }, systemClock);
    };
    const { seen, cuts } = follow({ url: socketUrl(portOf(app.url)), token });
    await expect.poll(() => cuts.map(({ code }) => code)).toEqual(['4403']);
    await tell(0, 2);
    await expect.poll(() => seen).toHaveLength(2);
    expect(asked).toBe(2);
  });

  it('throws what no repetition mends, with the server’s code', async () => {
    const { tenantId, token } = await begin();
    const url = socketUrl(portOf(app.url));
    await expect(follow({ url, token: () => token, after: 'nonsense' }).ended).rejects.toMatchObject({
      name: 'FeedRefused',
      code: 'INVALID_CURSOR',
    });
    const { token: weak } = await app.caller(tenantId, 'integrations:write');
    await expect(follow({ url, token: () => weak }).ended).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { required_scope: 'integrations:read' },
    });
    await expect(follow({ url: 'nowhere', token: () => token }).ended).rejects.toThrow('Invalid URL');
  });

  it('keeps at most a thousand signals for a consumer that is slow, and loses none', async () => {
    const { token, tell } = await begin();
    await tell(0, 2_600);
    let closed = 0;
    const Counted = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        this.on('close', () => (closed += 1));
      }
    };
    const cuts: Cut[] = [];
    const stream = followSignals<Told>({
      url: socketUrl(portOf(app.url)),
      token: () => token,
      after: FROM_START,
      webSocketImpl: Counted,
      onCut: (cut) => void cuts.push(cut),
    });
    const seen = [(await stream.next()).value?.correlationId];
    await expect.poll(() => closed).toBe(1);
    while (seen.length < 2_600) seen.push((await stream.next()).value?.correlationId);
    await stream.return();
    expect(new Set(seen)).toEqual(new Set(names(0, 2_600)));
    expect(cuts).toEqual([]);
  });

  it('ends when it is told to, while it waits', async () => {
    const { token, tell } = await begin();
    const { seen, abort, ended } = follow({ url: socketUrl(portOf(app.url)), token: () => token });
    await tell(0, 1);
    await expect.poll(() => seen).toHaveLength(1);
    abort.abort();
    await ended;
  });
});
