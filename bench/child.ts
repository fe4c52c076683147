import type { ChildProcess } from 'node:child_process';

/** What a forked server says first: where it listens. Rejects when it ends before. */
export function firstMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null): void =>
      reject(
        new Error(
          `${child.spawnargs.at(-1) ?? 'A process of the bench'} ended with ${code} before it listened.`,
        ),
      );
    child.once('exit', fail);
    child.once('message', (said) => {
      child.off('exit', fail);
      resolve(said as T);
    });
  });
}

/** For the forked ones: a bench that is ended must leave nobody behind. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit());
}
