import {
  type Part,
  at,
  closingHints,
  commitHints,
  count,
  each,
  flag,
  isObject,
  keyHints,
  line,
  links,
  longText,
  nameHints,
  numberHint,
  textAt,
} from '../../../src/connector/index.js';
import { person } from './fields.js';

const repositoryOf = (body: unknown) => line(body, 'repository', 'full_name');

/** Merged by the flag, or by the time alone: lists and review events show the time only. */
export function isMerged(body: unknown): boolean {
  return (
    at(body, 'pull_request', 'merged') === true || textAt(body, 'pull_request', 'merged_at') !== undefined
  );
}

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request */
export const pullRequest: Part = {
  required: ['number', 'title', 'state', 'html_url', 'head.ref', 'head.sha', 'base.ref', 'user'].map(
    (field) => `pull_request.${field}`,
  ),
  describe: (body) => ({
    resource: {
      branch: line(body, 'pull_request', 'head', 'ref'),
      pr_id: line(body, 'pull_request', 'number'),
      commit: line(body, 'pull_request', 'head', 'sha'),
    },
    payload: pullRequestFields(body),
    evidence: links(
      'pull_request',
      textAt(body, 'pull_request', 'html_url'),
      line(body, 'pull_request', 'title'),
    ),
    hints: pullRequestHints(body),
  }),
};

function pullRequestFields(body: unknown) {
  const pull = at(body, 'pull_request');
  return {
    title: line(pull, 'title'),
    number: count(pull, 'number'),
    state: line(pull, 'state'),
    draft: flag(pull, 'draft'),
    merged: isMerged(body),
    body: longText(pull, 'body'),
    author: person(pull, 'user'),
    labels: each(pull, ['labels'], 'name'),
    assignees: each(pull, ['assignees'], 'login'),
    requested_reviewers: each(pull, ['requested_reviewers'], 'login'),
    milestone: line(pull, 'milestone', 'title'),
    head_branch: line(pull, 'head', 'ref'),
    base_branch: line(pull, 'base', 'ref'),
    before: line(body, 'before'),
    after: line(body, 'after'),
    // Until the merge it names a test merge that no branch will ever hold.
    merge_commit: isMerged(body) ? line(pull, 'merge_commit_sha') : undefined,
    merged_by: person(pull, 'merged_by'),
    commit_count: count(pull, 'commits'),
    additions: count(pull, 'additions'),
    deletions: count(pull, 'deletions'),
    changed_files: count(pull, 'changed_files'),
  };
}

function pullRequestHints(body: unknown) {
  const pull = at(body, 'pull_request');
  const branch = line(pull, 'head', 'ref');
  return [
    ...numberHint(repositoryOf(body), line(pull, 'number')),
    ...commitHints(line(pull, 'head', 'sha'), isMerged(body) ? line(pull, 'merge_commit_sha') : undefined),
    ...nameHints(branch),
    ...keyHints(branch, line(pull, 'title')),
    ...closingHints(repositoryOf(body), longText(pull, 'body')),
  ];
}

/** An issue, or a pull request as its conversation shows it: then it has a `pull_request` of its own. */
export const isPullRequest = (body: unknown): boolean => isObject(at(body, 'issue', 'pull_request'));

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues */
export const issue: Part = {
  required: ['number', 'title', 'html_url', 'user', 'assignees'].map((field) => `issue.${field}`),
  describe: (body) => {
    const number = line(body, 'issue', 'number');
    const title = line(body, 'issue', 'title');
    const isPull = isPullRequest(body);
    return {
      resource: { pr_id: isPull ? number : undefined },
      payload: issueFields(at(body, 'issue')),
      keys: { issue_key: isPull ? undefined : number },
      evidence: links(isPull ? 'pull_request' : 'issue', textAt(body, 'issue', 'html_url'), title),
      hints: [...numberHint(repositoryOf(body), number), ...keyHints(title)],
    };
  },
};

function issueFields(found: unknown) {
  return {
    title: line(found, 'title'),
    number: count(found, 'number'),
    state: line(found, 'state'),
    state_reason: line(found, 'state_reason'),
    issue_type: line(found, 'type', 'name'),
    body: longText(found, 'body'),
    author: person(found, 'user'),
    labels: each(found, ['labels'], 'name'),
    assignees: each(found, ['assignees'], 'login'),
    milestone: line(found, 'milestone', 'title'),
  };
}

/** A comment on anything. `body` and `author` are the comment's from here on: title and state stay those of its subject. */
export const comment: Part = {
  required: ['body', 'html_url', 'user'].map((field) => `comment.${field}`),
  describe: (body) => ({
    resource: { commit: line(body, 'comment', 'commit_id') },
    payload: {
      comment_id: line(body, 'comment', 'id'),
      body: longText(body, 'comment', 'body'),
      author: person(body, 'comment', 'user'),
      path: line(body, 'comment', 'path'),
      line: count(body, 'comment', 'line'),
      in_reply_to: line(body, 'comment', 'in_reply_to_id') ?? line(body, 'comment', 'parent_id'),
    },
    evidence: links('comment', textAt(body, 'comment', 'html_url')),
    hints: commitHints(line(body, 'comment', 'commit_id')),
  }),
};

/** A review: its verdict, its text, and the commit that was looked at. */
export const review: Part = {
  required: ['state', 'html_url', 'user', 'commit_id'].map((field) => `review.${field}`),
  describe: (body) => ({
    resource: { commit: line(body, 'review', 'commit_id') },
    payload: {
      review_id: line(body, 'review', 'id'),
      // REST says APPROVED where webhooks say approved.
      review_state: line(body, 'review', 'state')?.toLowerCase(),
      body: longText(body, 'review', 'body'),
      author: person(body, 'review', 'user'),
    },
    evidence: links('review', textAt(body, 'review', 'html_url')),
    hints: commitHints(line(body, 'review', 'commit_id')),
  }),
};
