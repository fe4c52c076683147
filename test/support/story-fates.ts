import { once } from 'node:events';
import type { TestClock } from './clock.js';
import { throttled } from './fake-behavior.js';
import { type FakeExample, exampleError } from './fake-example.js';
import type { Behavior, FakeRequest } from './fake-provider.js';

/** What becomes of one request at the provider. */
export const fates = [
  'ok',
  'unavailable',
  'done, then unavailable',
  'limited',
  'refused',
  'lost',
  'done, then lost',
  'lost, and done later',
] as const;
export type Fate = (typeof fates)[number];

/** After these nobody can tell from the answer whether it was done. */
const DOUBTFUL: ReadonlySet<Fate> = new Set(
  fates.filter((fate) => fate !== 'ok' && fate !== 'limited' && fate !== 'refused'),
);

/** The provider, request by request as it was planned; and what it dealt to whom. */
export interface Script {
  /** For the requests of an action by its name, or those of polls. */
  plan(name: string | null, planned: readonly Fate[]): void;
  /** Keeps the action's write waiting, done or not; `cut` ends it without an answer. */
  hold(name: string, isDone: boolean): { readonly waits: Promise<void>; cut(): void };
  /** What was lost and is done later is done now. */
  finishLate(): void;
  forget(): void;
  isDoubtful(name: string): boolean;
}

/** Which action it is for; null: a poll. */
function nameOf({ headers, path }: FakeRequest): string | null {
  return path === '/v1/events' ? null : (headers['x-correlation-id'] ?? '');
}

export function followScript({ provider }: FakeExample, clock: TestClock): Script {
  const plans = new Map<string | null, Fate[]>();
  const holds = new Map<string, Behavior>();
  const doubtful = new Set<string>();
  let late: (() => void)[] = [];

  const behave: Behavior = async (exchange) => {
    const { request, response, perform, send } = exchange;
    const name = nameOf(request);
    const held = request.method === 'POST' && name !== null ? holds.get(name) : undefined;
    if (held) return held(exchange);
    const fate = plans.get(name)?.shift() ?? 'ok';
    if (name !== null && request.method === 'POST' && DOUBTFUL.has(fate)) doubtful.add(name);
    if (fate.startsWith('done')) perform();
    if (fate === 'lost, and done later') late.push(() => void perform());
    if (fate.includes('lost')) return void response.socket?.resetAndDestroy();
    if (fate.includes('unavailable')) return send(exampleError(503));
    if (fate === 'refused') return send(exampleError(401));
    if (fate === 'limited') return send(throttled({ retryAfter: 90 }, clock.now()));
    send(perform());
  };
  provider.next(() => true, ...Array.from({ length: 100_000 }, () => behave));

  return {
    plan: (name, planned) => void plans.set(name, [...planned]),
    hold(name, isDone) {
      const [waits, end] = [Promise.withResolvers<void>(), new AbortController()];
      doubtful.add(name);
      holds.set(name, async ({ perform, response }) => {
        holds.delete(name);
        if (isDone) perform();
        const ended = once(end.signal, 'abort');
        waits.resolve();
        await ended;
        response.socket?.resetAndDestroy();
      });
      return { waits: waits.promise, cut: () => end.abort() };
    },
    finishLate() {
      for (const finish of late) finish();
      late = [];
    },
    forget: () => plans.clear(),
    isDoubtful: (name) => doubtful.has(name),
  };
}
