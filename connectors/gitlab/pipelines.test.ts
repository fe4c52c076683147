import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type ProviderContext, ProviderFailure } from '../../src/connector/index.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';

// What a poll of pipelines tells, held against what webhooks told of the same.

const NOW = new Date('2026-01-05T10:05:00Z');
const stream = 'pipelines:verdant/greenhouse';
const ask = { stream, cursor: null, since: new Date('2026-01-05T10:00:00Z'), now: NOW };

/** As https://docs.gitlab.com/api/pipelines/#get-a-single-pipeline shows one; that of the fixture of the webhook. */
const pipeline = {
  id: 31,
  iid: 3,
  name: 'Nightly',
  sha: '3f2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b',
  ref: 'main',
  status: 'success',
  source: 'push',
  created_at: '2026-01-05T10:00:10.085Z',
  updated_at: '2026-01-05T10:03:11.185Z',
  web_url: 'https://gitlab.com/verdant/greenhouse/-/pipelines/31',
  tag: false,
  user: { id: 4711, username: 'ada' },
  started_at: '2026-01-05T10:00:20.197Z',
  finished_at: '2026-01-05T10:03:11.175Z',
  duration: 170,
};

/** The signals of a project that has this one pipeline. */
async function polled(shown: object | 404, since = ask.since) {
  const context: ProviderContext = {
    settings: {},
    request: async ({ path }) => {
      const isList = path.endsWith('/pipelines');
      if (!isList && shown === 404)
        throw new ProviderFailure({ category: 'NOT_FOUND', code: 'not_found', message: 'Gone.' });
      return { status: 200, headers: {}, body: isList ? [pipeline] : shown };
    },
  };
  const { events } = await poll.page(context, { ...ask, since });
  return events.flatMap((event) => normalize({ ...event, receivedAt: NOW }));
}

it('names an end as its webhook does', async () => {
  const fixture = readFileSync(new URL('fixtures/pipeline.success.json', import.meta.url), 'utf8');
  const event = {
    id: 'any',
    type: 'pipeline.success',
    body: JSON.parse(fixture) as unknown,
    receivedAt: NOW,
  };
  const [told] = normalize(event);
  const found = await polled(pipeline);
  expect(found.map(({ identity }) => identity)).toEqual([
    'pipeline:31:queued',
    'pipeline:31:started',
    told?.identity,
  ]);
  const { type, occurredAt, resource, payload } = told!;
  expect(found[2]).toMatchObject({ type, occurredAt, resource, payload });
});

it('tells what happened within the time, and no branch for a tag', async () => {
  const late = new Date('2026-01-05T10:04:00Z');
  const found = await polled({ ...pipeline, ref: 'v1', tag: true }, late);
  expect(found.map(({ type }) => type)).toEqual(['build_finished']);
  expect(found[0]?.resource).not.toHaveProperty('branch');
  const retried = { ...pipeline, status: 'running' };
  expect((await polled(retried)).map(({ type }) => type)).toEqual(['build_queued', 'build_started']);
});

it('goes on where one was deleted meanwhile', async () => {
  expect(await polled(404)).toEqual([]);
});
