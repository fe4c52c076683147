import { type ActionSpec, at, compact, invalid } from '../../../src/connector/index.js';
import { CREATE_ISSUE, FIND_ISSUE } from '../documents.js';
import { unexpectedAnswer } from '../answer.js';
import { mutate } from '../graphql.js';
import { issueOutcome, outputSchema } from './issue-outcome.js';
import { lookUp } from './look-up.js';
import { createOnce, ownId } from './own-id.js';

/** https://linear.app/developers/graphql#creating-and-editing-issues */
export const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description:
    'Creates an issue in a team, named by its key such as "ENG". Labels have to be there; one assignee, by e-mail address, display name or id.',
  requiredScopes: ['write', 'issues:create'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, { project, title, body, labels, assignees, issueType }) {
    if (issueType !== undefined) {
      throw invalid('unsupported_type', 'Issues at Linear have no type: leave it out, or use a label.');
    }
    const { teamId, labelIds, assigneeId } = await lookUp(context, project, { labels, assignees });
    const input = compact({
      id: ownId(context),
      teamId,
      title,
      description: body,
      labelIds,
      assigneeId: assigneeId ?? undefined,
    });
    const create = async () => {
      const data = await mutate(context, CREATE_ISSUE, { input });
      const outcome = issueOutcome(at(data, 'issueCreate', 'issue'));
      if (!outcome) throw unexpectedAnswer({ status: 200 }, 'the issue', { isAmbiguous: true });
      return outcome;
    };
    return createOnce(context, create, { document: FIND_ISSUE, field: 'issue', toOutcome: issueOutcome });
  },
};
