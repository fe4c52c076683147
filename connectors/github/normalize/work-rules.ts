import { on } from '../../../src/connector/index.js';
import { thing } from './shared.js';
import { area, inRepository } from './rules.js';
import { comment, isMerged, isPullRequest, issue, pullRequest, review } from './work.js';

/** A GET of the object shows what these changed, so that a poll finds the same version. */
const visible = words('edited labeled unlabeled unassigned milestoned demilestoned locked unlocked');
const visibleOfPulls = [
  ...visible,
  ...words(
    'assigned synchronize converted_to_draft ready_for_review review_requested review_request_removed',
  ),
];

/** The digest of a version does not cover these, so the delivery names them. */
const hidden = words('pinned unpinned transferred typed untyped field_added field_removed');
const hiddenOfPulls = words('auto_merge_enabled auto_merge_disabled enqueued dequeued stacked');

function words(text: string): readonly string[] {
  return text.split(' ');
}

const pullRequests = area(
  [...inRepository, pullRequest],
  [
    {
      on: on('pull_request', 'opened'),
      type: 'pr_opened',
      identity: 'pull_request:{pull_request.id}:opened',
      at: 'pull_request.created_at',
    },
    {
      on: on('pull_request', 'closed'),
      when: isMerged,
      type: 'pr_merged',
      identity: 'pull_request:{pull_request.id}:merged',
      at: 'pull_request.merged_at',
    },
    {
      on: on('pull_request', 'closed'),
      type: 'pr_closed',
      identity: 'pull_request:{pull_request.id}:closed:{pull_request.closed_at}',
      at: 'pull_request.closed_at',
    },
    {
      on: on('pull_request', 'reopened'),
      type: 'pr_reopened',
      identity: 'pull_request:{pull_request.id}:reopened:{pull_request.updated_at}',
      at: 'pull_request.updated_at',
    },
    {
      on: on('pull_request', ...visibleOfPulls),
      type: 'pr_updated',
      identity: 'pull_request:{pull_request.id}:{pull_request.updated_at}',
      version: 'pull_request',
      at: 'pull_request.updated_at',
    },
    {
      on: on('pull_request', ...hiddenOfPulls),
      type: 'pr_updated',
      at: 'pull_request.updated_at',
    },
    // A resolved conversation can be what a merge waits for. A thread has no id but a GraphQL one.
    { on: on('pull_request_review_thread', 'resolved', 'unresolved'), type: 'pr_updated' },
  ],
);

const reviews = area(
  [...inRepository, pullRequest, review],
  [
    {
      on: on('pull_request_review', 'submitted'),
      type: 'pr_reviewed',
      identity: 'pull_request_review:{review.id}:submitted',
      at: 'review.submitted_at',
    },
    // Nobody reviewed: the pull request lost a verdict. `review.submitted_at` is still that of the review.
    {
      on: on('pull_request_review', 'dismissed'),
      type: 'pr_updated',
      identity: 'pull_request_review:{review.id}:dismissed',
      at: 'pull_request.updated_at',
    },
    { on: on('pull_request_review', 'edited'), type: 'provider_event' },
  ],
);

/** An edited or deleted comment is no new comment, and the canonical words have none for it. */
function commentChanges(event: string) {
  return [
    {
      on: on(event, 'edited'),
      type: 'provider_event',
      identity: `${event}:{comment.id}:{comment.updated_at}`,
      version: 'comment',
      at: 'comment.updated_at',
    },
    { on: on(event, 'deleted'), type: 'provider_event', identity: `${event}:{comment.id}:deleted` },
  ] as const;
}

const comments = [
  ...area(
    [...inRepository, pullRequest, comment],
    [
      {
        on: on('pull_request_review_comment', 'created'),
        type: 'pr_commented',
        identity: 'pull_request_review_comment:{comment.id}',
        at: 'comment.created_at',
      },
      ...commentChanges('pull_request_review_comment'),
    ],
  ),
  ...area(
    [...inRepository, issue, comment],
    [
      {
        on: on('issue_comment', 'created'),
        when: isPullRequest,
        type: 'pr_commented',
        identity: 'issue_comment:{comment.id}',
        at: 'comment.created_at',
      },
      {
        on: on('issue_comment', 'created'),
        type: 'issue_commented',
        identity: 'issue_comment:{comment.id}',
        at: 'comment.created_at',
      },
      ...commentChanges('issue_comment'),
    ],
  ),
  ...area(
    [...inRepository, comment],
    [
      {
        on: on('commit_comment', 'created'),
        type: 'comment_added',
        identity: 'commit_comment:{comment.id}',
        at: 'comment.created_at',
      },
    ],
  ),
  ...area(
    [...inRepository, thing('discussion'), comment],
    [
      {
        on: on('discussion_comment', 'created'),
        type: 'comment_added',
        identity: 'discussion_comment:{comment.id}',
        at: 'comment.created_at',
      },
      ...commentChanges('discussion_comment'),
    ],
  ),
];

const issues = area(
  [...inRepository, issue],
  [
    {
      on: on('issues', 'opened'),
      type: 'issue_created',
      identity: 'issue:{issue.id}:created',
      at: 'issue.created_at',
    },
    {
      on: on('issues', 'closed'),
      type: 'issue_closed',
      identity: 'issue:{issue.id}:closed:{issue.closed_at}',
      at: 'issue.closed_at',
    },
    {
      on: on('issues', 'reopened'),
      type: 'issue_reopened',
      identity: 'issue:{issue.id}:reopened:{issue.updated_at}',
      at: 'issue.updated_at',
    },
    { on: on('issues', 'deleted'), type: 'issue_deleted', identity: 'issue:{issue.id}:deleted' },
    // Two people assigned in one second are two facts, so the identity names whom.
    {
      on: on('issues', 'assigned'),
      type: 'issue_assigned',
      identity: 'issue:{issue.id}:assigned:{assignee.id}:{issue.updated_at}',
      at: 'issue.updated_at',
    },
    {
      on: on('issues', ...visible),
      type: 'issue_updated',
      identity: 'issue:{issue.id}:{issue.updated_at}',
      version: 'issue',
      at: 'issue.updated_at',
    },
    {
      on: on('issues', ...hidden),
      type: 'issue_updated',
      at: 'issue.updated_at',
    },
  ],
);

/** Pull requests, reviews, issues and what people say about them. */
export const workRules = [...pullRequests, ...reviews, ...comments, ...issues];
