import { type ActionOutcome, type ActionSpec, at, compact, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { findMarked, withMarker } from './search.js';
import { requireRepository } from './target.js';

/** https://docs.github.com/en/rest/issues/issues#create-an-issue */
export const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description:
    'Opens an issue in a repository. Without push access to it GitHub leaves out labels and assignees and does not say so.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'RECONCILED',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['number', 'url'],
    properties: { number: { type: 'integer' }, url: { type: 'string' } },
  },

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

function outcomeOf(issue: unknown): ActionOutcome | undefined {
  const externalId = textAt(issue, 'id');
  const number = at(issue, 'number');
  const url = textAt(issue, 'html_url');
  if (!externalId || !Number.isInteger(number) || !url) return undefined;
  return { externalId, url, output: { number, url } };
}
