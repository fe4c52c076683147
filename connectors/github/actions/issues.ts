import {
  type ActionOutcome,
  type ActionSpec,
  type VerbInput,
  at,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { findMarked, withMarker } from './search.js';
import { requireIssue, requireRepository } from './target.js';

const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['number', 'url'],
  properties: { number: { type: 'integer' }, url: { type: 'string' } },
} as const;

/** https://docs.github.com/en/rest/issues/issues#create-an-issue */
export const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description:
    'Opens an issue in a repository. Without push access to it GitHub leaves out labels and assignees and does not say so.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'RECONCILED',
  outputSchema,

  async execute(context, input) {
    const { owner, repo } = requireRepository(input.project);
    const response = await context.request({
      method: 'POST',
      path: '/repos/{owner}/{repo}/issues',
      params: { owner, repo },
      body: compact({
        title: input.title,
        body: withMarker(input.body, context),
        labels: input.labels,
        assignees: input.assignees,
        type: input.issueType,
      }),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the issue', { isAmbiguous: true });
    return outcome;
  },

  async reconcile(context, input) {
    const { owner, repo } = requireRepository(input.project);
    const list = {
      method: 'GET',
      path: '/repos/{owner}/{repo}/issues',
      params: { owner, repo },
      query: { state: 'all', sort: 'created', direction: 'asc' },
    } as const;
    return findMarked(context, list, outcomeOf);
  },
};

/**
 * Every field is said in full, so saying it again makes of the issue what it is already: NATIVE without a key.
 * https://docs.github.com/en/rest/issues/issues#update-an-issue
 */
export const updateIssue: ActionSpec<'updateIssue'> = {
  title: 'Change an issue',
  description:
    'Changes title, text, labels and assignees of an issue, and closes or reopens it. Without push access GitHub leaves labels and assignees as they are and does not say so.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, { issue, project, title, body, status, labels, assignees }) {
    const response = await context.request({
      method: 'PATCH',
      path: '/repos/{owner}/{repo}/issues/{number}',
      params: { ...requireIssue(issue, project) },
      body: compact({ title, body, labels, assignees, ...stateOf(status) }),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the issue', { isAmbiguous: true });
    return outcome;
  },
};

interface State {
  readonly state: 'open' | 'closed';
  readonly state_reason?: 'completed' | 'not_planned';
}

/** GitHub has two states, and shows why an issue was closed. */
const STATES: Readonly<Record<string, State>> = {
  open: { state: 'open' },
  reopened: { state: 'open' },
  closed: { state: 'closed' },
  completed: { state: 'closed', state_reason: 'completed' },
  'closed as completed': { state: 'closed', state_reason: 'completed' },
  'not planned': { state: 'closed', state_reason: 'not_planned' },
  'closed as not planned': { state: 'closed', state_reason: 'not_planned' },
};

function stateOf(status: VerbInput<'updateIssue'>['status']): State | undefined {
  if (status === undefined) return undefined;
  const name = status.toLowerCase().replaceAll('_', ' ');
  const state = Object.hasOwn(STATES, name) ? STATES[name] : undefined;
  if (state) return state;
  throw invalid(
    'invalid_status',
    `An issue at GitHub is "open", "closed", "completed" or "not planned", not ${JSON.stringify(status)}.`,
  );
}

function outcomeOf(issue: unknown): ActionOutcome | undefined {
  const externalId = textAt(issue, 'id');
  const number = at(issue, 'number');
  const url = textAt(issue, 'html_url');
  if (!externalId || !Number.isInteger(number) || !url) return undefined;
  return { externalId, url, output: { number, url } };
}
