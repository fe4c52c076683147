import { type Part, type Rule, textAt } from '../../../src/connector/index.js';
import type { Facet } from './facets.js';
import { actor, changes, comment, issue, issueIfAny, other, user, version } from './parts.js';

const at = 'happened_at';
const UPDATED = ['jira:issue_updated'];

/** A change of an issue. Its id is the same in a webhook and in the issue's history. */
function changed(facet: Facet, type: Rule['type']): Rule {
  return {
    on: UPDATED,
    when: (body) => textAt(body, 'facet') === facet,
    type,
    identity: 'issue:{issue.id}:change:{change_id}',
    at,
    parts: [actor, issue, changes],
  };
}

const commentParts: readonly Part[] = [actor, issueIfAny, comment];

/** Every event that has a rule of its own. What none of them names becomes a `provider_event`. */
export const rules: readonly Rule[] = [
  {
    on: ['jira:issue_created'],
    type: 'issue_created',
    identity: 'issue:{issue.id}:created',
    at,
    parts: [actor, issue],
  },
  changed('status', 'issue_status_changed'),
  changed('closed', 'issue_closed'),
  changed('reopened', 'issue_reopened'),
  changed('assignee', 'issue_assigned'),
  {
    on: UPDATED,
    when: (body) => textAt(body, 'facet') === 'comment',
    type: 'issue_commented',
    identity: 'comment:{comment.id}',
    at,
    parts: commentParts,
  },
  // An edited or deleted comment is no new one, and the canonical words have none for it.
  {
    on: UPDATED,
    when: (body) => textAt(body, 'facet') === 'comment_change',
    type: 'provider_event',
    identity: 'comment:{comment.id}:{change_id}',
    at,
    parts: commentParts,
  },
  {
    on: UPDATED,
    type: 'issue_updated',
    identity: 'issue:{issue.id}:change:{change_id}',
    at,
    parts: [actor, issue, changes],
  },
  {
    on: ['jira:issue_deleted'],
    type: 'issue_deleted',
    identity: 'issue:{issue.id}:deleted',
    at,
    parts: [actor, issue],
  },
  {
    on: ['comment_created'],
    type: 'issue_commented',
    identity: 'comment:{comment.id}',
    at,
    parts: commentParts,
  },
  {
    on: ['comment_updated', 'comment_deleted'],
    type: 'provider_event',
    identity: 'comment:{comment.id}:{change_id}',
    at,
    parts: commentParts,
  },
  {
    on: ['jira:version_released'],
    type: 'release_published',
    identity: 'version:{version.id}:released:{change_id}',
    at,
    parts: [version],
  },
  {
    on: ['user_created'],
    type: 'user_created',
    identity: 'user:{user.accountId}:created',
    at,
    parts: [user],
  },
];

/** For an event that no rule names: what there is of it. */
export function otherRule(): Rule {
  return { on: [], type: 'provider_event', at, parts: [actor, issueIfAny, version, other] };
}
