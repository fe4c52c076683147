import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type VerbInput,
  at,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { idsOf } from './people.js';
import { beganAt, findEntry, isMarked, promised, withMarker } from './search.js';
import { requireIssue, requireProject } from './target.js';

const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['number', 'url'],
  properties: { number: { type: 'integer' }, url: { type: 'string' } },
} as const;

/** https://docs.gitlab.com/api/issues/#create-an-issue */
export const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description: 'Opens an issue in a project. Labels that are not there yet are made.',
  requiredScopes: ['api'],
  idempotency: 'RECONCILED',
  outputSchema,

  async execute(context, { project, title, body, labels, assignees, issueType }) {
    const target = requireProject(project);
    const response = await context.request({
      method: 'POST',
      path: '/projects/{id}/issues',
      params: target,
      body: compact({
        title,
        description: withMarker(body, context),
        labels,
        assignee_ids: await idsOf(context, assignees),
        issue_type: issueType?.toLowerCase(),
      }),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the issue', { isAmbiguous: true });
    return outcome;
  },

  async reconcile(context, { project }) {
    const found = await findEntry(context, issuesSince(context, project), isMarked('description', context));
    return found && promised(outcomeOf(found.entry), found.response);
  },
};

/** In order of creation: what is added meanwhile comes after ours. */
function issuesSince(context: ActionContext, project: string) {
  return {
    method: 'GET',
    path: '/projects/{id}/issues',
    params: requireProject(project),
    query: {
      scope: 'all',
      state: 'all',
      order_by: 'created_at',
      sort: 'asc',
      created_after: beganAt(context).toISOString(),
    },
  } as const;
}

/**
 * Every field is said in full, so saying it again makes of the issue what it is already: NATIVE without a key.
 * https://docs.gitlab.com/api/issues/#update-an-issue
 */
export const updateIssue: ActionSpec<'updateIssue'> = {
  title: 'Change an issue',
  description: 'Changes title, text, labels and assignees of an issue, and closes or reopens it.',
  requiredScopes: ['api'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, input) {
    const target = requireIssue(input.issue, input.project);
    const response = await context.request({
      method: 'PUT',
      path: '/projects/{id}/issues/{iid}',
      params: { ...target },
      body: await changesOf(context, input),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the issue', { isAmbiguous: true });
    return outcome;
  },
};

async function changesOf(context: ActionContext, input: VerbInput<'updateIssue'>) {
  return compact({
    title: input.title,
    description: input.body,
    labels: input.labels,
    state_event: input.status === undefined ? undefined : stateEventOf(input.status),
    assignee_ids: await idsOf(context, input.assignees),
  });
}

const STATE_EVENTS: Readonly<Record<string, string>> = {
  closed: 'close',
  opened: 'reopen',
  open: 'reopen',
  reopened: 'reopen',
};

/** GitLab changes its two states by saying what shall happen. */
function stateEventOf(status: string): string {
  const name = status.toLowerCase();
  const event = Object.hasOwn(STATE_EVENTS, name) ? STATE_EVENTS[name] : undefined;
  if (event) return event;
  throw invalid(
    'invalid_status',
    `An issue at GitLab is "opened" or "closed", not ${JSON.stringify(status)}.`,
  );
}

function outcomeOf(issue: unknown): ActionOutcome | undefined {
  const externalId = textAt(issue, 'id');
  const number = at(issue, 'iid');
  const url = textAt(issue, 'web_url');
  if (!externalId || !Number.isInteger(number) || !url) return undefined;
  return { externalId, url, output: { number, url } };
}
