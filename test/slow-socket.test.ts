import { type Channel, channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type TestCaller, useTestApp } from './support/app.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

const TEXT_BYTES = 8_000;
/** How often the text is asked for: an answer is then large, and a delivery is not. */
const TIMES = 10;
const ANSWER_BYTES = TIMES * TEXT_BYTES;
/**
 * By far more bytes than a kernel takes on behalf of a socket, and few enough to be there before the server misses the
 * answers to its pings.
 */
const SIGNALS = 240;
const AT_ONCE = 20;
/** What the server may hold of one socket: 64 KiB, and the answer that went beyond it, with some room for its frame. */
const MOST_HELD = 64 * 1024 + 2 * ANSWER_BYTES;
/** Sequences of a tenant's feed start at one. */
const FROM_START = Buffer.from('signals:0').toString('base64url');

/** Each connection that the server accepts, as Node tells of it. */
function useAccepted(): Map<number | undefined, Socket> {
  const accepted = new Map<number | undefined, Socket>();
  const told: Channel = channel('net.server.socket');
  const keep = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    accepted.set(socket.remotePort, socket);
  };
  told.subscribe(keep);
  onTestFinished(() => {
    told.unsubscribe(keep);
  });
  return accepted;
}

interface Subscriber {
  readonly socket: WebSocket;
  /** Ours, by which the server’s end is found. */
  readonly port: number | undefined;
  /** Sequences as they came. */
  readonly sequences: number[];
}

/** Speaks graphql-transport-ws by itself: no client’s own buffer may hide what the server does. */
async function subscribe(url: string, { token }: TestCaller): Promise<Subscriber> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  onTestFinished(() => socket.terminate());
  const sequences: number[] = [];
  const [upgrade] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  const [{ socket: line }] = upgrade as [IncomingMessage];
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  socket.on('message', (text: Buffer) => {
    const { type, payload } = JSON.parse(text.toString());
    if (type === 'next') sequences.push(Number(payload.data.signalReceived.sequence));
  });
  const payloads = Array.from({ length: TIMES }, (_, n) => `text${n}: payload`);
  const query = `subscription { signalReceived(after: "${FROM_START}") { sequence ${payloads.join(' ')} } }`;
  socket.send(JSON.stringify({ id: 'feed', type: 'subscribe', payload: { query } }));
  return { socket, port: line.localPort, sequences };
}

async function send({ url, secret }: Hook, number: number): Promise<void> {
  const issue = { id: number, number, title: `Issue ${number}`, body: 'x'.repeat(TEXT_BYTES) };
  const payload = { action: 'opened', issue, repository: { full_name: 'acme/x' } };
  const { status } = await post(url, await githubDelivery('issues', payload, secret));
  expect(status).toBe(202);
}

it('a socket that does not read holds up nobody and little memory, and misses nothing', async () => {
  const app = await useTestApp({ env: { WEBHOOK_RATE_PER_SECOND: '10000' } });
  const accepted = useAccepted();
  const caller = await app.caller();
  const hook = await connectGitHub(caller);
  const [slow, quick] = [await subscribe(app.url, caller), await subscribe(app.url, caller)];
  await send(hook, 1);
  await expect.poll(() => [slow.sequences.length, quick.sequences.length]).toEqual([1, 1]);
  const line = accepted.get(slow.port);
  if (!line) throw new Error('the server accepted no such connection');
  slow.socket.pause();

  let mostHeld = 0;
  for (let sent = 1; sent < SIGNALS; sent += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, SIGNALS - sent) }, (_, n) => sent + n + 1);
    await Promise.all(numbers.map((number) => send(hook, number)));
    mostHeld = Math.max(mostHeld, line.writableLength);
  }
  // The other one has all of them meanwhile, in order.
  await expect.poll(() => quick.sequences.length).toBe(SIGNALS);
  expect(quick.sequences).toEqual(quick.sequences.toSorted((one, other) => one - other));
  expect(new Set(quick.sequences).size).toBe(SIGNALS);
  // It was held up, or this shows nothing: much has not been written.
  expect(line.bytesWritten).toBeLessThan(SIGNALS * ANSWER_BYTES * 0.8);
  expect(mostHeld).toBeGreaterThan(0);
  expect(mostHeld).toBeLessThan(MOST_HELD);

  slow.socket.resume();
  await expect.poll(() => slow.sequences.length, { timeout: 20_000 }).toBe(SIGNALS);
  expect(slow.sequences).toEqual(quick.sequences);
});
