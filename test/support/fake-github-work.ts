import { createHash } from 'node:crypto';
import {
  type Issue,
  githubError,
  invalidField,
  page,
  toIssue,
  toReviewComment,
  toRun,
  toTime,
  user,
} from './fake-github-answers.js';
import type { OctoDemo } from './fake-github-data.js';
import type { FakeAnswer, FakeHandler, FakeRequest } from './fake-provider.js';

const REPO = '/repos/{owner}/{repo}';
const REACTIONS = new Set(['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']);

interface Changes {
  readonly title?: string;
  readonly body?: string;
  readonly labels?: readonly string[];
  readonly assignees?: readonly string[];
  readonly state?: 'open' | 'closed';
  readonly state_reason?: Issue['stateReason'];
}

export interface WorkDeps {
  readonly octo: OctoDemo;
  readonly now: () => Date;
  readonly on: (route: string, handle: FakeHandler) => void;
  readonly onIssue: (route: string, handle: (request: FakeRequest, issue: Issue) => FakeAnswer) => void;
  readonly addEffect: (name: string) => void;
}

/** Changes of issues, reactions, workflows and comments on code. */
export function serveWork({ octo, now, on, onIssue, addEffect }: WorkDeps): void {
  const reactions = new Map<string, number>();

  /** https://docs.github.com/rest/issues/issues#update-an-issue: what changes nothing is no effect. */
  function change({ body }: FakeRequest, issue: Issue): FakeAnswer {
    const { state, state_reason: reason, ...fields } = body as Changes;
    if (state !== undefined && state !== 'open' && state !== 'closed')
      return invalidField('Issue', 'state', 'invalid');
    const before = JSON.stringify(toIssue(issue));
    Object.assign(issue, fields);
    if (state === 'closed') issue.closedAt ??= now();
    if (state === 'open') delete issue.closedAt;
    if (state !== undefined) issue.stateReason = reason ?? (state === 'closed' ? 'completed' : 'reopened');
    if (JSON.stringify(toIssue(issue)) !== before) {
      issue.updatedAt = now();
      addEffect('issue change');
    }
    return { status: 200, body: toIssue(issue) };
  }

  /** https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue */
  function react({ body }: FakeRequest, issue: Issue): FakeAnswer {
    const { content = '' } = body as { content?: string };
    if (!REACTIONS.has(content)) return invalidField('Reaction', 'content', 'invalid');
    const key = `${issue.number} ${content}`;
    const known = reactions.get(key);
    const id = known ?? 9000 + reactions.size;
    reactions.set(key, id);
    if (known === undefined) addEffect('reaction');
    const reaction = { id, node_id: `REA_${id}`, user, content, created_at: toTime(now()) };
    return { status: known === undefined ? 201 : 200, body: reaction };
  }

  /**
   * https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event: the earlier version tells the run only to
   * who asks for it, and the later one does not know the question.
   */
  function dispatch({ body, headers }: FakeRequest, workflow = ''): FakeAnswer {
    const { ref, return_run_details: wantsRun } = body as { ref?: string; return_run_details?: boolean };
    const isLater = headers['x-github-api-version'] === '2026-03-10';
    if (workflow !== 'ci.yml') return githubError(404);
    if (!ref) return githubError(422, `Invalid request.\n\n"ref" wasn't supplied.`);
    if (isLater && wantsRun !== undefined) {
      return githubError(422, 'Invalid request.\n\n"return_run_details" is not a permitted key.');
    }
    addEffect('run');
    const { id } = octo.addRun(ref);
    if (!isLater && wantsRun !== true) return { status: 204 };
    const run = toRun(octo.runs.at(-1)!) as { url: string; html_url: string };
    return { status: 200, body: { workflow_run_id: id, run_url: run.url, html_url: run.html_url } };
  }

  /** Newest first. Of what is filtered at most 1,000 are shown. */
  function listRuns(request: FakeRequest): FakeAnswer {
    const since = /^>=(.*)$/.exec(request.query['created'] ?? '')?.[1];
    const found = octo.runs.filter(({ createdAt }) => !since || toTime(createdAt) >= since).toReversed();
    const { body, ...answer } = page(found.slice(0, 1000).map(toRun), request);
    return { ...answer, body: { total_count: found.length, workflow_runs: body } };
  }

  function listReviewComments(request: FakeRequest): FakeAnswer {
    const { since } = request.query;
    const found = octo.issues
      .flatMap((issue) => (issue.pull?.reviewComments ?? []).map((comment) => ({ issue, comment })))
      .filter(({ comment }) => !since || toTime(comment.createdAt) >= since);
    return page(
      found.map(({ issue, comment }) => toReviewComment(issue, comment)),
      request,
    );
  }

  onIssue(`PATCH ${REPO}/issues/{number}`, change);
  onIssue(`POST ${REPO}/issues/{number}/reactions`, react);
  on(`POST ${REPO}/actions/workflows/{workflow}/dispatches`, (request, { workflow }) =>
    dispatch(request, workflow),
  );
  on(`GET ${REPO}/actions/runs`, listRuns);
  on(`GET ${REPO}/pulls/comments`, listReviewComments);
}

/** A GET has an ETag, and whoever has seen that body is told only that it is the same. */
export function conditional({ method, headers }: FakeRequest, answer: FakeAnswer): FakeAnswer {
  if (method !== 'GET' || answer.status !== 200) return answer;
  const digest = createHash('sha256').update(JSON.stringify(answer.body)).digest('hex');
  const etag = `W/"${digest}"`;
  const isKnown = headers['if-none-match'] === etag;
  return isKnown ? { status: 304, headers: { etag } } : { ...answer, headers: { ...answer.headers, etag } };
}
