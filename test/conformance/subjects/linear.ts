import { createHmac } from 'node:crypto';
import { linear } from '../../../connectors/linear/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import {
  type Comment,
  type Issue,
  type Verdant,
  ada,
  commentUrlOf,
  identifierOf,
  team,
  urlOf,
} from '../../support/fake-linear-data.js';
import { linearError, startFakeLinear } from '../../support/fake-linear.js';
import type { ConformanceSubject, ThrottleForm } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: linear,
  folder: 'linear',
  webhook: {
    signs: ['body', 'time'],
    payload: (file, body) => ({
      headers: { 'content-type': 'application/json; charset=utf-8', 'linear-delivery': file },
      body,
    }),
    /** Linear writes the moment of each try into the body, and signs that. */
    sign({ headers, body: unsigned }, secret, at) {
      const body = dated(unsigned, at);
      const signature = createHmac('sha256', secret.reveal()).update(body).digest('hex');
      const time = { 'linear-timestamp': String(at.getTime()) };
      return { headers: { ...headers, ...time, 'linear-signature': signature }, body, receivedAt: at };
    },
  },
  polling: { settings: { teams: [team.key] } },
  provider: {
    async start(clock) {
      const { provider, apiKey, verdant } = await startFakeLinear(clock);
      return {
        provider,
        credential: { apiKey: new Secret(apiKey) },
        crowd: verdant.crowd,
        polled: { happen: verdant.crowd, told: () => toldOf(verdant) },
      };
    },
    inputs: {
      createIssue: {
        project: 'ENG',
        title: 'The door does not close',
        body: 'Since Monday.',
        labels: ['Bug'],
        assignees: ['ada@example.com'],
      },
      updateIssue: { issue: 'ENG-1', title: 'The plants were dry', status: 'done', labels: ['Water'] },
      addIssueComment: { project: 'ENG', issue: '1', body: 'It rained.' },
    },
    throttles: (now) => [limited(400, now), limited(429, now), limited(200, now), silent(now)],
    error: linearError,
    isEffect: ({ text }) => text.includes('mutation '),
  },
};

function dated(unsigned: Buffer, at: Date): Buffer {
  try {
    const body: unknown = JSON.parse(unsigned.toString('utf8'));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return unsigned;
    return Buffer.from(JSON.stringify({ ...body, webhookTimestamp: at.getTime() }));
  } catch {
    return unsigned;
  }
}

/** In the form of webhooks, which differs from that of lists. */
function toldOf({ issues, comments }: Verdant) {
  return [...issues.map(toldOfIssue), ...comments.map(toldOfComment)];
}

const around = {
  action: 'create',
  actor: { id: ada.id, name: ada.name, type: 'user' },
  organizationId: 'org-1',
};

function toldOfIssue(issue: Issue) {
  const { createdAt, updatedAt, ...fields } = issue;
  const times = { createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
  const data = { ...fields, ...times, identifier: identifierOf(issue), team, teamId: team.id };
  return {
    type: 'Issue.create',
    body: { ...around, type: 'Issue', createdAt: times.createdAt, data, url: urlOf(issue) },
  };
}

function toldOfComment(comment: Comment) {
  const { id, body, issue } = comment;
  const createdAt = comment.createdAt.toISOString();
  const about = { issueId: issue.id, issue: { id: issue.id, title: issue.title }, userId: ada.id };
  const data = { id, body, createdAt, updatedAt: createdAt, ...about };
  return {
    type: 'Comment.create',
    body: { ...around, type: 'Comment', createdAt, data, url: commentUrlOf(comment) },
  };
}

const ENDS = new Date('2026-11-21T12:40:00Z');
const LIMITED = {
  errors: [{ message: 'Rate limit exceeded', extensions: { type: 'ratelimited', code: 'RATELIMITED' } }],
  data: null,
};

/** https://linear.app/developers/rate-limiting: 400 as a rule, and resets in milliseconds. */
function limited(status: number, now: Date): ThrottleForm {
  const reset = { header: 'x-ratelimit-requests-reset', unit: 'epoch_milliseconds', at: ENDS } as const;
  return {
    name: `${status} with X-RateLimit-Requests-Reset`,
    answer: throttled({ status, reset, body: LIMITED }, now),
    retryAt: ENDS,
  };
}

function silent(now: Date): ThrottleForm {
  return {
    name: '400 without a time',
    answer: throttled({ status: 400, body: LIMITED }, now),
    retryAt: new Date(now.getTime() + 60_000),
  };
}
