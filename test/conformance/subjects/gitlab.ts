import { Webhook } from 'standardwebhooks';
import { createHash } from 'node:crypto';
import { gitlab } from '../../../connectors/gitlab/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { HEAD_SHA, gitlabError, startFakeGitLab } from '../../support/fake-gitlab.js';
import {
  type Issue,
  type MergeRequest,
  PROJECT,
  type Pipeline,
  toIssue,
  toMergeRequest,
  toPipeline,
  user,
} from '../../support/fake-gitlab-answers.js';
import type { TanukiDemo } from '../../support/fake-gitlab-data.js';
import type { ConformanceSubject, ThrottleForm } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: gitlab,
  folder: 'gitlab',
  // By signing token, the stricter of the two ways; gitlab.test.ts has the secret token.
  webhook: {
    signs: ['body', 'time'],
    payload: (file, body) => ({
      headers: { 'content-type': 'application/json', 'idempotency-key': file },
      body,
    }),
    secret: (seed) => `whsec_${createHash('sha256').update(seed).digest('base64')}`,
    sign({ headers, body }, secret, at) {
      // The same key as GitLab repeats with every try.
      const id = headers['idempotency-key'] ?? 'f9a7d1c2-0000-4000-8000-000000000001';
      const seconds = Math.floor(at.getTime() / 1000);
      const signature = new Webhook(secret.reveal()).sign(
        id,
        new Date(seconds * 1000),
        body.toString('utf8'),
      );
      const signed = {
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signature,
      };
      return { headers: { ...headers, ...signed }, body, receivedAt: at };
    },
  },
  polling: { settings: { projects: [PROJECT] } },
  provider: {
    async start(clock) {
      const { provider, token, tanuki } = await startFakeGitLab(clock);
      return {
        provider,
        credential: { token: new Secret(token) },
        crowd: tanuki.crowd,
        polled: { happen: () => happenIn(tanuki), told: () => toldOf(tanuki) },
      };
    },
    inputs: {
      createIssue: {
        project: PROJECT,
        title: 'The door does not close',
        body: 'Since Monday.',
        labels: ['bug'],
        assignees: ['ada'],
      },
      updateIssue: { project: PROJECT, issue: '1', title: 'The door does close', status: 'closed' },
      addIssueComment: { project: PROJECT, issue: '1', body: 'It does when pushed.' },
      commentOnPullRequest: { repository: PROJECT, number: 1, body: 'Looks good to me.' },
      mergePullRequest: { repository: PROJECT, number: 1, method: 'SQUASH', expectedHeadSha: HEAD_SHA },
      setCommitStatus: { repository: PROJECT, sha: HEAD_SHA, context: 'ci/door', state: 'SUCCESS' },
      triggerBuild: { repository: PROJECT, ref: 'main', parameters: { DOOR: 'closed' } },
    },
    throttles: (now) => [later(now), byReset(now), silent(now)],
    error: gitlabError,
  },
};

/** More than a page of everything, and some of it closed and merged. */
function happenIn(tanuki: TanukiDemo): void {
  tanuki.crowd();
  for (let made = 0; made < 120; made++) tanuki.addMergeRequest({});
  tanuki.close(tanuki.issues[0]!);
  tanuki.merge(tanuki.mergeRequests[0]!);
  for (let made = 0; made < 25; made++) tanuki.end(tanuki.addPipeline({}), made % 2 ? 'success' : 'failed');
  tanuki.addPipeline({ ref: 'v1', tag: true });
}

/** In the form of webhooks, which differs from that of lists. */
function toldOf({ issues, mergeRequests, pipelines }: TanukiDemo) {
  return [
    ...issues.flatMap(toldOfIssue),
    ...mergeRequests.flatMap(toldOfMergeRequest),
    ...pipelines.flatMap(toldOfPipeline),
  ];
}

function toldOfPipeline(pipeline: Pipeline) {
  const { id, ref, tag, sha, created_at: _, web_url: url } = toPipeline(pipeline);
  const told = (status: string) => ({
    type: `pipeline.${status}`,
    body: {
      ...around,
      object_kind: 'pipeline',
      object_attributes: {
        id,
        ref,
        tag,
        sha,
        url,
        status,
        created_at: hookTime(pipeline.createdAt),
        finished_at: pipeline.finishedAt ? hookTime(pipeline.finishedAt) : null,
      },
    },
  });
  return [
    told('pending'),
    ...(pipeline.startedAt ? [told('running')] : []),
    ...(pipeline.finishedAt ? [told(pipeline.status)] : []),
  ];
}

const around = {
  user,
  project: { id: 15, path_with_namespace: PROJECT, web_url: `https://gitlab.com/${PROJECT}` },
};

/** `2026-11-21 12:00:00 UTC`, as webhooks write it. */
const hookTime = (date: Date): string => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function toldOfIssue(issue: Issue) {
  const { created_at: _, updated_at: __, closed_at: ___, ...fields } = toIssue(issue);
  const times = {
    created_at: hookTime(issue.createdAt),
    updated_at: hookTime(issue.updatedAt),
    closed_at: issue.closedAt ? hookTime(issue.closedAt) : null,
  };
  const told = (action: string) => ({
    type: `issue.${action}`,
    body: { ...around, object_kind: 'issue', object_attributes: { ...fields, ...times, action } },
  });
  return [
    told('open'),
    ...(issue.closedAt ? [told('close')] : []),
    ...issue.notes.map((note) => toldOfNote(note.id, note.body, note.createdAt, 'Issue')),
  ];
}

function toldOfMergeRequest(item: MergeRequest) {
  const { created_at: _, updated_at: __, ...fields } = toMergeRequest(item);
  const times = { created_at: hookTime(item.createdAt), updated_at: hookTime(item.updatedAt) };
  const told = (action: string) => ({
    type: `merge_request.${action}`,
    body: { ...around, object_kind: 'merge_request', object_attributes: { ...fields, ...times, action } },
  });
  return [
    told('open'),
    ...(item.merged ? [told('merge')] : []),
    ...item.notes.map((note) => toldOfNote(note.id, note.body, note.createdAt, 'MergeRequest')),
  ];
}

function toldOfNote(id: number, note: string, at: Date, kind: string) {
  const attributes = {
    id,
    note,
    noteable_type: kind,
    system: false,
    created_at: hookTime(at),
    action: 'create',
  };
  return { type: 'note.create', body: { ...around, object_kind: 'note', object_attributes: attributes } };
}

const LATER = 'Retry later\n';

/** https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers */
function later(now: Date): ThrottleForm {
  return {
    name: '429 with Retry-After, in plain text',
    answer: throttled({ status: 429, retryAfter: 30, body: LATER }, now),
    retryAt: new Date(now.getTime() + 30_000),
  };
}

const ENDS = new Date('2026-11-21T12:01:00Z');

function byReset(now: Date): ThrottleForm {
  const reset = { header: 'ratelimit-reset', unit: 'epoch_seconds', at: ENDS } as const;
  return {
    name: '429 with RateLimit-Reset alone',
    answer: throttled({ status: 429, reset, body: LATER }, now),
    retryAt: ENDS,
  };
}

/** Limits of single endpoints say nothing. */
function silent(now: Date): ThrottleForm {
  return {
    name: '429 without a time',
    answer: throttled(
      { status: 429, body: { message: { error: 'This endpoint has been requested too many times.' } } },
      now,
    ),
    retryAt: new Date(now.getTime() + 60_000),
  };
}
