import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type Actions,
  type ProviderResponse,
  compact,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** What every verb here answers; the conformance suite holds each outcome against it. */
const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: { type: 'string' }, key: { type: 'string' } },
} as const;

/** Example takes no idempotency key here, so the marker goes into the text and is looked for. */
const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description: 'Creates an issue in a project. Labels that the project does not know are added to it.',
  requiredScopes: ['issues:write'],
  idempotency: 'RECONCILED',
  outputSchema,
  async execute({ request, marker }, { project, title, body, labels, assignees }) {
    const response = await request({
      method: 'POST',
      path: '/v1/projects/{project}/issues',
      params: { project },
      body: compact({ title, body: [body, marker].filter(Boolean).join('\n\n'), labels, assignees }),
    });
    return toOutcome(response, response.body);
  },
  async reconcile(context, { project }) {
    for await (const { response, issue } of issuesSince(context, project)) {
      if (textAt(issue, 'body')?.includes(context.marker)) return toOutcome(response, issue);
    }
    return null;
  },
};

/** Comments do take a key: the second request with the same one answers what the first made. */
const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on an issue',
  description: 'Adds a comment to an issue. The project has to be named.',
  requiredScopes: ['issues:write'],
  idempotency: 'NATIVE',
  outputSchema,
  async execute({ request, actionId }, { project, issue, body }) {
    const response = await request({
      method: 'POST',
      path: '/v1/projects/{project}/issues/{issue}/comments',
      // Empty params are refused before anything is sent.
      params: { project: project ?? '', issue },
      // Stable over all attempts: that is what makes it a key.
      headers: { 'idempotency-key': actionId },
      body: { body },
    });
    return toOutcome(response, response.body);
  },
};

/** A verb that is not here is not supported: Example has no commits, hence no setCommitStatus. */
export const actions: Actions = { createIssue, addIssueComment };

/** Page by page from just before the first attempt: their clock need not be ours. */
async function* issuesSince({ request, startedAt }: ActionContext, project: string) {
  const since = new Date(startedAt.getTime() - 60_000).toISOString();
  let cursor: string | undefined;
  do {
    const response = await request({
      method: 'GET',
      path: '/v1/projects/{project}/issues',
      params: { project },
      query: { created_after: since, limit: 100, cursor },
    });
    for (const issue of listAt(response.body, 'items')) yield { response, issue };
    cursor = textAt(response.body, 'next_cursor');
  } while (cursor);
}

/** A 2xx without an id may well have had its effect: ambiguous, so it is looked for before it is sent again. */
function toOutcome(response: ProviderResponse, made: unknown): ActionOutcome {
  const id = textAt(made, 'id');
  if (!id) throw unexpectedAnswer(response, 'the id of what it made', { isAmbiguous: true });
  return {
    externalId: id,
    ...compact({ url: textAt(made, 'url') }),
    output: compact({ id, key: textAt(made, 'key') }),
  };
}
