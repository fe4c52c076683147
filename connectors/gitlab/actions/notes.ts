import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { beganAt, findEntry, isBefore, isMarked, promised, withMarker } from './search.js';
import { requireIssue, requireProject } from './target.js';

const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['noteId'],
  properties: { noteId: { type: 'string' } },
} as const;

/** https://docs.gitlab.com/api/notes/#create-an-issue-note. What comes back has no address. */
export const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on an issue',
  description: 'Adds a comment to an issue, named "7" in a project or "group/project#7" by itself.',
  requiredScopes: ['api'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { issue, project, body }) => comment(context, ofIssue(issue, project), body),
  reconcile: async (context, { issue, project }) => findComment(context, ofIssue(issue, project)),
};

/** https://docs.gitlab.com/api/notes/#create-a-merge-request-note */
export const commentOnPullRequest: ActionSpec<'commentOnPullRequest'> = {
  title: 'Comment on a merge request',
  description: 'Adds a comment to the conversation of a merge request, not to a line of its code.',
  requiredScopes: ['api'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { repository, number, body }) =>
    comment(context, ofMergeRequest(repository, number), body),
  reconcile: async (context, { repository, number }) =>
    findComment(context, ofMergeRequest(repository, number)),
};

interface Conversation {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
}

function ofIssue(issue: string, project: string | undefined): Conversation {
  return { path: '/projects/{id}/issues/{iid}/notes', params: { ...requireIssue(issue, project) } };
}

function ofMergeRequest(repository: string, number: number): Conversation {
  const params = { ...requireProject(repository), iid: number };
  return { path: '/projects/{id}/merge_requests/{iid}/notes', params };
}

async function comment(
  context: ActionContext,
  conversation: Conversation,
  body: string,
): Promise<ActionOutcome> {
  const response = await context.request({
    method: 'POST',
    ...conversation,
    body: { body: withMarker(body, context) },
  });
  const outcome = outcomeOf(response.body);
  if (!outcome) throw unexpectedAnswer(response, 'the comment', { isAmbiguous: true });
  return outcome;
}

/** Newest first, back to when the action began: old conversations are long. */
async function findComment(
  context: ActionContext,
  conversation: Conversation,
): Promise<ActionOutcome | null> {
  const query = { order_by: 'created_at', sort: 'desc' };
  const found = await findEntry(
    context,
    { method: 'GET', ...conversation, query },
    isMarked('body', context),
    isBefore(beganAt(context)),
  );
  return found && promised(outcomeOf(found.entry), found.response);
}

function outcomeOf(note: unknown): ActionOutcome | undefined {
  const externalId = textAt(note, 'id');
  return externalId === undefined ? undefined : { externalId, output: { noteId: externalId } };
}
