import {
  type ActionOutcome,
  type ActionSpec,
  type ProviderResponse,
  type VerbInput,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireProject } from './target.js';

/** A merge request merges once. https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request */
export const mergePullRequest: ActionSpec<'mergePullRequest'> = {
  title: 'Merge a merge request',
  description:
    'Merges a merge request that GitLab calls mergeable, by the method of its project. With expectedHeadSha only if nobody has pushed to it since.',
  requiredScopes: ['api'],
  idempotency: 'RECONCILED',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['sha', 'merged'],
    properties: { sha: { type: 'string' }, merged: { const: true } },
  },

  async execute(context, input) {
    const response = await context.request({
      method: 'PUT',
      path: '/projects/{id}/merge_requests/{iid}/merge',
      params: { ...requireProject(input.repository), iid: input.number },
      body: optionsOf(input),
    });
    const outcome = outcomeOf(response);
    if (!outcome) throw unexpectedAnswer(response, 'the merge', { isAmbiguous: true });
    return outcome;
  },

  async reconcile(context, { repository, number, expectedHeadSha }) {
    const response = await context.request({
      method: 'GET',
      path: '/projects/{id}/merge_requests/{iid}',
      params: { ...requireProject(repository), iid: number },
    });
    const state = textAt(response.body, 'state');
    if (!state) throw unexpectedAnswer(response, 'the merge request', { isAmbiguous: false });
    if (state !== 'merged') return null;
    const outcome = outcomeOf(response);
    if (!outcome) throw unexpectedAnswer(response, 'the merge', { isAmbiguous: false });
    // Merged at another head, it was merged by someone else: ours was refused by its guard.
    return isExpected(response.body, expectedHeadSha) ? outcome : null;
  },
};

/** Whether commits are merged, rebased or put on top is a setting of the project; only squashing can be asked for. */
function optionsOf({ method, title, expectedHeadSha }: VerbInput<'mergePullRequest'>) {
  if (method === 'REBASE') {
    throw invalid(
      'unsupported_method',
      'At GitLab the project’s settings say whether merging rebases: leave the method out.',
    );
  }
  const isSquash = method === 'SQUASH';
  return compact({
    sha: expectedHeadSha,
    squash: method === undefined ? undefined : isSquash,
    squash_commit_message: isSquash ? title : undefined,
    merge_commit_message: isSquash ? undefined : title,
  });
}

function isExpected(mergeRequest: unknown, head: string | undefined): boolean {
  return head === undefined || textAt(mergeRequest, 'sha') === head;
}

/** Where a project merges by fast-forward there is no commit of the merge: then it is the head. */
function outcomeOf({ body }: ProviderResponse): ActionOutcome | undefined {
  if (textAt(body, 'state') !== 'merged') return undefined;
  const sha = textAt(body, 'merge_commit_sha') ?? textAt(body, 'squash_commit_sha') ?? textAt(body, 'sha');
  const url = textAt(body, 'web_url');
  if (!sha) return undefined;
  return { externalId: sha, ...(url && { url }), output: { sha, merged: true } };
}
