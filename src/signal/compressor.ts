import { Worker } from 'node:worker_threads';
import type { Log } from '../core/log.js';
import { type Batch, COMPRESSES, compress, pack, unpack } from './compress.js';

/** Compresses bodies, and keeps the event loop free of it when there are many. */
export interface Compressor {
  compress(body: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** Fewer are compressed at once and here, unless they are large: to hand them over would cost more than it saves. */
const FEW = 4;
const LARGE_BYTES = 256 * 1024;
/** Of one message to the thread, unless a single body is larger. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Tests run the sources, everything else what was built of them. */
const FILE = new URL(import.meta.url.endsWith('.ts') ? './compress.ts' : './compress.js', import.meta.url);

interface Waiting {
  readonly body: Buffer;
  resolve(compressed: Buffer): void;
  reject(error: unknown): void;
}

/**
 * Bodies that come while others are being compressed go together with the next, in one message to a thread and one
 * back. A thread that ends costs time and no body: what it had is compressed here, and the next batch gets another.
 */
export function createCompressor(log: Pick<Log, 'warn'>): Compressor {
  const waiting: Waiting[] = [];
  let isBusy = false;
  let thread: Thread | undefined;

  async function inThread(batch: readonly Waiting[]): Promise<void> {
    thread ??= startThread();
    const compressed = await thread.compress(batch.map(({ body }) => body));
    for (const [index, one] of batch.entries()) one.resolve(compressed[index] as Buffer);
  }

  function takeBatch(): Waiting[] {
    let bytes = 0;
    const end = waiting.findIndex(({ body }) => (bytes += body.length) > BATCH_BYTES);
    return waiting.splice(0, end === -1 ? waiting.length : Math.max(end, 1));
  }

  async function carryOut(batch: readonly Waiting[]): Promise<void> {
    if (batch.length < FEW && bytesOf(batch) < LARGE_BYTES) return batch.forEach(compressHere);
    try {
      await inThread(batch);
    } catch (error) {
      thread = undefined;
      log.warn({ err: error }, 'the thread that compresses ended; going on without it until the next batch');
      batch.forEach(compressHere);
    }
  }

  async function work(): Promise<void> {
    isBusy = true;
    // Who takes the same step goes together.
    await Promise.resolve();
    while (waiting.length > 0) await carryOut(takeBatch());
    isBusy = false;
  }

  return {
    compress: (body) =>
      new Promise((resolve, reject) => {
        waiting.push({ body, resolve, reject });
        if (!isBusy) void work();
      }),
    async close() {
      await thread?.close();
    },
  };
}

function bytesOf(batch: readonly Waiting[]): number {
  return batch.reduce((sum, { body }) => sum + body.length, 0);
}

function compressHere({ body, resolve, reject }: Waiting): void {
  try {
    resolve(compress(body));
  } catch (error) {
    reject(error);
  }
}

interface Thread {
  /** In the same order. Rejects when the thread has ended; it is of no more use then. One call at a time. */
  compress(bodies: readonly Buffer[]): Promise<Buffer[]>;
  close(): Promise<void>;
}

function startThread(): Thread {
  // Nothing of the process around it: neither its secrets nor the loaders it was started with.
  const worker = new Worker(FILE, { workerData: COMPRESSES, env: {}, execArgv: [] });
  // An idle thread keeps no process from ending.
  worker.unref();
  let ended: Error | undefined;
  let asking: PromiseWithResolvers<Batch> | undefined;

  function end(error: Error): void {
    ended ??= error;
    asking?.reject(ended);
  }
  worker.on('message', (answer: Batch) => asking?.resolve(answer));
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread has ended')));

  return {
    async compress(bodies) {
      if (ended) throw ended;
      asking = Promise.withResolvers();
      const batch = pack(bodies);
      worker.ref();
      worker.postMessage(batch, [batch.bytes]);
      try {
        return unpack(await asking.promise);
      } finally {
        worker.unref();
      }
    },
    async close() {
      await worker.terminate();
    },
  };
}
