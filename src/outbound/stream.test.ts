import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { example } from '../../connectors/example/index.js';
import { ProviderFailure, type ProviderRequest, bytesOf } from '../connector/index.js';
import { systemClock } from '../core/clock.js';
import { createLog } from '../core/log.js';
import { createMetrics } from '../core/metrics.js';
import { Secret } from '../core/secret.js';
import { createHttpClient } from './client.js';
import { createEgressPolicy } from './egress.js';
import { type CallObservation, createProviderGate } from './provider.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A real server, the real client and the gate before it. */
async function start(answer: Answer) {
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const observed: CallObservation[] = [];
  const metrics = createMetrics();
  const gate = createProviderGate({
    client,
    clock: systemClock,
    log: createLog('silent'),
    metrics,
    baseUrls: new Map([['example', `http://127.0.0.1:${(server.address() as AddressInfo).port}`]]),
    observe: (call) => void observed.push(call),
  });
  const target = {
    tenantId: 'acme',
    connectionId: randomUUID(),
    connector: example,
    credential: { token: new Secret('ex_live_1') },
    settings: {},
    correlationId: 'c-1',
    operation: 'test',
  };
  const { request } = gate.contextFor(target);
  const outcomes = async () =>
    Object.fromEntries(
      (await metrics.providerCalls.get()).values.map(({ labels, value }) => [labels['outcome'], value]),
    );
  return {
    download: (more: Partial<ProviderRequest> = {}) =>
      request({ method: 'GET', path: '/file', stream: { maxBytes: 64 * MB }, ...more }),
    upload: (more: Partial<ProviderRequest>) => request({ method: 'POST', path: '/file', ...more }),
    asked: () => asked,
    sockets,
    observed,
    outcomes,
    circuit: () => gate.circuit(target),
    rateLimit: () => gate.rateLimit(target),
  };
}

const MB = 1024 * 1024;

/** So many pieces of a megabyte, as fast as they are taken. */
const send =
  (pieces: number, sent = { bytes: 0 }): Answer =>
  (_request, response) => {
    const piece = Buffer.alloc(MB, 'x');
    const more = (): void => {
      while (sent.bytes < pieces * MB) {
        sent.bytes += MB;
        if (!response.write(piece)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };

/** A beginning, and then nothing more. */
const begin: Answer = (_request, response) => void response.write('x');

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is really held, by this test and its server together. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
}

const failureOf = async (work: Promise<unknown>): Promise<ProviderFailure['details']> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProviderFailure) return error.details;
  throw new Error('no failure', { cause: error });
};

describe('an answer that is read as a stream', () => {
  it('comes whole, in flat memory, and counts as one call when it has ended', async () => {
    const sent = { bytes: 0 };
    const { download, observed, outcomes } = await start(send(50, sent));
    const response = await download();
    expect(response.status).toBe(200);
    const before = heldBytes();
    let size = 0;
    let looked = 0;
    let calls: number | undefined;
    const held: number[] = [];
    for await (const chunk of bytesOf(response)) {
      if (size === 0) calls = observed.length;
      size += chunk.length;
      if (size < looked + 5 * MB) continue;
      looked = size;
      held.push(heldBytes() - before);
    }
    expect([size, calls]).toEqual([50 * MB, 0]);
    expect(held.length).toBeGreaterThan(5);
    expect(Math.max(...held)).toBeLessThan(10 * MB);
    await expect.poll(outcomes).toEqual({ ok: 1 });
    expect(observed).toHaveLength(1);
  });

  it('waits at the provider until somebody reads it', async () => {
    const sent = { bytes: 0 };
    const { download, observed } = await start(send(50, sent));
    const response = await download();
    let last = -1;
    // As much as buffers on the way hold, and no more.
    await expect
      .poll(
        () => {
          const isStill = sent.bytes === last;
          last = sent.bytes;
          return isStill;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(sent.bytes).toBeLessThan(20 * MB);
    expect(observed).toEqual([]);
    expect(await read(bytesOf(response))).toBe(50 * MB);
  });

  it.each<[string, Answer, Partial<ProviderRequest>, string, string]>([
    ['is larger than it may be', send(50), { stream: { maxBytes: 2 * MB } }, 'PROVIDER', 'too_large'],
    ['lasts longer than it may', begin, { deadlineMs: 300 }, 'NETWORK', 'timeout'],
    [
      'stops coming',
      begin,
      { stream: { maxBytes: MB, idleMs: 100 }, deadlineMs: 60_000 },
      'NETWORK',
      'timeout',
    ],
    [
      'is broken off',
      (_, response) => void response.write('x', () => response.socket?.resetAndDestroy()),
      {},
      'NETWORK',
      'interrupted',
    ],
  ])(
    '%s: a failure where it is read, a call that failed, and a connection that is gone',
    async (_, answer, more, category, code) => {
      const { download, observed, outcomes, sockets, asked } = await start(answer);
      const response = await download(more);
      expect(await failureOf(read(bytesOf(response)))).toMatchObject({ category, code });
      await expect.poll(outcomes).toEqual({ [category]: 1 });
      expect(observed[0]?.failure?.details).toMatchObject({ category, code });
      await expect.poll(() => sockets.size).toBe(0);
      expect(asked()).toBe(1);
    },
  );

  it('is ended by whoever stops reading, or gives it up, and that is no failure', async () => {
    const { download, observed, sockets } = await start(send(50));
    for await (const chunk of bytesOf(await download())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const giveUp = new AbortController();
    const response = await download({ signal: giveUp.signal });
    giveUp.abort();
    expect(await failureOf(read(bytesOf(response)))).toMatchObject({
      category: 'UNKNOWN',
      code: 'cancelled',
    });
    await expect.poll(() => observed.map(({ failure }) => failure)).toEqual([undefined, undefined]);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it('opens the circuit when it is broken off again and again', async () => {
    const { download, circuit } = await start(
      (_, response) => void response.write('x', () => response.socket?.resetAndDestroy()),
    );
    for (let n = 0; n < 5; n++) await failureOf(read(bytesOf(await download())));
    await expect.poll(async () => (await circuit()).state).toBe('OPEN');
  });

  it('is no proof that the provider is well when its reader leaves it', async () => {
    const { download, circuit, observed, asked } = await start((_, response) => {
      response.write('x', () => asked() > 10 && response.socket?.resetAndDestroy());
    });
    for (let n = 0; n < 10; n++) for await (const _ of bytesOf(await download())) break;
    await expect.poll(() => observed.length).toBe(10);
    for (let n = 0; n < 5; n++) await failureOf(read(bytesOf(await download())));
    await expect.poll(async () => (await circuit()).state).toBe('OPEN');
  });

  it('tells of the limits when it begins, not when it ends', async () => {
    const reset = String(Math.ceil(Date.now() / 1000) + 40);
    const { download, rateLimit, observed } = await start((_, response) => {
      response.writeHead(200, { 'example-limit-remaining': '17', 'example-limit-reset': reset });
      response.write('x');
    });
    const giveUp = new AbortController();
    const response = await download({ signal: giveUp.signal });
    await expect.poll(async () => (await rateLimit()).windows[0]).toMatchObject({ remaining: 17 });
    expect(observed).toEqual([]);
    giveUp.abort();
    await failureOf(read(bytesOf(response)));
    await expect.poll(() => observed.length).toBe(1);
  });

  it('keeps its slot until it has ended', async () => {
    const { download, asked } = await start(send(50));
    const open = await Promise.all(Array.from({ length: 8 }, () => download()));
    const ninth = download();
    await expect.poll(asked).toBe(8);
    expect(await Promise.race([ninth, Promise.resolve('waits')])).toBe('waits');
    expect(asked()).toBe(8);
    for await (const _ of bytesOf(open[0]!)) break;
    expect((await ninth).status).toBe(200);
    expect(asked()).toBe(9);
  });

  it('is a failure as ever when the provider says no', async () => {
    const { download } = await start((_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"No such file"}}');
    });
    expect(await failureOf(download())).toMatchObject({ category: 'NOT_FOUND', message: 'No such file' });
  });
});

describe('a body that is sent as a stream', () => {
  const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
  const pieces = Array.from({ length: 20 }, (_, n) => Buffer.alloc(MB, String(n % 10)));
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  /** Answers the hash of what came, after so many refusals. */
  function receive(refusals = 0): Answer {
    let left = refusals;
    return (request, response) => {
      const digest = createHash('sha256');
      request.on('data', (chunk: Buffer) => digest.update(chunk));
      request.on('end', () => {
        response.writeHead(left-- > 0 ? 503 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ type: request.headers['content-type'], hash: digest.digest('hex') }));
      });
    };
  }
  const whole = { type: 'application/octet-stream', hash: hash(Buffer.concat(pieces)) };

  it('arrives whole, with its type', async () => {
    const { upload } = await start(receive());
    expect((await upload({ bytes: source() })).body).toEqual(whole);
    const typed = await upload({ bytes: source, headers: { 'content-type': 'image/png' } });
    expect(typed.body).toMatchObject({ type: 'image/png' });
  });

  it('is sent again only where it can be made anew', async () => {
    const again = await start(receive(1));
    expect((await again.upload({ bytes: source, isRepeatable: true })).body).toEqual(whole);
    expect(again.asked()).toBe(2);
    const fleeting = await start(receive(1));
    const failure = await failureOf(fleeting.upload({ bytes: source(), isRepeatable: true }));
    expect(failure).toMatchObject({ category: 'PROVIDER', providerStatus: 503 });
    expect(fleeting.asked()).toBe(1);
  });

  it('that fails by itself is no failure of the provider’s', async () => {
    const { upload, observed } = await start(receive());
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new RangeError('out of bytes');
    }
    await expect(upload({ bytes: broken() })).rejects.toThrow('out of bytes');
    expect(observed).toEqual([]);
  });
});
