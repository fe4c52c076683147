import { Worker } from 'node:worker_threads';
import { ExpressionError } from './error.js';
import type { EvaluationAnswer, EvaluationRequest, WorkerLimits } from './worker.js';

export interface RunnerLimits extends WorkerLimits {
  readonly milliseconds: number;
  readonly memoryMegabytes: number;
}

/** One thread that evaluates one thing at a time. */
export interface Runner {
  /** Throws {@link ExpressionError} where it takes longer or needs more than it may; the thread is gone then. */
  ask(request: EvaluationRequest): Promise<EvaluationAnswer>;
  isAlive(): boolean;
  close(): Promise<void>;
}

/** Tests run the sources, everything else what was built of them. */
const FILE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** What a thread needs before it has read its first message. */
const START_MS = 10_000;

export function startRunner({ milliseconds, memoryMegabytes, ...limits }: RunnerLimits): Runner {
  const worker = new Worker(FILE, {
    workerData: limits,
    // Nothing of the process around it: neither its secrets nor the loaders it was started with.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes, maxYoungGenerationSizeMb: 16 },
  });
  // An idle thread keeps no process from ending.
  worker.unref();
  let isAlive = true;
  let settle: { resolve(answer: unknown): void; reject(error: Error): void } | undefined;

  function end(error: Error): void {
    isAlive = false;
    settle?.reject(error);
  }
  worker.on('message', (answer) => settle?.resolve(answer));
  worker.on('error', (cause) => end(endOf(cause)));
  worker.on('exit', () => end(new Error('the thread has ended')));

  /** The next message, or the end of the thread when that takes too long. */
  async function next(withinMs: number, tooLate: () => Error): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    settle = { resolve, reject };
    // A busy process may run this before it has looked for the answer, which then gets one turn more.
    const timer = setTimeout(() => setImmediate(() => reject(tooLate())), withinMs);
    try {
      return await promise;
    } catch (error) {
      isAlive = false;
      await worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      settle = undefined;
    }
  }

  const ready = next(START_MS, () => new Error('the thread did not start'));
  // Whoever asks first is told; when nobody does, there is nobody to tell.
  ready.catch(() => undefined);

  return {
    async ask(request) {
      await ready;
      const answered = next(milliseconds, () => tooSlow(milliseconds));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is of windows, not of threads
      worker.postMessage(request);
      return (await answered) as EvaluationAnswer;
    },
    isAlive: () => isAlive,
    async close() {
      await worker.terminate();
    },
  };
}

function tooSlow(milliseconds: number): ExpressionError {
  return new ExpressionError({
    code: 'too_slow',
    problem: `It took longer than ${milliseconds} ms. Look for a pattern that backtracks, or for a loop.`,
  });
}

function endOf(cause: unknown): Error {
  const { code } = cause as { code?: string };
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return new Error('the thread broke off', { cause });
  return new ExpressionError({ code: 'too_large', problem: 'It needed more memory than it may have.' });
}
