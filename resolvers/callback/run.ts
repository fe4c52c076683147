import type { ExecutionResult } from 'graphql';
import { atExpiry } from '../expiry.js';
import { RouterGone, type Tell } from './line.js';

/** A subscription that runs. */
export interface Running {
  /** Resolves when it is over and its router has been told. Rejects when the router could not be told. */
  readonly done: Promise<void>;
  /** Ends it, and tells the router why. */
  stop(reason: Error): void;
}

export interface RunOptions {
  readonly tell: Tell;
  /** Answers that have errors; the others go to the router by themselves. */
  readonly events: AsyncIterableIterator<ExecutionResult>;
  readonly heartbeatMs: number;
  readonly expiresAt: Date;
  /** What it ends with when the token does. */
  readonly expired: Error;
  /** Errors as the router may see them. */
  format(errors: readonly Error[]): readonly object[];
  /** Told when a router is away, or refuses what it is told. */
  onGone(error: RouterGone): void;
}

/** Why it is over: the source came to its end, something failed, or it was stopped. */
type Ending = { readonly error?: Error };

/** Runs until the source ends, the token does, the router says or shows that it is gone, or somebody stops it. */
export function run({ tell, events, ...options }: RunOptions): Running {
  const over = Promise.withResolvers<Ending>();
  const fail = (error: Error): void => over.resolve({ error });
  const stopWatching = atExpiry(options.expiresAt, () => fail(options.expired));
  const stopBeating = every(options.heartbeatMs, () => tell('check').catch(fail));

  async function pump(): Promise<void> {
    for await (const { errors = [], ...result } of events) {
      const payload = JSON.stringify({ ...result, errors: options.format(errors) });
      await tell('next', `"payload":${payload}`);
    }
    over.resolve({});
  }

  async function live(): Promise<void> {
    const pumping = pump().catch(fail);
    const { error } = await over.promise;
    stopWatching();
    stopBeating();
    await events.return?.();
    await pumping;
    if (!(error instanceof RouterGone)) {
      await tell('complete', error && `"errors":${JSON.stringify(options.format([error]))}`);
    } else if (!error.isEnd) options.onGone(error);
  }

  return { done: live(), stop: fail };
}

/** Again and again, 0: never. What is not done yet is not begun once more. */
function every(milliseconds: number, work: () => Promise<void>): () => void {
  if (milliseconds === 0) return () => {};
  let isUnderWay = false;
  const timer = setInterval(() => {
    if (isUnderWay) return;
    isUnderWay = true;
    void work().finally(() => {
      isUnderWay = false;
    });
  }, milliseconds);
  return () => clearInterval(timer);
}
