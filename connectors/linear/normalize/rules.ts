import { type Part, type Rule, at, on, textAt } from '../../../src/connector/index.js';
import { around, comment, issue, reaction, serviceLevel } from './parts.js';

function area(part: Part, rules: readonly Omit<Rule, 'parts'>[]): readonly Rule[] {
  return rules.map((rule) => ({ ...rule, parts: [around, part] }));
}

/** A field whose old value is told was changed; it may have been null. */
const wasChanged =
  (field: string) =>
  (body: unknown): boolean =>
    at(body, 'updatedFrom', field) !== undefined;

const isAssigned = (body: unknown): boolean =>
  wasChanged('assigneeId')(body) && textAt(body, 'data', 'assigneeId') !== undefined;

const ISSUE = 'issue:{data.id}';
const UPDATED = 'data.updatedAt';

/** Linear counts milliseconds, so that each change has a time of its own. */
const issues = area(issue, [
  { on: on('Issue', 'create'), type: 'issue_created', identity: `${ISSUE}:created`, at: 'data.createdAt' },
  {
    on: on('Issue', 'update'),
    when: wasChanged('stateId'),
    type: 'issue_status_changed',
    identity: `${ISSUE}:status:{${UPDATED}}`,
    at: 'createdAt',
  },
  {
    on: on('Issue', 'update'),
    when: isAssigned,
    type: 'issue_assigned',
    identity: `${ISSUE}:assigned:{${UPDATED}}`,
    at: 'createdAt',
  },
  {
    on: on('Issue', 'update'),
    type: 'issue_updated',
    identity: `${ISSUE}:{${UPDATED}}`,
    at: 'createdAt',
  },
  {
    on: on('Issue', 'remove'),
    type: 'issue_deleted',
    identity: `${ISSUE}:removed:{createdAt}`,
    at: 'createdAt',
  },
]);

const COMMENT = 'comment:{data.id}';
const isOnIssue = (body: unknown): boolean =>
  textAt(body, 'data', 'issueId') !== undefined || textAt(body, 'data', 'issue', 'id') !== undefined;

const comments = area(comment, [
  {
    on: on('Comment', 'create'),
    when: isOnIssue,
    type: 'issue_commented',
    identity: COMMENT,
    at: 'data.createdAt',
  },
  { on: on('Comment', 'create'), type: 'comment_added', identity: COMMENT, at: 'data.createdAt' },
  // An edited or deleted comment is no new comment, and the canonical words have none for it.
  {
    on: on('Comment', 'update'),
    type: 'provider_event',
    identity: `${COMMENT}:{${UPDATED}}`,
    at: 'createdAt',
  },
  {
    on: on('Comment', 'remove'),
    type: 'provider_event',
    identity: `${COMMENT}:removed:{createdAt}`,
    at: 'createdAt',
  },
]);

const reactions = area(reaction, [
  {
    on: on('Reaction', 'create'),
    type: 'reaction_added',
    identity: 'reaction:{data.id}',
    at: 'data.createdAt',
  },
]);

const serviceLevels = area(serviceLevel, [
  {
    on: on('IssueSLA', 'set', 'highRisk', 'breached'),
    type: 'alarm_state_changed',
    identity: 'issue_sla:{url}:{action}:{createdAt}',
    at: 'createdAt',
  },
]);

/** Every event that has a rule of its own. What none of them names becomes a `provider_event`; see `otherRule`. */
export const rules: readonly Rule[] = [...issues, ...comments, ...reactions, ...serviceLevels];
