import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { findMarked, withMarker } from './search.js';
import { type Repository, requireIssue, requireRepository } from './target.js';

const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: { url: { type: 'string' } },
} as const;

/** https://docs.github.com/en/rest/issues/comments#create-an-issue-comment */
export const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on an issue',
  description: 'Adds a comment to an issue, named "7" in a project or "owner/name#7" by itself.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { issue, project, body }) => comment(context, requireIssue(issue, project), body),
  reconcile: async (context, { issue, project }) => findComment(context, requireIssue(issue, project)),
};

/** The same call: to GitHub the conversation of a pull request is that of an issue with its number. */
export const commentOnPullRequest: ActionSpec<'commentOnPullRequest'> = {
  title: 'Comment on a pull request',
  description: 'Adds a comment to the conversation of a pull request, not to a line of its code.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { repository, number, body }) =>
    comment(context, { ...requireRepository(repository), number }, body),
  reconcile: async (context, { repository, number }) =>
    findComment(context, { ...requireRepository(repository), number }),
};

interface Conversation extends Repository {
  readonly number: number;
}

const path = '/repos/{owner}/{repo}/issues/{number}/comments';

async function comment(context: ActionContext, target: Conversation, body: string): Promise<ActionOutcome> {
  const response = await context.request({
    method: 'POST',
    path,
    params: { ...target },
    body: { body: withMarker(body, context) },
  });
  const outcome = outcomeOf(response.body);
  if (!outcome) throw unexpectedAnswer(response, 'the comment', { isAmbiguous: true });
  return outcome;
}

/** This list takes no order: it is always by ascending id, which is the order of creation. */
function findComment(context: ActionContext, target: Conversation): Promise<ActionOutcome | null> {
  return findMarked(context, { method: 'GET', path, params: { ...target } }, outcomeOf);
}

function outcomeOf(found: unknown): ActionOutcome | undefined {
  const externalId = textAt(found, 'id');
  const url = textAt(found, 'html_url');
  return externalId && url ? { externalId, url, output: { url } } : undefined;
}
