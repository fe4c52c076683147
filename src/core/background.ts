import type { Log } from './log.js';

/** Work that nobody asks for, done again and again in this process. */
export interface Background {
  /** Does it now, and again so long after each start; never twice at once. An error is logged and ends one run only. */
  every(milliseconds: number, what: string, work: (stop: AbortSignal) => Promise<unknown>): void;
  /** Begins nothing more, tells what runs to stop, and waits for it. */
  stop(): Promise<void>;
}

export function createBackground(log: Log): Background {
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const running = new Map<string, Promise<void>>();

  async function runOnce(what: string, work: (stop: AbortSignal) => Promise<unknown>): Promise<void> {
    try {
      await work(stopping.signal);
    } catch (error) {
      log.error({ err: error }, `${what} broke off`);
    }
  }

  function run(what: string, work: (stop: AbortSignal) => Promise<unknown>): void {
    if (running.has(what)) return;
    const done = runOnce(what, work).finally(() => running.delete(what));
    running.set(what, done);
  }

  return {
    every(milliseconds, what, work) {
      run(what, work);
      timers.push(setInterval(() => run(what, work), milliseconds));
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      stopping.abort();
      await Promise.all(running.values());
    },
  };
}
