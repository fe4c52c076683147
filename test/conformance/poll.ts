import { expect } from 'vitest';
import {
  type FailureCategory,
  type Json,
  MAX_POLLED_ID,
  type Poll,
  type PollPage,
  type PolledEvent,
  type ProviderFailureDetails,
} from '../../src/connector/index.js';
import { answer, drop, mislabel } from '../support/fake-behavior.js';
import type { Behavior } from '../support/fake-provider.js';
import { type ConformanceTest, check } from './checks.js';
import type { ConformanceSubject, PollingSubject, StartedFake } from './subject.js';
import { NOW, type World, failureOf, inWorld } from './world.js';

const DAY_MS = 86_400_000;
const SINCE = new Date(NOW.getTime() - DAY_MS);
/** More than any fake fills. */
const MAX_PAGES = 100;

const STATUSES: readonly [number, FailureCategory][] = [
  [401, 'AUTH'],
  [403, 'AUTH'],
  [404, 'NOT_FOUND'],
  [422, 'INVALID'],
  [500, 'PROVIDER'],
];

/** What is asked for instead of being told. */
export function* pollChecks(subject: ConformanceSubject, poll: Poll): Iterable<ConformanceTest> {
  const { settings } = requirePolling(subject);
  const { normalize = () => [], manifest } = subject.connector;
  const names = () => poll.streams(settings).map(({ name }) => name);
  const read = (world: World, stream: string, cursor: Json = null, now = NOW): Promise<PollPage> =>
    poll.page({ ...world.context, settings }, { stream, cursor, since: SINCE, now });
  const signalsOf = (events: Iterable<Pick<PolledEvent, 'type' | 'body'>>) =>
    Array.from(events).flatMap(({ type, body }) =>
      normalize({ id: 'any', type, body, receivedAt: NOW }).map((draft) => `${draft.type} ${draft.identity}`),
    );

  /** The pages from a cursor to the end. */
  async function readAll(world: World, stream: string, from: Json = null): Promise<readonly PollPage[]> {
    const pages: PollPage[] = [];
    for (let cursor = from; pages.length < MAX_PAGES;) {
      const page = await read(world, stream, cursor);
      pages.push(page);
      if (page.isComplete) return pages;
      expect(page.nextCursor).not.toEqual(cursor);
      cursor = page.nextCursor;
    }
    throw new Error(`${stream} does not come to an end`);
  }

  /** In a world where something has happened, with each stream. */
  const inEach = (run: (world: World, stream: string) => Promise<void>) =>
    inWorld(subject, async (world) => {
      happen(world.fake);
      for (const stream of names()) await run(world, stream);
    });

  yield check('POLL-01', () => {
    const streams = poll.streams(settings);
    expect(streams).not.toEqual([]);
    for (const { name, title } of streams) {
      expect(title).not.toBe('');
      expect(name.length).toBeGreaterThan(0);
      expect(name.length).toBeLessThanOrEqual(255);
    }
    expect(new Set(names()).size).toBe(streams.length);
    expect(() => poll.streams({})).not.toThrow();
  });
  yield check('POLL-02', () =>
    inWorld(subject, async (world) => {
      happen(world.fake);
      const found: string[] = [];
      for (const stream of names()) found.push(...signalsOf(eventsOf(await readAll(world, stream))));
      const polled = manifest.triggers.filter(({ via }) => via.includes('POLLING'));
      for (const { signalType } of polled) {
        const expected = signalsOf(told(world.fake)).filter((one) => one.startsWith(`${signalType} `));
        expect(found).toEqual(expect.arrayContaining(expected));
      }
    }),
  );
  yield check('POLL-03', () =>
    inEach(async (world, stream) => {
      for (const { nextCursor } of await readAll(world, stream)) {
        const stored = JSON.parse(JSON.stringify(nextCursor)) as Json;
        expect(stored).toStrictEqual(nextCursor);
        expect(idsOf([await read(world, stream, stored)])).toEqual(
          idsOf([await read(world, stream, nextCursor)]),
        );
      }
    }),
  );
  yield check('POLL-04', () =>
    inEach(async (world, stream) => {
      const pages = await readAll(world, stream);
      for (const [index, { nextCursor }] of pages.entries()) {
        const before = idsOf(pages.slice(0, index + 1));
        const after = idsOf(await readAll(world, stream, nextCursor));
        expect(new Set([...before, ...after])).toEqual(new Set(idsOf(pages)));
      }
    }),
  );
  yield check('POLL-05', () =>
    inEach(async (world, stream) => {
      const [once, again] = [await readAll(world, stream), await readAll(world, stream)].map(idsOf);
      expect(again).toEqual(once);
      for (const id of once ?? []) expect(id.length).toBeGreaterThan(0);
      for (const id of once ?? []) expect(id.length).toBeLessThanOrEqual(MAX_POLLED_ID);
    }),
  );
  yield check('POLL-06', () =>
    inEach(async (world, stream) => {
      const byWebhook = signalsOf(told(world.fake));
      const byPoll = signalsOf(eventsOf(await readAll(world, stream)));
      expect(byPoll).not.toEqual([]);
      expect(byWebhook).toEqual(expect.arrayContaining(byPoll));
    }),
  );
  yield check('POLL-07', () =>
    inWorld(subject, async (world) => {
      for (const stream of names()) {
        const known = await readAll(world, stream);
        happen(world.fake);
        const fresh = idsOf(await readAll(world, stream)).filter((id) => !idsOf(known).includes(id));
        expect(fresh).not.toEqual([]);
        const next = await readAll(world, stream, known.at(-1)!.nextCursor);
        expect(idsOf(next)).toEqual(expect.arrayContaining(fresh));
      }
    }),
  );
  yield check('POLL-08', async () => {
    const troubles: readonly (readonly [Behavior, Partial<ProviderFailureDetails>])[] = [
      ...STATUSES.map(([status, category]) => {
        return [answer(subject.provider.error(status)), { category, providerStatus: status }] as const;
      }),
      ...subject.provider.throttles(NOW).map((form) => {
        return [answer(form.answer), { category: 'RATE_LIMIT', retryAt: form.retryAt }] as const;
      }),
      [drop(), { category: 'NETWORK' }],
    ];
    await Promise.all(troubles.map(([behavior, details]) => expectFailure(behavior, details)));
  });
  yield check('POLL-09', async () => {
    const odd = [{}, null, 7, '', [7], { items: [{}] }].map((body) => answer({ status: 200, body }));
    const behaviors = [...odd, mislabel('text/html')];
    await Promise.all(behaviors.map((behavior) => expectFailure(behavior, { category: 'PROVIDER' })));
  });
  yield check('POLL-10', () =>
    inEach(async (world, stream) => {
      const [first] = await readAll(world, stream);
      for (const cursor of [null, first!.nextCursor]) {
        const [page, later] = [
          await read(world, stream, cursor),
          await read(world, stream, cursor, new Date(NOW.getTime() + DAY_MS)),
        ];
        expect([idsOf([later]), later.nextCursor]).toEqual([idsOf([page]), page.nextCursor]);
      }
    }),
  );
  yield check('POLL-11', () =>
    inEach(async (world, stream) => {
      for (const { body } of eventsOf(await readAll(world, stream))) {
        const stored = JSON.parse(JSON.stringify(body)) as PolledEvent['body'];
        expect(stored).toStrictEqual(body);
      }
    }),
  );

  async function expectFailure(behavior: Behavior, details: Partial<ProviderFailureDetails>): Promise<void> {
    await inWorld(subject, async (world) => {
      const [stream = ''] = names();
      // As often as the gate tries what may be repeated.
      world.fake.provider.next(() => true, behavior, behavior, behavior);
      expect((await failureOf(read(world, stream))).details).toMatchObject(details);
    });
  }
}

const happen = ({ polled }: StartedFake): void => polled?.happen();
const told = ({ polled }: StartedFake) => polled?.told() ?? [];

function eventsOf(pages: readonly PollPage[]): readonly PolledEvent[] {
  return pages.flatMap(({ events }) => events);
}

function idsOf(pages: readonly PollPage[]): readonly string[] {
  return eventsOf(pages).map(({ id }) => id);
}

function requirePolling({ connector, polling }: ConformanceSubject): PollingSubject {
  if (!polling) throw new Error(`${connector.manifest.id}: the subject lacks its polling part`);
  return polling;
}
