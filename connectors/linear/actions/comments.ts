import { type ActionOutcome, type ActionSpec, at, textAt } from '../../../src/connector/index.js';
import { CREATE_COMMENT, FIND_COMMENT } from '../documents.js';
import { unexpectedAnswer } from '../answer.js';
import { mutate } from '../graphql.js';
import { requireIssue } from './issue-key.js';
import { createOnce, ownId } from './own-id.js';

/** The schema of Linear's API: `commentCreate`. */
export const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on an issue',
  description: 'Adds a comment to an issue, named "ENG-12", or "12" with its team as project.',
  requiredScopes: ['write', 'comments:create'],
  idempotency: 'NATIVE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['url'],
    properties: { url: { type: 'string' } },
  },

  async execute(context, { issue, project, body }) {
    const input = { id: ownId(context), issueId: requireIssue(issue, project), body };
    const create = async () => {
      const data = await mutate(context, CREATE_COMMENT, { input });
      const outcome = outcomeOf(at(data, 'commentCreate', 'comment'));
      if (!outcome) throw unexpectedAnswer({ status: 200 }, 'the comment', { isAmbiguous: true });
      return outcome;
    };
    return createOnce(context, create, { document: FIND_COMMENT, field: 'comment', toOutcome: outcomeOf });
  },
};

function outcomeOf(comment: unknown): ActionOutcome | undefined {
  const externalId = textAt(comment, 'id');
  const url = textAt(comment, 'url');
  return externalId && url ? { externalId, url, output: { url } } : undefined;
}
