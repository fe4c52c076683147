import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/notion.js';
import { type World, failureOf, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { type FakeNotion, notionError, startFakeNotion } from '../../test/support/fake-notion.js';
import { createTestClock } from '../../test/support/clock.js';
import type { Json } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';

// Only what conformance can't know.

const HOUR_MS = 3_600_000;

async function inNotion(
  run: (fake: FakeNotion, world: World, clock: ReturnType<typeof createTestClock>) => Promise<void>,
): Promise<void> {
  const clock = createTestClock();
  const fake = await startFakeNotion(clock);
  const started = {
    provider: fake.provider,
    credential: { token: new Secret(fake.token) },
    crowd: () => undefined,
  };
  const world = { ...subject, provider: { ...subject.provider, start: async () => started } };
  await inWorld(world, (opened) => run(fake, opened, clock));
}

function read({ context }: World, since: Date, cursor: Json = null, wanted = 'NEW_AND_EDITED_PAGES') {
  const request = { stream: 'pages', cursor, since, now: since };
  return poll.page({ ...context, settings: { poll: wanted } }, request);
}

describe('streams', () => {
  it('are there where the settings ask for them', () => {
    expect(poll.streams({})).toEqual([]);
    expect(poll.streams({ poll: 'NEW_PAGES' })).toHaveLength(1);
  });
});

describe('a page', () => {
  it('that is edited is told once more, where edits are asked for', async () => {
    await inNotion(async (fake, world, clock) => {
      const since = clock.now();
      const page = fake.addPage('The door');
      const first = await read(world, since);
      expect(first.events.map(({ type }) => type)).toEqual(['page.created', 'page.created']);
      clock.advance(HOUR_MS);
      fake.edit(page);
      const second = await read(world, since, first.nextCursor);
      const signals = second.events
        .filter(({ id }) => id.includes(page.id))
        .flatMap((event) => normalize({ ...event, receivedAt: since }));
      // What was told already is known by its identity.
      expect(signals.map(({ type }) => type)).toEqual(['page_published', 'page_updated']);
      expect(signals[1]).toMatchObject({
        payload: { title: 'The door', action: 'edited' },
        canonicalKeys: { page_id: page.id },
        evidence: [{ type: 'page', title: 'The door' }],
      });
      const without = await read(world, since, first.nextCursor, 'NEW_PAGES');
      expect(new Set(without.events.map(({ type }) => type))).toEqual(new Set(['page.created']));
    });
  });

  it('that was made and moved to the front while pages were read is found by the next poll', async () => {
    await inNotion(async (fake, world, clock) => {
      const since = clock.now();
      const last = fake.addPage('At the end of the list');
      clock.advance(60_000);
      for (let made = 0; made < 150; made++) fake.addPage('Another');
      const first = await read(world, since);
      expect(first.isComplete).toBe(false);
      clock.advance(HOUR_MS);
      fake.edit(last);
      const second = await read(world, since, first.nextCursor);
      const next = await read(world, since, second.nextCursor);
      const found = [first, second, next].flatMap(({ events }) => events.map(({ id }) => id));
      expect(found.filter((id) => id.startsWith(`page.created:${last.id}`))).not.toEqual([]);
    });
  });

  it('older than the beginning is told only when it is edited', async () => {
    await inNotion(async (fake, world, clock) => {
      const [home] = fake.pages;
      clock.advance(HOUR_MS);
      const since = clock.now();
      expect((await read(world, since)).events).toEqual([]);
      fake.edit(home!);
      expect((await read(world, since)).events.map(({ type }) => type)).toEqual(['page.edited']);
    });
  });
});

describe('a cursor', () => {
  it('that Notion does not know any more is given up for the beginning', async () => {
    await inNotion(async (fake, world, clock) => {
      const since = clock.now();
      const cursor = { seen: since.toISOString(), newest: since.toISOString(), next: 'gone' };
      const page = await read(world, since, cursor);
      expect(page).toEqual({ events: [], nextCursor: { seen: since.toISOString() }, isComplete: false });
      fake.provider.next('POST /search', answer(notionError(400)));
      expect((await failureOf(read(world, since))).details).toMatchObject({ category: 'INVALID' });
    });
  });
});
