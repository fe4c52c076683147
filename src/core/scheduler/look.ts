import type { Ask, Store } from './store.js';

/** Answers whether it is worth asking the store for a job of that name. */
export type Look = (ask: Ask, until: Date) => Promise<boolean>;

/**
 * Agenda asks for each job by itself, all of them in one turn of the event loop and mostly in vain. Here one statement
 * tells for which of them there is something; whoever asks alone is sent to the store at once.
 */
export function createLook(findDue: Store['findDue']): Look {
  let asks: Ask[] | undefined;
  let answer: Promise<ReadonlySet<string>> | undefined;

  async function find(asked: readonly Ask[], until: Date): Promise<ReadonlySet<string>> {
    const names = asked.length === 1 ? asked.map(({ name }) => name) : await findDue(asked, until);
    return new Set(names);
  }

  /** Once the turn is over nobody joins any more. */
  async function findTogether(asked: readonly Ask[], until: Date): Promise<ReadonlySet<string>> {
    await Promise.resolve();
    asks = undefined;
    return find(asked, until);
  }

  return async (ask, until) => {
    if (!asks || !answer) {
      asks = [];
      answer = findTogether(asks, until);
    }
    asks.push(ask);
    return (await answer).has(ask.name);
  };
}
