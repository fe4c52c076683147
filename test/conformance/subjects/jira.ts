import { createHmac } from 'node:crypto';
import { jira } from '../../../connectors/jira/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import type { Issue, Shop } from '../../support/fake-jira-data.js';
import { ada, lin } from '../../support/fake-jira-data.js';
import {
  EMAIL,
  SITE,
  document,
  jiraError,
  startFakeJira,
  toComment,
  toHistory,
  toIssue,
} from '../../support/fake-jira.js';
import type { ConformanceSubject, ThrottleForm } from '../subject.js';

/** By API token, at the site's own address: the only way to webhooks. connectors/jira/jira.test.ts goes by the gateway. */
export const subject: ConformanceSubject = {
  connector: jira,
  folder: 'jira',
  webhook: {
    signs: ['body'],
    sign({ headers, body }, secret, at) {
      const digest = createHmac('sha256', secret.reveal()).update(body).digest('hex');
      return { headers: { ...headers, 'x-hub-signature': `sha256=${digest}` }, body, receivedAt: at };
    },
  },
  registration: {
    target: { jql: 'project = SHOP' },
    least: {
      wanted: ['jira:issue_created', 'comment_created'],
      asked: ['jira:issue_created', 'comment_created'],
    },
  },
  polling: { settings: { baseUrl: SITE, projects: ['SHOP'] } },
  provider: {
    settings: { baseUrl: SITE },
    async start(clock) {
      const { provider, apiToken, shop, hooks, crowd } = await startFakeJira(clock);
      return {
        provider,
        credential: { email: new Secret(EMAIL), apiToken: new Secret(apiToken) },
        crowd,
        hooks: () => hooks.map(({ id, url, secret, events }) => ({ id, url, secret, events })),
        polled: { happen: () => happenIn(shop), told: () => shop.issues.flatMap(toldOf) },
      };
    },
    inputs: {
      createIssue: {
        project: 'SHOP',
        title: 'The door does not close',
        body: 'Since **Monday**.',
        labels: ['door'],
        assignees: [lin.accountId],
        issueType: 'Bug',
      },
      updateIssue: { issue: 'SHOP-1', title: 'The door does not close at all', labels: ['door', 'winter'] },
      addIssueComment: { issue: 'SHOP-1', body: 'It does when `pushed`.' },
    },
    throttles,
    error: jiraError,
  },
};

/** More than a page of issues, and some of them moved, resolved, assigned and talked about. */
export function happenIn(shop: Shop): void {
  for (let made = 0; made < 120; made++)
    shop.add({ summary: 'Another one', description: document('Here.') }, ada);
  const first = shop.issues[0]!;
  shop.change(first, { assignee: ada });
  shop.change(first, { priority: { id: '2', name: `High ${shop.issues.length}` } });
  shop.comment(first, document('It does when pushed.'), lin);
  shop.resolve(first);
  shop.reopen(first);
}

/** As an administrator's webhooks bring it. */
function toldOf(issue: Issue) {
  const shown = { ...toIssue(issue), self: `${SITE}/rest/api/2/issue/${issue.id}` };
  const about = (webhookEvent: string, at: Date) => ({
    timestamp: at.getTime(),
    webhookEvent,
    user: lin,
    issue: shown,
  });
  return [
    { type: 'jira:issue_created', body: about('jira:issue_created', issue.created) },
    ...issue.changes.map((change) => {
      const { id, items } = toHistory(change);
      const changelog = { id, items };
      return { type: 'jira:issue_updated', body: { ...about('jira:issue_updated', change.at), changelog } };
    }),
    ...issue.comments.map((comment) => ({
      type: 'comment_created',
      body: { ...about('comment_created', comment.at), comment: toComment(issue, comment) },
    })),
  ];
}

/** https://developer.atlassian.com/cloud/jira/platform/rate-limiting/: the reset is a time of ISO 8601. */
function throttles(now: Date): readonly ThrottleForm[] {
  const at = new Date('2026-11-21T12:05:00Z');
  const body = { errorMessages: ['Rate limit exceeded.'], errors: {} };
  const reason = { 'ratelimit-reason': 'jira-burst-based' };
  return [
    {
      name: '429, Retry-After in seconds',
      answer: throttled({ retryAfter: 37, headers: reason, body }, now),
      retryAt: new Date(now.getTime() + 37_000),
    },
    {
      name: '429, reset as a time',
      answer: throttled(
        { reset: { header: 'x-ratelimit-reset', unit: 'rfc3339', at }, headers: reason, body },
        now,
      ),
      retryAt: at,
    },
    {
      name: '429 without a time',
      answer: throttled({ headers: reason, body }, now),
      retryAt: new Date(now.getTime() + 30_000),
    },
  ];
}
