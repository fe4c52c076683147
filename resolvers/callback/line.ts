import { setTimeout as delay } from 'node:timers/promises';
import type { HttpClient } from '../../src/outbound/client.js';
import type { CallbackRequest } from './request.js';

/** The router has ended the subscription, can't be reached, or refuses what it is told: nothing more is sent to it. */
export class RouterGone extends Error {
  override readonly name = 'RouterGone';
  /** It said 404, which is how a router ends a subscription. */
  readonly isEnd: boolean;

  constructor(message: string, isEnd: boolean) {
    super(message);
    this.isEnd = isEnd;
  }
}

/** Says something to the router about a subscription; `more` is a member of JSON. Throws {@link RouterGone}. */
export type Tell = (action: 'check' | 'next' | 'complete', more?: string) => Promise<void>;

export interface Line {
  /** Once. */
  readonly tellOnce: Tell;
  /** Again, with growing pauses, while the router can't be reached or fails. */
  readonly tell: Tell;
  /** From now on everything is said once: nobody waits for a router that is away. */
  hurry(): void;
}

const HEADERS = { 'content-type': 'application/json', 'subscription-protocol': 'callback/1.0' };
const DEADLINE_MS = 5_000;
/** Some seconds: by then a router that was away has cut its clients off, and one that restarted knows no subscription. */
const PAUSES_MS = [100, 200, 400, 800, 1_000];

/** The way to one subscription's router. */
export function createLine(client: HttpClient, { url, id, verifier }: CallbackRequest): Line {
  const hurrying = new AbortController();

  /** Undefined when the router took it; a failure that may pass is answered, another one thrown. */
  async function post(body: string): Promise<RouterGone | undefined> {
    const asked = { method: 'POST', url, headers: HEADERS, body, deadlineMs: DEADLINE_MS };
    const answer = await client.send(asked).catch((error: Error) => error);
    if (answer instanceof Error)
      return new RouterGone(`The router can’t be reached: ${answer.message}`, false);
    const { status } = answer;
    if (status >= 200 && status < 300) return undefined;
    const gone = new RouterGone(`The router answers ${status}.`, status === 404);
    if (status < 500) throw gone;
    return gone;
  }

  function speak(pauses: readonly number[]): Tell {
    return async (action, more) => {
      const base = JSON.stringify({ kind: 'subscription', action, id, verifier });
      const body = more === undefined ? base : `${base.slice(0, -1)},${more}}`;
      for (const pause of pauses) {
        if (!(await post(body))) return;
        if (hurrying.signal.aborted) break;
        await delay(pause, undefined, { signal: hurrying.signal }).catch(() => {});
      }
      const gone = await post(body);
      if (gone) throw gone;
    };
  }

  return { tellOnce: speak([]), tell: speak(PAUSES_MS), hurry: () => hurrying.abort() };
}
