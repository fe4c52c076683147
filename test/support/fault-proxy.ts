import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { Transform } from 'node:stream';

/** A way to a TCP server that can fail as networks do. One port for a server that may take another at each start. */
export interface FaultProxy {
  readonly port: number;
  /** Nobody gets through, and whoever was is cut off. */
  cut(): void;
  /** Nothing passes any more, and nobody is told; new connections open, and hear nothing. */
  freeze(): void;
  /** Each piece takes so many milliseconds longer, in both directions, and the next one waits for it. */
  delay(ms: number): void;
  /** Ends one connection at random, if there is any. */
  cutOne(random?: () => number): void;
  /** From now on nothing fails. What was frozen is cut, as a network does that forgot its connections. */
  mend(): void;
  close(): Promise<void>;
}

type State = 'open' | 'cut' | 'frozen';

/** `port` is asked at each connection: where the server is now, on this machine. */
export async function startFaultProxy(port: () => number): Promise<FaultProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const held = new Set<Socket>();
  let state: State = 'open';
  let delayMs = 0;

  function join(near: Socket): void {
    const far = connect(port(), '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair)
      socket
        .setNoDelay()
        .on('error', () => {})
        .on('close', () => drop(pair));
    near.pipe(slowly(() => delayMs)).pipe(far);
    far.pipe(slowly(() => delayMs)).pipe(near);
  }

  function drop(pair: readonly [Socket, Socket]): void {
    pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }

  function dropAll(): void {
    for (const pair of pairs) drop(pair);
    for (const socket of held) socket.destroy();
    held.clear();
  }

  const server = createServer((near) => {
    if (state === 'open') return join(near);
    if (state === 'cut') return void near.destroy();
    held.add(near.on('error', () => {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      dropAll();
    },
    freeze() {
      state = 'frozen';
      for (const pair of pairs) for (const socket of pair) socket.unpipe().pause();
    },
    delay: (ms) => void (delayMs = ms),
    cutOne(random = Math.random) {
      const pair = [...pairs][Math.floor(random() * pairs.size)];
      if (pair) drop(pair);
    },
    mend() {
      if (state === 'frozen') dropAll();
      state = 'open';
      delayMs = 0;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      dropAll();
      await closed;
    },
  };
}

/** Passes on what comes, so much later, one piece at a time: a slow line is a thin one too, and nothing overtakes. */
function slowly(delayMs: () => number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const ms = delayMs();
      if (ms === 0) done(null, chunk);
      else setTimeout(done, ms, null, chunk);
    },
  });
}
