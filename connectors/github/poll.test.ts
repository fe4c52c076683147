import { describe, expect, it } from 'vitest';
import type { Json, JsonObject, PollPage } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { subject } from '../../test/conformance/subjects/github.js';
import { NOW, type World, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { startFakeGitHub } from '../../test/support/fake-github.js';
import {
  type Issue,
  toComment,
  toIssue,
  toPull,
  toReviewComment,
  toRun,
} from '../../test/support/fake-github-answers.js';
import type { OctoDemo } from '../../test/support/fake-github-data.js';
import { poll } from './poll.js';

const SINCE = new Date(NOW.getTime() - 3_600_000);

interface Story extends World {
  readonly octo: OctoDemo;
  read(kind: string, cursor?: Json): Promise<PollPage>;
}

/** Through the real gate, in the repository that the fake begins with. */
async function inStory(run: (story: Story) => Promise<void>): Promise<void> {
  let octo: OctoDemo | undefined;
  const start: typeof subject.provider.start = async (clock) => {
    const github = await startFakeGitHub(clock);
    octo = github.octo;
    return { provider: github.provider, credential: { token: new Secret(github.token) }, crowd: octo.crowd };
  };
  await inWorld({ ...subject, provider: { ...subject.provider, start } }, async (world) => {
    const read = (kind: string, cursor: Json = null) =>
      poll.page(world.context, { stream: `${kind}:octo/demo`, cursor, since: SINCE, now: NOW });
    await run({ ...world, octo: octo!, read });
  });
}

const pullOf = ({ issues }: OctoDemo): Issue => issues[1]!;

/** Lets one more thing happen, and answers it as its list shows it. */
const happenings: Readonly<Record<string, (octo: OctoDemo) => object>> = {
  issues: (octo) => toIssue(octo.addIssue({})),
  pulls: (octo) => {
    const issue = octo.addIssue({ pull: { headSha: 'c'.repeat(40), isMergeable: true } });
    return toPull(issue, issue.pull!);
  },
  comments: (octo) => toComment(octo.issues[0]!, octo.addComment(octo.issues[0]!, 'Me too.')),
  'review-comments': (octo) => toReviewComment(pullOf(octo), octo.addReviewComment(pullOf(octo), 'Why?')),
  runs: (octo) => toRun(octo.addRun('main')),
};
const kinds = Object.entries(happenings);

const idsOf = ({ events }: PollPage) => events.map(({ id }) => id);
const listOf = (kind: string, items: readonly object[]) =>
  answer({
    status: 200,
    body: kind === 'runs' ? { total_count: items.length, workflow_runs: items } : items,
  });

describe('a list that has not changed', () => {
  it.each(kinds)('of %s is not sent again, and what is new is found', (kind, happen) =>
    inStory(async ({ octo, read, calls, fake }) => {
      happen(octo);
      const first = await read(kind);
      const second = await read(kind, first.nextCursor);
      const third = await read(kind, second.nextCursor);
      expect(fake.provider.performed.map(({ answer: { status } }) => status)).toContain(304);
      expect(fake.provider.performed.at(-1)?.answer).toMatchObject({ status: 304 });
      expect(calls.filter(({ failure }) => failure)).toEqual([]);
      expect([third.events, third.isComplete, third.nextCursor]).toEqual([[], true, second.nextCursor]);

      happen(octo);
      const fresh = idsOf(await read(kind, third.nextCursor)).filter((id) => !idsOf(first).includes(id));
      expect(fresh).toHaveLength(1);
    }),
  );

  it('is asked for as a whole where another part of it is wanted', () =>
    inStory(async ({ octo, read, fake }) => {
      const { nextCursor } = await read('issues', (await read('issues')).nextCursor);
      await read('issues', { ...(nextCursor as JsonObject), seen: '2026-11-21T11:30:00Z' });
      octo.crowd();
      const page = await read('pulls', (await read('pulls')).nextCursor);
      expect(page.isComplete).toBe(true);
      expect(fake.provider.requests.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([
        false,
        false,
        false,
        false,
        true,
      ]);
    }));
});

describe('one item without updated_at', () => {
  it.each(kinds)('in the list of %s is handed on to be set apart, and the rest goes on', (kind, happen) =>
    inStory(async ({ octo, read: readOf, fake }) => {
      const [odd, good] = [happen(octo), happen(octo)] as [JsonObject, JsonObject];
      const { updated_at: _, ...timeless } = odd;
      const behaviors = [1, 2].map(() => listOf(kind, [good, timeless]));
      fake.provider.next(() => true, ...behaviors);
      const pages = [await readOf(kind), await readOf(kind)];
      expect(pages[1]).toEqual(pages[0]);
      const { events, isComplete } = pages[0]!;
      const [set, ...others] = events.filter(({ problem }) => problem !== undefined);
      expect(others).toEqual([]);
      expect(set).toMatchObject({ problem: expect.stringContaining('updated_at') });
      expect(Object.values(set!.body)).toContainEqual(timeless);
      const read = events
        .filter(({ problem }) => problem === undefined)
        .map(({ body }) => Object.values(body));
      expect(read).not.toEqual([]);
      for (const values of read) expect(values).not.toContainEqual(timeless);
      expect(isComplete).toBe(true);
    }),
  );

  it('at the end of a page does not end the list', () =>
    inStory(async ({ octo, read, fake }) => {
      const pulls = [1, 2].map(() => happenings['pulls']!(octo)) as JsonObject[];
      const link = '<https://api.github.com/repos/octo/demo/pulls?page=2>; rel="next"';
      const body = [pulls[0], { ...pulls[1], updated_at: null }];
      fake.provider.next(() => true, answer({ status: 200, headers: { link }, body }));
      expect((await read('pulls')).isComplete).toBe(false);
    }));
});

describe('a workflow run', () => {
  it('is found when it ends, though it began long before the last poll', () =>
    inStory(async ({ octo, read }) => {
      const long = new Date(NOW.getTime() - 20 * 3_600_000);
      const run = octo.addRun('main');
      Object.assign(run, { createdAt: long, updatedAt: long });
      const before = await read('runs');
      expect(idsOf(before)).toEqual([]);
      octo.finish(run, 'failure');
      expect(idsOf(await read('runs', before.nextCursor))).toEqual([`workflow_run.completed:${run.id}:1`]);
    }));
});
