import type { Clock } from '../../src/core/clock.js';
import type { Comment, Issue, ReviewComment, Run, Status } from './fake-github-answers.js';

/** The head of pull request 2, and the one commit that statuses can be set on. */
export const HEAD_SHA = '0123456789abcdef0123456789abcdef01234567';
/** What merging it makes. */
export const MERGE_SHA = 'fedcba9876543210fedcba9876543210fedcba98';

/** What is in the repository `octo/demo`, oldest first. */
export interface OctoDemo {
  readonly issues: readonly Issue[];
  readonly statuses: readonly Status[];
  readonly runs: readonly Run[];
  addIssue(fields: Partial<Issue>): Issue;
  addComment(issue: Issue, body: string): Comment;
  close(issue: Issue): void;
  merge(issue: Issue): void;
  /** On a line of a pull request's code. */
  addReviewComment(issue: Issue, body: string): ReviewComment;
  addRun(branch: string): Run;
  finish(run: Run, conclusion: string): void;
  addStatus(fields: Omit<Status, 'id' | 'createdAt'>): Status;
  /** More than a page of everything, as other people make it. */
  crowd(): void;
}

/** Begins with issue 1, pull request 2 that can be merged, and pull request 3 that can't. */
export function createOctoDemo(clock: Clock): OctoDemo {
  const issues: Issue[] = [];
  const statuses: Status[] = [];
  const runs: Run[] = [];
  let lastId = 1000;

  function addIssue(fields: Partial<Issue>): Issue {
    const id = ++lastId;
    const number = issues.length + 1;
    const issue = { id, number, title: `Number ${number}`, body: null, labels: [], assignees: [] };
    const own = { comments: [], ...fields };
    const now = clock.now();
    return issues[issues.push({ ...issue, ...own, createdAt: now, updatedAt: now }) - 1]!;
  }

  function close(issue: Issue): void {
    issue.closedAt = issue.updatedAt = clock.now();
  }

  function merge(issue: Issue): void {
    if (issue.pull) issue.pull.merged = { sha: MERGE_SHA, at: clock.now() };
    issue.updatedAt = clock.now();
  }

  function addComment(issue: Issue, body: string): Comment {
    const comment = { id: ++lastId, body, createdAt: clock.now() };
    issue.comments.push(comment);
    issue.updatedAt = clock.now();
    return comment;
  }

  function addReviewComment(issue: Issue, body: string): ReviewComment {
    const comment = { id: ++lastId, body, path: 'door.ts', line: 7, createdAt: clock.now() };
    issue.pull?.reviewComments?.push(comment);
    issue.updatedAt = clock.now();
    return comment;
  }

  function addRun(branch: string): Run {
    const [id, number, now] = [++lastId, runs.length + 1, clock.now()];
    const run = { id, number, branch, createdAt: now, updatedAt: now, conclusion: null };
    return runs[runs.push(run) - 1]!;
  }

  function finish(run: Run, conclusion: string): void {
    Object.assign(run, { conclusion, updatedAt: clock.now() });
  }

  function addStatus(fields: Omit<Status, 'id' | 'createdAt'>): Status {
    const status = { ...fields, id: ++lastId, createdAt: clock.now() };
    statuses.push(status);
    return status;
  }

  addIssue({ title: 'Found a bug' });
  const mendable = { headSha: HEAD_SHA, isMergeable: true, reviewComments: [] };
  addIssue({ title: 'Mend the bug', pull: mendable });
  addIssue({ title: 'Stuck', pull: { headSha: 'f'.repeat(40), isMergeable: false } });

  function crowd(): void {
    const [issue, pull] = issues as [Issue, Issue];
    const green = { sha: HEAD_SHA, state: 'success', description: null, targetUrl: null };
    for (let made = 0; made < 120; made++) {
      addIssue({ body: 'By someone else.' });
      addComment(issue, 'Me too.');
      addComment(pull, 'Looks good.');
      addStatus({ ...green, context: `check ${made}` });
    }
  }

  return {
    issues,
    statuses,
    runs,
    addIssue,
    addComment,
    close,
    merge,
    addReviewComment,
    addRun,
    finish,
    addStatus,
    crowd,
  };
}
