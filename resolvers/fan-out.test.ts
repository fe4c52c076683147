import { EventEmitter, on } from 'node:events';
import { setImmediate as immediately } from 'node:timers/promises';
import { type GraphQLError, type GraphQLSchema, buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { type Scope, requireScope } from '../src/core/caller.js';
import type { TailStream } from '../src/core/tail.js';
import type { GraphQLContext } from './context.js';
import { createFanOut } from './fan-out.js';

interface Event {
  readonly n: number;
}

interface Begun {
  readonly mostOfTenant?: number;
  /** Events that are there already, as a tail has them: then there is nothing else. */
  readonly history?: readonly number[];
}

/** A feed of numbered events, and how often each answer was worked out. */
function begin({ mostOfTenant = 5_000, history }: Begun = {}) {
  const bus = new EventEmitter().setMaxListeners(0);
  const executed: string[] = [];
  const schema = buildSchema(`
    type Query { none: Int }
    type Event { n(after: Int = 1): Int! secret: Int! later: Int! root: Int! }
    type Subscription { told(after: String, filter: String): Event! }
  `);
  const told = schema.getSubscriptionType()?.getFields()['told'];
  Object.assign(told ?? {}, {
    resolve: (event: Event) => event,
    subscribe: (_root: unknown, _args: unknown, _context: unknown) =>
      history ? historyOf(history) : eventsOf(bus),
  });
  const fields = (schema.getType('Event') as never as { getFields(): Record<string, object> }).getFields();
  Object.assign(fields['n'] ?? {}, {
    resolve: ({ n }: Event, { after: times }: { after: number }) => {
      executed.push(`${n} times ${times}`);
      return n * times;
    },
  });
  Object.assign(fields['secret'] ?? {}, {
    resolve: ({ n }: Event, _args: unknown, { caller }: GraphQLContext) => {
      requireScope(caller, 'integrations:audit');
      return n;
    },
  });
  Object.assign(fields['later'] ?? {}, {
    resolve: async ({ n }: Event) => {
      await immediately();
      executed.push(`${n} later`);
      return n;
    },
  });
  Object.assign(fields['root'] ?? {}, {
    resolve: ({ n }: Event) => {
      if (n < 0) throw new Error(`${n} has no root`);
      return n;
    },
  });
  const fanOut = createFanOut(schema, mostOfTenant);
  return {
    executed,
    listening: () => bus.listenerCount('event'),
    tell: (event: Event) => void bus.emit('event', event),
    ask: (asked: Partial<Asked> = {}) => ask(fanOut, schema, asked),
  };
}

async function* eventsOf(bus: EventEmitter) {
  for await (const [event] of on(bus, 'event')) yield event as Event;
}

function historyOf(history: readonly number[]): TailStream<Event> {
  const left = history.map((n) => ({ n }));
  return {
    next: async () => {
      const value = left.shift();
      return value ? { value, done: false } : { value: undefined, done: true };
    },
    takeReady: (most) => left.splice(0, most),
    return: async () => {
      left.length = 0;
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

interface Asked {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly deliver: (json: string) => Promise<void> | void;
}

const QUERY = 'subscription ($after: String) { told(after: $after) { n } }';

/** Subscribes as a socket does. Answers what was delivered, and what came out to be formatted. */
async function ask(fanOut: ReturnType<typeof createFanOut>, schema: GraphQLSchema, asked: Partial<Asked>) {
  const { query = QUERY, variables = {}, tenantId = 'acme', scopes = ['integrations:read'] } = asked;
  const caller = { tenantId, subject: 'ada', scopes: new Set(scopes), correlationId: 'c' };
  const delivered: unknown[] = [];
  const errors: (readonly GraphQLError[])[] = [];
  const stream = await fanOut.subscribe({
    args: {
      schema,
      document: parse(query),
      variableValues: variables,
      contextValue: { caller } as unknown as GraphQLContext,
    },
    deliver: asked.deliver ?? (async (json) => void delivered.push(JSON.parse(json))),
  });
  if (!(Symbol.asyncIterator in stream)) throw new Error(stream.errors?.[0]?.message);
  const ended = (async () => {
    for await (const result of stream) errors.push(result.errors ?? []);
  })();
  return { delivered, errors, ended, stream };
}

const nOf = (n: number) => ({ data: { told: { n } } });

describe('equal subscriptions', () => {
  it('are executed once an event, and all are told', async () => {
    const { ask: subscribe, tell, executed } = begin();
    const all = await Promise.all(Array.from({ length: 50 }, () => subscribe()));
    tell({ n: 1 });
    tell({ n: 2 });
    for (const { delivered } of all) await expect.poll(() => delivered).toEqual([nOf(1), nOf(2)]);
    expect(executed).toEqual(['1 times 1', '2 times 1']);
  });

  it('are equal whatever cursor each began from', async () => {
    const { ask: subscribe, tell, executed } = begin();
    const [one, other] = [
      await subscribe({ variables: { after: 'here' } }),
      await subscribe({ variables: { after: 'there' } }),
    ];
    tell({ n: 1 });
    await expect.poll(() => [one.delivered, other.delivered]).toEqual([[nOf(1)], [nOf(1)]]);
    expect(executed).toHaveLength(1);
  });

  it.each<[string, Partial<Asked>]>([
    ['tenant', { tenantId: 'globex' }],
    ['scopes', { scopes: ['integrations:read', 'integrations:audit'] }],
    ['document', { query: `${QUERY} ` }],
    ['filter', { query: 'subscription ($f: String) { told(filter: $f) { n } }', variables: { f: 'x' } }],
  ])('are not equal with another %s', async (_name, different) => {
    const { ask: subscribe, tell, executed } = begin();
    const [one, other] = [await subscribe(), await subscribe(different)];
    tell({ n: 1 });
    await expect.poll(() => [one.delivered, other.delivered]).toEqual([[nOf(1)], [nOf(1)]]);
    expect(executed).toHaveLength(2);
  });

  it('are not equal with another variable, also one that is called as a cursor is', async () => {
    const { ask: subscribe, tell } = begin();
    const query = 'subscription ($after: Int) { told { n(after: $after) } }';
    const [one, other] = [
      await subscribe({ query, variables: { after: 2 } }),
      await subscribe({ query, variables: { after: 3 } }),
    ];
    tell({ n: 1 });
    await expect.poll(() => [one.delivered, other.delivered]).toEqual([[nOf(2)], [nOf(3)]]);
  });

  it('show each what its own scopes allow', async () => {
    const { ask: subscribe, tell } = begin();
    const query = 'subscription { told { secret } }';
    const auditor = await subscribe({ query, scopes: ['integrations:read', 'integrations:audit'] });
    const readers = [await subscribe({ query }), await subscribe({ query })];
    tell({ n: 7 });
    await expect.poll(() => auditor.delivered).toEqual([{ data: { told: { secret: 7 } } }]);
    for (const { delivered, errors } of readers) {
      await expect.poll(() => errors).toHaveLength(1);
      expect(errors[0]?.[0]?.message).toContain('integrations:audit');
      expect(delivered).toEqual([]);
    }
  });

  it('are limited by tenant, and give their place back when they end', async () => {
    const { ask: subscribe } = begin({ mostOfTenant: 2 });
    const [one] = await Promise.all([subscribe(), subscribe()]);
    await expect(subscribe()).rejects.toThrow('at most 2 subscriptions');
    await subscribe({ tenantId: 'globex' });
    void one.stream.return?.();
    void one.stream.return?.();
    await subscribe();
    await expect(subscribe()).rejects.toThrow('at most 2 subscriptions');
  });

  it('end, and give their place back, when the answer can’t be delivered', async () => {
    const { ask: subscribe, tell, listening } = begin({ mostOfTenant: 1 });
    const { ended } = await subscribe({ deliver: () => Promise.reject(new Error('the socket is gone')) });
    const failed = ended.catch(String);
    tell({ n: 1 });
    expect(await failed).toContain('the socket is gone');
    expect(listening()).toBe(0);
    await subscribe();
  });

  it('are waited for while they have no room, each alone', async () => {
    const { ask: subscribe, tell } = begin();
    const begun: string[] = [];
    let makeRoom = (): void => {};
    const deliver = (json: string) => {
      begun.push(json);
      return new Promise<void>((resolve) => (makeRoom = resolve));
    };
    const [slow, quick] = [await subscribe({ deliver }), await subscribe()];
    for (const n of [1, 2, 3]) tell({ n });
    await expect.poll(() => quick.delivered).toEqual([nOf(1), nOf(2), nOf(3)]);
    expect(begun.map((json) => JSON.parse(json) as unknown)).toEqual([nOf(1)]);
    makeRoom();
    await expect.poll(() => begun).toHaveLength(2);
    void slow.stream.return?.();
    makeRoom();
    expect(JSON.parse(begun[1] ?? '')).toEqual(nOf(2));
  });

  it('end one by one', async () => {
    const { ask: subscribe, tell } = begin();
    const [one, other] = [await subscribe(), await subscribe()];
    tell({ n: 1 });
    await expect.poll(() => [one.delivered, other.delivered]).toEqual([[nOf(1)], [nOf(1)]]);
    void one.stream.return?.();
    tell({ n: 2 });
    await expect.poll(() => other.delivered).toEqual([nOf(1), nOf(2)]);
    await one.ended;
    expect(one.delivered.length).toBeLessThanOrEqual(2);
  });
});

describe('a subscription without its equal', () => {
  it('has what is there already answered together, in order, as each would be answered by itself', async () => {
    const { ask: subscribe, executed } = begin({ history: [1, 2, 3, 4, 5] });
    const { delivered, ended } = await subscribe({ query: 'subscription { mine: told { n later } }' });
    await ended;
    expect(delivered).toEqual([1, 2, 3, 4, 5].map((n) => ({ data: { mine: { n, later: n } } })));
    // All of them were begun before any of them had to be waited for.
    expect(executed).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => `${n} times 1`),
      ...[1, 2, 3, 4, 5].map((n) => `${n} later`),
    ]);
  });

  it('has them one by one where one of them fails: the others are told, and the failure in its place', async () => {
    const { ask: subscribe } = begin({ history: [1, -2, 3] });
    const told: unknown[] = [];
    const deliver = (json: string) => void told.push(JSON.parse(json));
    const { errors, ended } = await subscribe({ query: 'subscription { told { root } }', deliver });
    await ended;
    expect(told).toEqual([1, 3].map((n) => ({ data: { told: { root: n } } })));
    expect(errors.map(([error]) => [error?.message, error?.path])).toEqual([
      ['-2 has no root', ['told', 'root']],
    ]);
  });

  it('is told nothing more of them once it has ended', async () => {
    const { ask: subscribe } = begin({ history: [1, 2, 3] });
    const begun: string[] = [];
    let makeRoom = (): void => {};
    const deliver = (json: string) => {
      begun.push(json);
      return new Promise<void>((resolve) => (makeRoom = resolve));
    };
    const { stream, ended } = await subscribe({ deliver });
    await expect.poll(() => begun).toHaveLength(1);
    void stream.return?.();
    makeRoom();
    await ended;
    expect(begun.map((json) => JSON.parse(json) as unknown)).toEqual([nOf(1)]);
  });
});
