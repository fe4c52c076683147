import {
  type Part,
  at,
  closingHints,
  commitHints,
  count,
  each,
  flag,
  keyHints,
  line,
  links,
  longText,
  nameHints,
  numberHint,
  textAt,
} from '../../../src/connector/index.js';
import { person, repositoryOf } from './fields.js';

/** A merge request, as its own events have it or, under another key, those about it. */
function mergeRequestAt(key: string): Part {
  return {
    required: ['iid', 'title', 'state', 'source_branch', 'target_branch'].map((field) => `${key}.${field}`),
    describe: (body) => {
      const found = at(body, key);
      const title = line(found, 'title');
      const branch = line(found, 'source_branch');
      return {
        resource: { branch, pr_id: line(found, 'iid'), commit: line(found, 'last_commit', 'id') },
        payload: { ...mergeRequestFields(found), ...peopleOf(body) },
        evidence: links('pull_request', textAt(found, 'url'), title),
        hints: [
          ...numberHint(repositoryOf(body), line(found, 'iid'), '!'),
          ...commitHints(line(found, 'last_commit', 'id'), line(found, 'merge_commit_sha')),
          ...nameHints(branch),
          ...keyHints(branch, title),
          ...closingHints(repositoryOf(body), longText(found, 'description')),
        ],
      };
    },
  };
}

function mergeRequestFields(found: unknown) {
  return {
    title: line(found, 'title'),
    number: count(found, 'iid'),
    state: line(found, 'state'),
    draft: flag(found, 'draft') ?? flag(found, 'work_in_progress'),
    merged: line(found, 'state') === 'merged',
    body: longText(found, 'description'),
    head_branch: line(found, 'source_branch'),
    base_branch: line(found, 'target_branch'),
    before: line(found, 'oldrev'),
    merge_commit: line(found, 'merge_commit_sha'),
  };
}

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events */
export const mergeRequest = mergeRequestAt('object_attributes');
/** The merge request that was commented on. */
export const mergeRequestOfNote = mergeRequestAt('merge_request');

function issueAt(key: string): Part {
  return {
    required: ['iid', 'title'].map((field) => `${key}.${field}`),
    describe: (body) => {
      const found = at(body, key);
      const title = line(found, 'title');
      return {
        payload: { ...issueFields(found), ...peopleOf(body) },
        keys: { issue_key: line(found, 'iid') },
        evidence: links('issue', textAt(found, 'url'), title),
        hints: [...numberHint(repositoryOf(body), line(found, 'iid')), ...keyHints(title)],
      };
    },
  };
}

function issueFields(found: unknown) {
  return {
    title: line(found, 'title'),
    number: count(found, 'iid'),
    state: line(found, 'state'),
    issue_type: line(found, 'type'),
    confidential: flag(found, 'confidential'),
    severity: line(found, 'severity'),
    body: longText(found, 'description'),
    labels: each(found, ['labels'], 'title'),
  };
}

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#work-item-events */
export const issue = issueAt('object_attributes');
/** The issue that was commented on. */
export const issueOfNote = issueAt('issue');

function peopleOf(body: unknown) {
  return {
    labels: each(body, ['labels'], 'title') ?? each(body, ['object_attributes', 'labels'], 'title'),
    assignees: each(body, ['assignees'], 'username'),
    requested_reviewers: each(body, ['reviewers'], 'username'),
  };
}

/** A comment on anything. `body` and `author` are the comment's from here on: title and state stay those of its subject. */
export const note: Part = {
  required: ['id', 'note', 'noteable_type', 'url'].map((field) => `object_attributes.${field}`),
  describe: (body) => {
    const commit = line(body, 'object_attributes', 'commit_id');
    return {
      resource: { commit },
      payload: {
        comment_id: line(body, 'object_attributes', 'id'),
        comment_on: line(body, 'object_attributes', 'noteable_type'),
        body: longText(body, 'object_attributes', 'note'),
        author: person(body, 'user'),
        system: flag(body, 'object_attributes', 'system'),
        path: line(body, 'object_attributes', 'position', 'new_path'),
        line: count(body, 'object_attributes', 'position', 'new_line'),
      },
      evidence: links('comment', textAt(body, 'object_attributes', 'url')),
      hints: commitHints(commit),
    };
  },
};

/** Who approved. Only the verdict is told, no text. */
export const approval: Part = {
  required: ['user.id', 'user.username'],
  describe: (body) => ({ payload: { review_state: 'approved', author: person(body, 'user') } }),
};
