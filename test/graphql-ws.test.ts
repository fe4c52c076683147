import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type TestApp, startTestApp } from './support/app.js';

let app: TestApp;
let token: string;
const lines: string[] = [];
beforeAll(async () => {
  app = await startTestApp({ log: pino({}, { write: (line) => lines.push(line) }) });
  ({ token } = await app.caller());
});
afterAll(() => app.close());

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** A socket without a library of GraphQL's. */
async function open(protocols = ['graphql-transport-ws']) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, protocols);
  onTestFinished(() => socket.terminate());
  const inbox: Message[] = [];
  socket.on('message', (data: Buffer) => inbox.push(JSON.parse(data.toString()) as Message));
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve);
  });
  await once(socket, 'open');
  const send = (message: Message | string): void =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  return { socket, inbox, closed, send };
}

async function openAndInit() {
  const raw = await open();
  raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  await expect.poll(() => raw.inbox).toEqual([{ type: 'connection_ack' }]);
  raw.inbox.length = 0;
  return raw;
}

const subscribe = (id: string, query = 'subscription { signalReceived { id } }'): Message => ({
  id,
  type: 'subscribe',
  payload: { query },
});

/** https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md; what test/subscriptions.test.ts tries already is not here. */
describe('graphql-transport-ws', () => {
  it('4406: no subprotocol', async () => {
    const { closed } = await open([]);
    expect(await closed).toBe(4406);
  });

  it('none is picked of those that it does not speak', async () => {
    await expect(open(['graphql-ws', 'soap'])).rejects.toThrow('Server sent no subprotocol');
  });

  it('4429: a second init', async () => {
    const { send, closed } = await openAndInit();
    send({ type: 'connection_init' });
    expect(await closed).toBe(4429);
  });

  it('4409: an id that is in use', async () => {
    const { send, closed } = await openAndInit();
    send(subscribe('1'));
    send(subscribe('1'));
    expect(await closed).toBe(4409);
  });

  it.each(['[]', '{"type":"nothing"}', '{"type":"subscribe","id":"1"}', '{"id":"1"}', 'null'])(
    '4400: %s',
    async (text) => {
      const { send, closed } = await openAndInit();
      send(text);
      expect(await closed).toBe(4400);
    },
  );

  it('a ping is answered by a pong with the same payload, before the init as well', async () => {
    const { send, inbox } = await open();
    send({ type: 'ping', payload: { at: 7 } });
    await expect.poll(() => inbox).toEqual([{ type: 'pong', payload: { at: 7 } }]);
  });

  it('an id may be used again once its operation is complete, on either side', async () => {
    const { send, inbox } = await openAndInit();
    send(subscribe('1', '{ __typename }'));
    await expect.poll(() => inbox.at(-1)).toEqual({ id: '1', type: 'complete' });
    send(subscribe('1'));
    send({ id: '1', type: 'complete' });
    send(subscribe('1', '{ __typename }'));
    await expect.poll(() => inbox.filter(({ type }) => type === 'next')).toHaveLength(2);
  });

  it('an error ends its operation and leaves the socket open', async () => {
    const { send, inbox, socket } = await openAndInit();
    send(subscribe('1', '{ nope }'));
    await expect
      .poll(() => inbox)
      .toMatchObject([
        { id: '1', type: 'error', payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      ]);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('1009: a message that is too large, which the log tells of and standard error does not', async () => {
    const printed = vi.spyOn(console, 'error');
    onTestFinished(() => printed.mockRestore());
    const { send, closed } = await openAndInit();
    send(subscribe('1', `{ ${'providers { id } '.repeat(10_000)} }`));
    expect(await closed).toBe(1009);
    await expect.poll(() => lines.join('')).toContain('a socket broke');
    expect(lines.join('')).toContain('Max payload size exceeded');
    expect(printed).not.toHaveBeenCalled();
  });
});
