import { fork } from 'node:child_process';
import type { Sort } from './delivery.js';

/** Where deliveries go, and the secret that signs them. */
export interface Target {
  /** Several where several processes share the load: connections take turns. */
  readonly urls: readonly string[];
  readonly secret: string;
}

export interface Load extends Target {
  readonly sort: Sort;
  readonly connections: number;
  /** Requests in all. Counted, not timed, so that each that was sent has its answer when the round ends. */
  readonly amount: number;
  /** The first delivery's number, so that no two of a run are the same. */
  readonly from: number;
  /** Requests a second; left out: as many as there are answers. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly sent: number;
  /** Answered 202, or 200. */
  readonly acknowledged: number;
  readonly seconds: number;
  /** Of each answer, in milliseconds. */
  readonly latencies: Float64Array;
}

export interface Generator {
  run(load: Load): Promise<LoadResult>;
  stop(): void;
}

/** The process that makes the load; one for the whole run, so that it is warm when it counts. */
export function startGenerator(): Generator {
  const child = fork(new URL('generator.ts', import.meta.url), { serialization: 'advanced' });
  return {
    run: (load) =>
      new Promise((resolve, reject) => {
        const fail = (code: number | null): void =>
          reject(new Error(`The load generator ended with ${code}.`));
        child.once('exit', fail);
        child.once('message', (result) => {
          child.off('exit', fail);
          resolve(result as LoadResult);
        });
        child.send(load);
      }),
    stop: () => void child.kill(),
  };
}
