import type { FakeAnswer, FakeRequest } from './fake-provider.js';

// Shapes of GitHub's REST answers, as far as a client like ours could look: the required fields of its API
// description that carry meaning, and error bodies. https://github.com/github/rest-api-description

export interface Comment {
  readonly id: number;
  readonly body: string | null;
  readonly createdAt: Date;
}

/** On a line of code. */
export interface ReviewComment extends Comment {
  readonly path: string;
  readonly line: number;
}

/** Of the one workflow, ci.yml. */
export interface Run {
  readonly id: number;
  readonly number: number;
  readonly branch: string;
  readonly createdAt: Date;
  updatedAt: Date;
  conclusion: string | null;
}

export interface Pull {
  readonly headSha: string;
  readonly isMergeable: boolean;
  readonly reviewComments?: ReviewComment[];
  merged?: { readonly sha: string; readonly at: Date };
}

/** A pull request is an issue with something to merge. */
export interface Issue extends Omit<Comment, 'body'> {
  readonly number: number;
  body: string | null;
  title: string;
  labels: readonly string[];
  assignees: readonly string[];
  readonly comments: Comment[];
  readonly pull?: Pull;
  /** Comments count as well. */
  updatedAt: Date;
  closedAt?: Date;
  stateReason?: 'completed' | 'not_planned' | 'reopened';
}

export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly createdAt: Date;
}

const REPOSITORY = 'octo/demo';
const API = `https://api.github.com/repos/${REPOSITORY}`;
const WEB = `https://github.com/${REPOSITORY}`;

export const user = {
  login: 'ada',
  id: 4711,
  node_id: 'U_4711',
  html_url: 'https://github.com/ada',
  type: 'User',
  user_view_type: 'private',
  site_admin: false,
  name: 'Ada',
};

/** GitHub tells times in whole seconds: what happened may seem older than the request that caused it. */
export function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

export function toIssue({ pull, ...issue }: Issue) {
  const closedAt = pull?.merged?.at ?? issue.closedAt;
  return {
    id: issue.id,
    node_id: `I_${issue.id}`,
    url: `${API}/issues/${issue.number}`,
    repository_url: API,
    labels_url: `${API}/issues/${issue.number}/labels{/name}`,
    comments_url: `${API}/issues/${issue.number}/comments`,
    events_url: `${API}/issues/${issue.number}/events`,
    html_url: `${WEB}/${pull ? 'pull' : 'issues'}/${issue.number}`,
    number: issue.number,
    state: closedAt ? 'closed' : 'open',
    state_reason: issue.stateReason ?? null,
    title: issue.title,
    body: issue.body,
    user,
    labels: issue.labels.map((name) => ({ name })),
    assignee: null,
    assignees: issue.assignees.map((login) => ({ ...user, login })),
    milestone: null,
    locked: false,
    comments: issue.comments.length,
    ...(pull && {
      pull_request: { url: `${API}/pulls/${issue.number}`, html_url: `${WEB}/pull/${issue.number}` },
    }),
    closed_at: closedAt ? toTime(closedAt) : null,
    created_at: toTime(issue.createdAt),
    updated_at: toTime(issue.updatedAt),
    author_association: 'OWNER',
  };
}

export function toComment({ number, pull }: Issue, { id, body, createdAt }: Comment): object {
  return {
    id,
    node_id: `IC_${id}`,
    url: `${API}/issues/comments/${id}`,
    html_url: `${WEB}/${pull ? 'pull' : 'issues'}/${number}#issuecomment-${id}`,
    issue_url: `${API}/issues/${number}`,
    user,
    body,
    created_at: toTime(createdAt),
    updated_at: toTime(createdAt),
    author_association: 'OWNER',
  };
}

/** https://docs.github.com/rest/pulls/comments#list-review-comments-in-a-repository */
export function toReviewComment({ number, pull }: Issue, comment: ReviewComment): object {
  const { id, body, path, line, createdAt } = comment;
  const [url, html] = [`${API}/pulls/comments/${id}`, `${WEB}/pull/${number}#discussion_r${id}`];
  return {
    id,
    node_id: `PRRC_${id}`,
    url,
    html_url: html,
    pull_request_url: `${API}/pulls/${number}`,
    pull_request_review_id: id + 1,
    diff_hunk: '@@ -1 +1 @@',
    path,
    line,
    commit_id: pull?.headSha ?? '',
    original_commit_id: pull?.headSha ?? '',
    user,
    body,
    created_at: toTime(createdAt),
    updated_at: toTime(createdAt),
    author_association: 'OWNER',
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: `${API}/pulls/${number}` } },
  };
}

/** https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository */
export function toRun({ id, number, branch, createdAt, updatedAt, conclusion }: Run): object {
  const url = `${API}/actions/runs/${id}`;
  return {
    id,
    node_id: `WFR_${id}`,
    name: 'CI',
    display_title: 'Mend the bug',
    path: '.github/workflows/ci.yml',
    workflow_id: 4,
    run_number: number,
    run_attempt: 1,
    event: 'push',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    head_branch: branch,
    head_sha: '0123456789abcdef0123456789abcdef01234567',
    url,
    html_url: `${WEB}/actions/runs/${id}`,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${API}/actions/workflows/4`,
    check_suite_url: `${API}/check-suites/${id}`,
    pull_requests: [],
    actor: user,
    triggering_actor: user,
    run_started_at: toTime(createdAt),
    created_at: toTime(createdAt),
    updated_at: toTime(updatedAt),
  };
}

export function toPull(issue: Issue, { headSha, isMergeable, merged }: Pull): object {
  // Only issues have these.
  const {
    repository_url: _,
    pull_request: __,
    labels_url: ___,
    events_url: ____,
    state_reason: _____,
    ...ofIssue
  } = toIssue(issue);
  return {
    ...ofIssue,
    id: issue.id + 1_000_000,
    url: `${API}/pulls/${issue.number}`,
    draft: false,
    merged: merged !== undefined,
    merged_at: merged ? toTime(merged.at) : null,
    merged_by: merged ? user : null,
    // Before a merge this is the sha of a test merge: a client that reads it as "merged" is mistaken.
    merge_commit_sha: merged?.sha ?? 'b'.repeat(40),
    mergeable: merged ? null : isMergeable,
    mergeable_state: merged ? 'unknown' : isMergeable ? 'clean' : 'dirty',
    head: { label: 'octo:topic', ref: 'topic', sha: headSha },
    base: {
      label: 'octo:main',
      ref: 'main',
      sha: '0'.repeat(39).concat('1'),
      repo: { full_name: REPOSITORY },
    },
  };
}

export function toStatus({ id, sha, createdAt, targetUrl, ...fields }: Status): object {
  return {
    url: `${API}/statuses/${sha}`,
    avatar_url: 'https://avatars.githubusercontent.com/u/4711',
    id,
    node_id: `SC_${id}`,
    ...fields,
    target_url: targetUrl,
    created_at: toTime(createdAt),
    updated_at: toTime(createdAt),
    creator: user,
  };
}

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Bad credentials',
  403: 'Resource not accessible by personal access token',
  404: 'Not Found',
  405: 'Pull Request is not mergeable',
  409: 'Head branch was modified. Review and try the merge again.',
  422: 'Validation Failed',
  500: 'Server Error',
  503: 'Service unavailable',
};

/** An error as GitHub words it. */
export function githubError(
  status: number,
  message = MESSAGES[status] ?? 'Error',
  more: object = {},
): FakeAnswer {
  const body = {
    message,
    ...more,
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  };
  return { status, body };
}

/** 422 for one field, such as `missing_field`. */
export function invalidField(resource: string, field: string, code: string): FakeAnswer {
  return githubError(422, undefined, { errors: [{ resource, field, code }] });
}

/** One page of a list, with the Link header that leads on. https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api */
export function page(items: readonly object[], { path, query, headers }: FakeRequest): FakeAnswer {
  const size = Math.min(Number(query['per_page'] ?? 30), 100);
  const number = Number(query['page'] ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string): string =>
    `<http://${headers['host'] ?? ''}${path}?${new URLSearchParams({ ...query, page: String(to) }).toString()}>; rel="${rel}"`;
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev'), link(1, 'first')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
  ];
  return {
    status: 200,
    headers: links.length > 0 ? { link: links.join(', ') } : {},
    body: items.slice((number - 1) * size, number * size),
  };
}
