import { at, isObject, listAt, on, textAt } from '../../../src/connector/index.js';
import { type GitLabRule, area, inProject } from './rules.js';
import { approval, issue, issueOfNote, mergeRequest, mergeRequestOfNote, note } from './work.js';

const UPDATED = 'object_attributes.updated_at';
const MERGE_REQUEST = 'merge_request:{object_attributes.id}';

const mergeRequests = area(
  [...inProject, mergeRequest],
  [
    {
      on: on('merge_request', 'open'),
      type: 'pr_opened',
      identity: `${MERGE_REQUEST}:opened`,
      at: 'object_attributes.created_at',
    },
    {
      on: on('merge_request', 'merge'),
      type: 'pr_merged',
      identity: `${MERGE_REQUEST}:merged`,
      at: UPDATED,
    },
    {
      on: on('merge_request', 'close'),
      type: 'pr_closed',
      identity: `${MERGE_REQUEST}:closed:{${UPDATED}}`,
      at: UPDATED,
    },
    {
      on: on('merge_request', 'reopen'),
      type: 'pr_reopened',
      identity: `${MERGE_REQUEST}:reopened:{${UPDATED}}`,
      at: UPDATED,
    },
    // Whoever takes an approval back has reviewed nothing: the merge request lost a verdict.
    {
      on: on('merge_request', 'unapproved', 'unapproval'),
      type: 'pr_updated',
      identity: `${MERGE_REQUEST}:unapproved:{user.id}:{${UPDATED}}`,
      at: UPDATED,
    },
    {
      on: on('merge_request', 'update'),
      type: 'pr_updated',
      identity: `${MERGE_REQUEST}:{${UPDATED}}`,
      hasVersion: true,
      at: UPDATED,
    },
  ],
);

/** `approved` is the approval that was still missing, `approval` any other. */
const approvals = area(
  [...inProject, mergeRequest, approval],
  [
    {
      on: on('merge_request', 'approved', 'approval'),
      type: 'pr_reviewed',
      identity: `${MERGE_REQUEST}:approved:{user.id}:{${UPDATED}}`,
      at: UPDATED,
    },
  ],
);

const ISSUE = 'issue:{object_attributes.id}';
/** Tasks, incidents and the like come as `work_item`, with the same fields. */
const onIssue = (action: string) => [`issue.${action}`, `work_item.${action}`];

const isAssignment = (body: unknown): boolean => listAt(body, 'changes', 'assignees', 'current').length > 0;
const hasClosedAt = (body: unknown): boolean => textAt(body, 'object_attributes', 'closed_at') !== undefined;

const issues = area(
  [...inProject, issue],
  [
    {
      on: onIssue('open'),
      type: 'issue_created',
      identity: `${ISSUE}:created`,
      at: 'object_attributes.created_at',
    },
    {
      on: onIssue('close'),
      when: hasClosedAt,
      type: 'issue_closed',
      identity: `${ISSUE}:closed:{object_attributes.closed_at}`,
      at: 'object_attributes.closed_at',
    },
    // Older versions do not tell when it was closed.
    {
      on: onIssue('close'),
      type: 'issue_closed',
      identity: `${ISSUE}:closed:{${UPDATED}}`,
      at: UPDATED,
    },
    {
      on: onIssue('reopen'),
      type: 'issue_reopened',
      identity: `${ISSUE}:reopened:{${UPDATED}}`,
      at: UPDATED,
    },
    {
      on: onIssue('update'),
      when: isAssignment,
      type: 'issue_assigned',
      identity: `${ISSUE}:assigned:{${UPDATED}}`,
      hasVersion: true,
      at: UPDATED,
    },
    {
      on: onIssue('update'),
      type: 'issue_updated',
      identity: `${ISSUE}:{${UPDATED}}`,
      hasVersion: true,
      at: UPDATED,
    },
  ],
);

/** Since 16.11 a note says whether it is new; before that only new ones were sent. */
const NEW_NOTE = ['note', 'note.create'];
const NOTE = 'note:{object_attributes.id}';
const NOTE_AT = 'object_attributes.created_at';

/** Written by a person, about a thing of this kind. GitLab's own notes only repeat what other events tell. */
const isNoteOn =
  (kind: string) =>
  (body: unknown): boolean =>
    at(body, 'object_attributes', 'noteable_type') === kind &&
    at(body, 'object_attributes', 'system') !== true;

const notes: readonly GitLabRule[] = [
  ...area(
    [...inProject, issueOfNote, note],
    [{ on: NEW_NOTE, when: isNoteOn('Issue'), type: 'issue_commented', identity: NOTE, at: NOTE_AT }],
  ),
  ...area(
    [...inProject, mergeRequestOfNote, note],
    [{ on: NEW_NOTE, when: isNoteOn('MergeRequest'), type: 'pr_commented', identity: NOTE, at: NOTE_AT }],
  ),
  ...area(
    [...inProject, note],
    [
      {
        on: NEW_NOTE,
        when: (body) => isNoteOn('Commit')(body) || isNoteOn('Snippet')(body),
        type: 'comment_added',
        identity: NOTE,
        at: NOTE_AT,
      },
      // An edited comment is no new comment, and the canonical words have none for it.
      {
        on: ['note.update'],
        when: (body) => isObject(at(body, 'object_attributes')),
        type: 'provider_event',
        identity: `${NOTE}:{${UPDATED}}`,
        at: UPDATED,
      },
    ],
  ),
];

/** Merge requests, approvals, issues and what people say about them. */
export const workRules = [...mergeRequests, ...approvals, ...issues, ...notes];
