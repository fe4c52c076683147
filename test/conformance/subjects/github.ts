import { createHmac } from 'node:crypto';
import { github } from '../../../connectors/github/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { HEAD_SHA, githubError, rateLimit, startFakeGitHub } from '../../support/fake-github.js';
import {
  type Issue,
  type Run,
  toComment,
  toIssue,
  toPull,
  toReviewComment,
  toRun,
  user,
} from '../../support/fake-github-answers.js';
import type { OctoDemo } from '../../support/fake-github-data.js';
import type { FakeHook } from '../../support/fake-github-hooks.js';
import type { ConformanceSubject, HookAtProvider, ThrottleForm } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: github,
  folder: 'github',
  webhook: {
    signs: ['body'],
    sign({ headers, body }, secret, at) {
      const digest = createHmac('sha256', secret.reveal()).update(body).digest('hex');
      return { headers: { ...headers, 'x-hub-signature-256': `sha256=${digest}` }, body, receivedAt: at };
    },
  },
  registration: {
    target: { repository: 'octo/demo' },
    least: {
      wanted: ['pull_request.opened', 'pull_request.closed', 'push', 'ping', 'membership.added'],
      asked: ['pull_request', 'push'],
    },
  },
  polling: { settings: { repositories: ['octo/demo'] } },
  provider: {
    async start(clock) {
      const { provider, token, hooks, octo, crowd } = await startFakeGitHub(clock);
      return {
        provider,
        credential: { token: new Secret(token) },
        crowd,
        hooks: () => hooks.all.map(toHook),
        polled: {
          happen: () => happenIn(octo),
          told: () => [...octo.issues.flatMap(toldOf), ...octo.runs.flatMap(toldOfRun)],
        },
      };
    },
    inputs: {
      createIssue: {
        project: 'octo/demo',
        title: 'The door does not close',
        body: 'Since Monday.',
        labels: ['bug'],
      },
      updateIssue: {
        project: 'octo/demo',
        issue: '1',
        title: 'The door closes',
        status: 'not planned',
        labels: ['done'],
        assignees: ['ada'],
      },
      addReaction: { issue: 'octo/demo#1', name: 'heart' },
      triggerBuild: {
        repository: 'octo/demo',
        ref: 'main',
        workflow: 'ci.yml',
        parameters: { door: 'front' },
      },
      addIssueComment: { project: 'octo/demo', issue: '1', body: 'It does when pushed.' },
      commentOnPullRequest: { repository: 'octo/demo', number: 2, body: 'Looks good to me.' },
      mergePullRequest: { repository: 'octo/demo', number: 2, method: 'SQUASH', expectedHeadSha: HEAD_SHA },
      setCommitStatus: { repository: 'octo/demo', sha: HEAD_SHA, context: 'ci/door', state: 'SUCCESS' },
    },
    throttles: (now) => [
      primary(403, now),
      primary(429, now),
      secondary(403, now),
      secondary(429, now),
      silent(now),
    ],
    error: githubError,
  },
};

/** More than a page of everything, and some of it closed and merged. */
function happenIn(octo: OctoDemo): void {
  octo.crowd();
  for (let made = 0; made < 120; made++) octo.addIssue({ pull: { headSha: HEAD_SHA, isMergeable: true } });
  const [issue, pull, stuck] = octo.issues as [Issue, Issue, Issue];
  octo.close(issue);
  octo.merge(pull);
  octo.close(stuck);
  for (let made = 0; made < 120; made++) {
    octo.addReviewComment(pull, 'Why?');
    octo.finish(octo.addRun('main'), 'success');
  }
  octo.addRun('topic');
}

/** In whole bodies, of which lists show a part. */
function toldOf(issue: Issue) {
  const event = issue.pull ? 'pull_request' : 'issues';
  const thing = issue.pull ? { pull_request: toPull(issue, issue.pull) } : { issue: toIssue(issue) };
  const isClosed = toIssue(issue).state === 'closed';
  return [
    { type: `${event}.opened`, body: { ...around, action: 'opened', ...thing } },
    ...(isClosed ? [{ type: `${event}.closed`, body: { ...around, action: 'closed', ...thing } }] : []),
    ...issue.comments.map((comment) => ({
      type: 'issue_comment.created',
      body: { ...around, action: 'created', issue: toIssue(issue), comment: toComment(issue, comment) },
    })),
    ...(issue.pull?.reviewComments ?? []).map((comment) => ({
      type: 'pull_request_review_comment.created',
      body: { ...around, action: 'created', ...thing, comment: toReviewComment(issue, comment) },
    })),
  ];
}

function toldOfRun(run: Run) {
  const body = { ...around, workflow_run: toRun(run) };
  return [
    { type: 'workflow_run.requested', body: { ...body, action: 'requested' } },
    ...(run.conclusion ? [{ type: 'workflow_run.completed', body: { ...body, action: 'completed' } }] : []),
  ];
}

const around = { repository: { id: 1, full_name: 'octo/demo' }, sender: user };

function toHook({ id, config: { url, secret }, events }: FakeHook): HookAtProvider {
  return { id: String(id), url, secret, events };
}

const HOUR_ENDS = new Date('2026-11-21T12:40:00Z');

/** The hour's budget is used up: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function primary(status: number, now: Date): ThrottleForm {
  const body = { message: 'API rate limit exceeded for user ID 4711.' };
  return {
    name: `${status}, none remaining until x-ratelimit-reset`,
    answer: throttled({ status, headers: rateLimit(0, HOUR_ENDS), body }, now),
    retryAt: HOUR_ENDS,
  };
}

const SECONDARY = {
  message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
};

/** Too much at once, with the hour's budget far from used up: its reset comes with every answer and means nothing here. */
function secondary(status: number, now: Date): ThrottleForm {
  return {
    name: `${status}, secondary with Retry-After`,
    answer: throttled({ status, retryAfter: 75, headers: rateLimit(4321, HOUR_ENDS), body: SECONDARY }, now),
    retryAt: new Date(now.getTime() + 75_000),
  };
}

/** "wait for at least one minute" */
function silent(now: Date): ThrottleForm {
  return {
    name: '403, secondary without a time',
    answer: throttled({ status: 403, headers: rateLimit(4321, HOUR_ENDS), body: SECONDARY }, now),
    retryAt: new Date(now.getTime() + 60_000),
  };
}
