import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';

/** A hundred operations on a socket, as by default, and two sockets full of subscriptions for a tenant. */
const MOST = 200;
const ON_A_SOCKET = 100;

type Errors = readonly { readonly extensions: { readonly code: string } }[];

/** Refused before it is executed, or by what executes it. */
interface Message {
  readonly type: string;
  readonly payload?: Errors | { readonly errors?: Errors };
}

/** A socket that has been let in, without a library that would keep it from asking too much. */
async function open({ url }: TestApp, { token }: TestCaller) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, ['graphql-transport-ws']);
  onTestFinished(() => socket.terminate());
  const codes: string[] = [];
  socket.on('message', (data: Buffer) => {
    const { payload = [] } = JSON.parse(data.toString()) as Message;
    const errors = 'errors' in payload ? payload.errors : (payload as Errors);
    codes.push(...(errors ?? []).map(({ extensions }) => extensions.code));
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  return {
    socket,
    codes,
    subscribe(count: number) {
      const payload = { query: 'subscription { signalReceived { id } }' };
      for (let n = 0; n < count; n += 1)
        socket.send(JSON.stringify({ type: 'subscribe', id: String(n), payload }));
    },
  };
}

/** Heap in use when what nobody holds is gone. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

async function live({ url }: TestApp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tributary_feed_subscribers (\d+)$/m.exec(text)?.[1]);
}

/** How long each of these takes to be answered, in milliseconds, one after the other, until told to stop. */
function ask(caller: TestCaller): { stop(): Promise<number[]> } {
  const took: number[] = [];
  const stopping = new AbortController();
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      const { status } = await caller.ask('{ connections(first: 1) { nodes { id } } }');
      expect(status).toBe(200);
      took.push(performance.now() - began);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await asking;
      return took;
    },
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

it('a storm of subscriptions is refused at once, holds nothing, and lets other tenants be', async () => {
  const app = await useTestApp({ env: { GRAPHQL_MAX_SUBSCRIPTIONS: String(MOST) } });
  const [stormy, calm] = [await app.caller('stormy'), await app.caller('calm')];
  // So that nothing is done for the first time below.
  const first = await open(app, stormy);
  first.subscribe(ON_A_SOCKET + 1);
  await expect.poll(() => first.codes).toHaveLength(1);
  const quiet = ask(calm);
  await expect.poll(() => live(app)).toBe(ON_A_SOCKET);
  first.socket.terminate();
  await expect.poll(() => live(app)).toBe(0);
  const usual = median(await quiet.stop());
  const before = heapBytes();

  const watching = ask(calm);
  const sockets = await Promise.all(Array.from({ length: 5 }, () => open(app, stormy)));
  const [one, ...others] = sockets;
  one?.subscribe(1_000);
  for (const { subscribe } of others) subscribe(ON_A_SOCKET);
  const refused = () => sockets.flatMap(({ codes }) => codes);
  await expect.poll(() => refused().length, { timeout: 30_000 }).toBe(1_000 + 4 * ON_A_SOCKET - MOST);
  const during = await watching.stop();
  expect(new Set(refused())).toEqual(new Set(['RATE_LIMITED']));
  expect(await live(app)).toBe(MOST);
  expect(heapBytes() - before).toBeLessThan(50e6);
  // Each waits for its turn as ever, and not for the storm to be over.
  expect(during.length).toBeGreaterThan(10);
  expect(median(during)).toBeLessThan(10 * Math.max(10, usual));

  for (const { socket } of sockets) socket.terminate();
  await expect.poll(() => live(app)).toBe(0);
  const after = await open(app, stormy);
  after.subscribe(ON_A_SOCKET);
  await expect.poll(() => live(app)).toBe(ON_A_SOCKET);
  expect(after.codes).toEqual([]);
});
