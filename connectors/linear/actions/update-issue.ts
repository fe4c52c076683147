import {
  type ActionContext,
  type ActionSpec,
  at,
  compact,
  invalid,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { LOOK_UP_OF_ISSUE, UPDATE_ISSUE } from '../documents.js';
import { unexpectedAnswer } from '../answer.js';
import { mutate, query } from '../graphql.js';
import { requireIssue, teamOf } from './issue-key.js';
import { issueOutcome, outputSchema } from './issue-outcome.js';
import { lookUp } from './look-up.js';

/** Every field is said in full, so saying it again makes of the issue what it is already: NATIVE without an id. */
export const updateIssue: ActionSpec<'updateIssue'> = {
  title: 'Change an issue',
  description: 'Changes title, text, status, labels and assignee of an issue, named "ENG-12".',
  requiredScopes: ['write'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, { issue, project, title, body, status, labels, assignees }) {
    const key = requireIssue(issue, project);
    const stateId = status === undefined ? undefined : await findState(context, key, status);
    const named = labels || assignees ? await lookUp(context, teamOf(key), { labels, assignees }) : undefined;
    const input = compact({
      title,
      description: body,
      stateId,
      labelIds: named?.labelIds,
      assigneeId: named?.assigneeId,
    });
    const data = await mutate(context, UPDATE_ISSUE, { issue: key, input });
    const outcome = issueOutcome(at(data, 'issueUpdate', 'issue'));
    if (!outcome) throw unexpectedAnswer({ status: 200 }, 'the issue', { isAmbiguous: true });
    return outcome;
  },
};

/** Each team has states of its own. */
async function findState(context: ActionContext, issue: string, status: string): Promise<string> {
  const data = await query(context, LOOK_UP_OF_ISSUE, { issue, status });
  const [state] = listAt(data, 'issue', 'team', 'states', 'nodes');
  const id = textAt(state, 'id');
  if (id) return id;
  throw invalid('invalid_status', `The team of ${issue} has no status called ${JSON.stringify(status)}.`);
}
