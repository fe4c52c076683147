import type { Clock } from '../../src/core/clock.js';
import { HEAD_SHA, MERGE_SHA, type OctoDemo, createOctoDemo } from './fake-github-data.js';
import {
  type Issue,
  type Status,
  githubError,
  invalidField,
  page,
  toComment,
  toIssue,
  toPull,
  toStatus,
  user,
} from './fake-github-answers.js';
import { type FakeHooks, serveHooks } from './fake-github-hooks.js';
import { conditional, serveWork } from './fake-github-work.js';
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeProvider,
  type FakeRequest,
  startFakeProvider,
} from './fake-provider.js';

export { githubError } from './fake-github-answers.js';
export { HEAD_SHA } from './fake-github-data.js';

export interface FakeGitHub {
  readonly provider: FakeProvider;
  /** The only token it accepts: a classic one with the scopes `repo` and `read:user`, until more are granted. */
  readonly token: string;
  readonly hooks: FakeHooks;
  /** What is in it, and what people do there. */
  readonly octo: OctoDemo;
  grant(scope: string): void;
  /** More than a page of issues, comments and statuses, as other people make them. */
  crowd(): void;
}

interface StatusBody {
  readonly state?: string;
  readonly context?: string;
  readonly description?: string;
  readonly target_url?: string;
}

const REPO = '/repos/{owner}/{repo}';
const STATES = new Set(['error', 'failure', 'pending', 'success']);

/** The part of GitHub's REST API that our connector calls, with the one repository of {@link createOctoDemo}. */
export async function startFakeGitHub(clock: Clock): Promise<FakeGitHub> {
  const provider = await startFakeProvider();
  const token = 'ghp_of_the_fake_and_of_nobody_else';
  const octo = createOctoDemo(clock);
  const { issues, statuses } = octo;
  const scopes = ['repo', 'read:user'];

  function createIssue({ body }: FakeRequest): FakeAnswer {
    const { title, body: text, labels = [], assignees = [] } = body as Partial<Issue>;
    if (!title) return invalidField('Issue', 'title', 'missing_field');
    provider.addEffect('issue');
    return { status: 201, body: toIssue(octo.addIssue({ title, body: text ?? null, labels, assignees })) };
  }

  /** Open ones by default, newest first; `since` means updated since. */
  function listIssues(request: FakeRequest): FakeAnswer {
    const { since, state = 'open' } = request.query;
    const found = issues
      .filter((issue) => state === 'all' || toIssue(issue).state === state)
      .filter(({ updatedAt }) => isSince(updatedAt, since));
    return page(inOrder(found, request).map(toIssue), request);
  }

  /** https://docs.github.com/rest/pulls/pulls#list-pull-requests: knows no `since`. */
  function listPulls(request: FakeRequest): FakeAnswer {
    const found = inOrder(
      issues.filter(({ pull }) => pull),
      request,
    );
    return page(
      found.map((issue) => toListedPull(issue)),
      request,
    );
  }

  /** https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository */
  function listAllComments(request: FakeRequest): FakeAnswer {
    const found = issues
      .flatMap((issue) => issue.comments.map((comment) => ({ issue, comment })))
      .filter(({ comment }) => isSince(comment.createdAt, request.query['since']))
      .toSorted((one, other) => one.comment.createdAt.getTime() - other.comment.createdAt.getTime());
    return page(
      found.map(({ issue, comment }) => toComment(issue, comment)),
      request,
    );
  }

  function createComment({ body }: FakeRequest, issue: Issue): FakeAnswer {
    const { body: text } = body as { body?: string };
    if (!text) return invalidField('IssueComment', 'body', 'missing_field');
    provider.addEffect('comment');
    return { status: 201, body: toComment(issue, octo.addComment(issue, text)) };
  }

  /** A second entry that says what the last of its context said is kept, and changes nothing that anyone sees. */
  function createStatus({ body }: FakeRequest, sha = ''): FakeAnswer {
    const { state = '', context = 'default', description = null, target_url = null } = body as StatusBody;
    if (sha !== HEAD_SHA) return githubError(422, `No commit found for SHA: ${sha}`);
    if (!STATES.has(state)) return invalidField('Status', 'state', 'custom');
    const before = statuses.findLast((status) => status.context === context);
    const status = octo.addStatus({ sha, state, context, description, targetUrl: target_url });
    if (!before || !saysTheSame(before, status)) provider.addEffect('status');
    return { status: 201, body: toStatus(status) };
  }

  /** Newest first: the first of a context is the one that counts. */
  function listStatuses(request: FakeRequest, ref = ''): FakeAnswer {
    if (ref !== HEAD_SHA) return githubError(404);
    return page(statuses.toReversed().map(toStatus), request);
  }

  /** https://docs.github.com/rest/pulls/pulls#merge-a-pull-request */
  function merge({ body }: FakeRequest, issue: Issue): FakeAnswer {
    const { pull } = issue;
    const { sha } = (body ?? {}) as { sha?: string };
    if (!pull) return githubError(404);
    if (pull.merged || !pull.isMergeable) return githubError(405);
    if (sha && sha !== pull.headSha) return githubError(409);
    provider.addEffect('merge');
    octo.merge(issue);
    return {
      status: 200,
      body: { sha: MERGE_SHA, merged: true, message: 'Pull Request successfully merged' },
    };
  }

  const on = (route: string, handle: FakeHandler): void =>
    provider.on(route, (request, params) => {
      const answer = guard(request, params) ?? handle(request, params);
      const { status, headers, body } = conditional(request, answer);
      return { status, headers: { ...standardHeaders(), ...headers }, body };
    });
  const onIssue = (route: string, handle: (request: FakeRequest, issue: Issue) => FakeAnswer): void =>
    on(route, (request, { number }) => {
      const issue = issues.find((candidate) => String(candidate.number) === number);
      return issue ? handle(request, issue) : githubError(404);
    });

  function guard(
    { headers }: FakeRequest,
    { owner, repo }: Readonly<Record<string, string>>,
  ): FakeAnswer | undefined {
    if (!headers['user-agent']) return githubError(403, 'Request forbidden by administrative rules.');
    if (!/^(Bearer|token) /.test(headers['authorization'] ?? ''))
      return githubError(401, 'Requires authentication');
    if (headers['authorization']?.split(' ')[1] !== token) return githubError(401);
    return owner && `${owner}/${repo}` !== 'octo/demo' ? githubError(404) : undefined;
  }

  function standardHeaders(): Record<string, string> {
    const used = provider.requests.length;
    return {
      'x-oauth-scopes': scopes.join(', '),
      'x-accepted-oauth-scopes': '',
      'x-github-media-type': 'github.v3; format=json',
      ...rateLimit(5000 - used, new Date(clock.now().getTime() + 50 * 60_000)),
    };
  }

  on('GET /user', () => ({ status: 200, body: user }));
  on(`POST ${REPO}/issues`, createIssue);
  on(`GET ${REPO}/issues`, listIssues);
  on(`GET ${REPO}/pulls`, listPulls);
  onIssue(`GET ${REPO}/issues/{number}`, (_, issue) => ({ status: 200, body: toIssue(issue) }));
  on(`GET ${REPO}/issues/comments`, listAllComments);
  onIssue(`POST ${REPO}/issues/{number}/comments`, createComment);
  onIssue(`GET ${REPO}/issues/{number}/comments`, listComments);
  on(`POST ${REPO}/statuses/{sha}`, (request, { sha }) => createStatus(request, sha));
  on(`GET ${REPO}/commits/{ref}/statuses`, (request, { ref }) => listStatuses(request, ref));
  onIssue(`GET ${REPO}/pulls/{number}`, (_, issue) =>
    issue.pull ? { status: 200, body: toPull(issue, issue.pull) } : githubError(404),
  );
  onIssue(`PUT ${REPO}/pulls/{number}/merge`, merge);
  serveWork({ octo, now: clock.now, on, onIssue, addEffect: provider.addEffect });

  const hooks = serveHooks({
    clock,
    on,
    hasScope: (...wanted) => wanted.some((scope) => scopes.includes(scope)),
    addEffect: provider.addEffect,
  });

  return { provider, token, hooks, octo, grant: (scope) => void scopes.push(scope), crowd: octo.crowd };
}

/** Oldest first, always. */
function listComments(request: FakeRequest, issue: Issue): FakeAnswer {
  const found = issue.comments.filter(({ createdAt }) => isSince(createdAt, request.query['since']));
  return page(
    found.map((comment) => toComment(issue, comment)),
    request,
  );
}

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
export function rateLimit(remaining: number, reset: Date): Record<string, string> {
  return {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-used': String(5000 - remaining),
    'x-ratelimit-reset': String(Math.floor(reset.getTime() / 1000)),
    'x-ratelimit-resource': 'core',
  };
}

function saysTheSame(one: Status, other: Status): boolean {
  return (['state', 'description', 'targetUrl'] as const).every((field) => one[field] === other[field]);
}

/** Compared in whole seconds, as the times that it tells are. */
function isSince(time: Date, since: string | undefined): boolean {
  return !since || Math.floor(time.getTime() / 1000) * 1000 >= Date.parse(since);
}

/** Sorted by creation, newest first, unless it was asked for otherwise. */
function inOrder(found: readonly Issue[], { query }: FakeRequest): readonly Issue[] {
  const field = query['sort'] === 'updated' ? 'updatedAt' : 'createdAt';
  const sorted = found.toSorted((one, other) => one[field].getTime() - other[field].getTime());
  return query['direction'] === 'asc' ? sorted : sorted.toReversed();
}

/** Lists leave out what has to be worked out for each. */
function toListedPull(issue: Issue): object {
  const {
    merged: _,
    merged_by: __,
    mergeable: ___,
    mergeable_state: ____,
    comments: _____,
    ...listed
  } = toPull(issue, issue.pull!) as Record<string, unknown>;
  return listed;
}
