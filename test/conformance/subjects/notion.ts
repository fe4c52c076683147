import { createHmac } from 'node:crypto';
import { notion } from '../../../connectors/notion/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import {
  type FakeNotion,
  type FakePage,
  HOME,
  WORKSPACE,
  notionError,
  startFakeNotion,
} from '../../support/fake-notion.js';
import type { ConformanceSubject } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: notion,
  folder: 'notion',
  webhook: {
    signs: ['body'],
    // From Notion's page, not with the connector's own code: two readings have to agree.
    sign({ headers, body }, secret, at) {
      const digest = createHmac('sha256', secret.reveal()).update(body).digest('hex');
      return { headers: { ...headers, 'x-notion-signature': `sha256=${digest}` }, body, receivedAt: at };
    },
  },
  polling: { settings: { poll: 'NEW_AND_EDITED_PAGES' } },
  provider: {
    async start(clock) {
      const fake = await startFakeNotion(clock);
      return {
        provider: fake.provider,
        credential: { token: new Secret(fake.token) },
        crowd: () => addPages(fake, 30),
        polled: { happen: () => addPages(fake, 120), told: () => fake.pages.map(toldOf) },
      };
    },
    inputs: {
      createPage: { parent: HOME, title: 'The door', body: 'It does **not** close.\n\n- since Monday' },
      updatePage: { page: HOME, body: 'It does when pushed.' },
      appendBlocks: { page: HOME, body: '## Later\n\nIt closes again.' },
    },
    throttles: (now) => [
      {
        name: '429, Retry-After in seconds',
        answer: throttled({ retryAfter: 12, body: notionError(429).body }, now),
        retryAt: new Date(now.getTime() + 12_000),
      },
      {
        name: '429, Retry-After as a date',
        answer: throttled({ retryAfter: new Date('2026-11-21T12:01:00Z'), body: notionError(429).body }, now),
        retryAt: new Date('2026-11-21T12:01:00Z'),
      },
      {
        name: '429 without a time',
        answer: throttled({ body: notionError(429).body }, now),
        retryAt: new Date(now.getTime() + 30_000),
      },
      {
        name: '529, overloaded',
        answer: throttled({ status: 529, body: notionError(529).body }, now),
        retryAt: new Date(now.getTime() + 30_000),
      },
    ],
    error: notionError,
  },
};

function addPages(fake: FakeNotion, count: number): void {
  for (let made = 0; made < count; made++) fake.addPage('Another door');
}

/** Webhooks bring the id and little more. */
function toldOf({ id, createdAt }: FakePage) {
  const body = {
    id: `evt-${id}`,
    timestamp: createdAt.toISOString(),
    workspace_id: WORKSPACE,
    type: 'page.created',
    authors: [{ id: HOME, type: 'person' }],
    entity: { id, type: 'page' },
    data: { parent: { id: HOME, type: 'page' } },
  };
  return { type: body.type, body };
}
