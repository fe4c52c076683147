import { confluence } from '../../../connectors/confluence/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import {
  type FakeConfluence,
  confluenceError,
  startFakeConfluence,
  toComment,
  toPage,
} from '../../support/fake-confluence.js';
import type { ConformanceSubject, StartedFake, ThrottleForm } from '../subject.js';

/** By OAuth, through the gateway, with the site still to be found. connectors/confluence/confluence.test.ts goes to the site. */
export const subject: ConformanceSubject = {
  connector: confluence,
  folder: 'confluence',
  polling: { settings: { spaces: ['DOCS'], comments: true } },
  provider: {
    start: async (clock) => startedBy(await startFakeConfluence(clock)),
    inputs: {
      // The first page of a fake has this number.
      createPage: { parent: '100001', title: 'How the door closes', body: 'Push **firmly** & wait.' },
      updatePage: { page: '100001', body: 'Welcome.\n\n- one\n- two', expectedVersion: '1' },
      addIssueComment: { issue: '100001', body: 'It does when `pushed`.' },
    },
    throttles,
    error: confluenceError,
  },
};

function startedBy(fake: FakeConfluence): StartedFake {
  let made = 0;
  const [home] = fake.pages;
  const crowd = (): void => {
    for (let each = 0; each < 300; each++) fake.publish(`Another one ${++made}`);
  };
  return {
    provider: fake.provider,
    credential: { accessToken: new Secret(fake.accessToken) },
    crowd,
    polled: {
      happen() {
        crowd();
        for (let each = 0; each < 300; each++) fake.comment(home!);
        fake.edit(home!);
      },
      told: () => [
        ...fake.pages.flatMap((page) => [
          { type: 'page_created', body: { page: toPage(page) } },
          ...page.versions.slice(1).map((version) => {
            const shown = {
              ...toPage(page),
              version: { ...version, createdAt: version.createdAt.toISOString() },
            };
            return { type: 'page_updated', body: { page: shown } };
          }),
        ]),
        ...fake.comments.map((comment) => ({
          type: 'comment_created',
          body: { comment: toComment(comment) },
        })),
      ],
    },
  };
}

/** https://developer.atlassian.com/cloud/confluence/rate-limiting/: the reset is a time of ISO 8601. */
function throttles(now: Date): readonly ThrottleForm[] {
  const at = new Date('2026-11-21T12:05:00Z');
  const { body } = confluenceError(429);
  return [
    {
      name: '429, Retry-After in seconds',
      answer: throttled({ retryAfter: 37, body }, now),
      retryAt: new Date(now.getTime() + 37_000),
    },
    {
      name: '429, reset as a time',
      answer: throttled({ reset: { header: 'x-ratelimit-reset', unit: 'rfc3339', at }, body }, now),
      retryAt: at,
    },
    {
      name: '429 without a time',
      answer: throttled({ body }, now),
      retryAt: new Date(now.getTime() + 30_000),
    },
  ];
}
