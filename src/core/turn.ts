/**
 * Gathers whoever waits in one turn of the event loop; when it has ended, they go on in a row. What they do next is then
 * done for one after the other, step by step, while its code is in the processor's caches: docs/decisions/turns.md has
 * what that saves. Alone, it is a turn of the event loop and no more; there is no timer.
 */
export function createTurn(): () => Promise<void> {
  let ending: Promise<void> | undefined;
  return () => {
    // One promise for all: with an immediate each, all that one sets off would run before the next goes on.
    ending ??= new Promise((resolve) => {
      setImmediate(() => {
        ending = undefined;
        resolve();
      });
    });
    return ending;
  };
}
