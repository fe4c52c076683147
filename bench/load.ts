import { fork } from 'node:child_process';

/** Where deliveries go, and the secret that signs them. */
export interface Target {
  readonly url: string;
  readonly secret: string;
}

export interface Load extends Target {
  readonly connections: number;
  /** Requests in all. Counted, not timed, so that each that was sent has its answer when the round ends. */
  readonly amount: number;
  /** The first delivery's number, so that no two of a run are the same. */
  readonly from: number;
}

export interface LoadResult {
  readonly sent: number;
  /** Answered 202. */
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
