import { type ActionOutcome, type ActionSpec, at, compact, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireRepository } from './target.js';

/**
 * A pull request merges once. The outcome is the commit alone: GitHub's answer to a merge has no address.
 * https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
 */
export const mergePullRequest: ActionSpec<'mergePullRequest'> = {
  title: 'Merge a pull request',
  description:
    'Merges a pull request that GitHub calls mergeable. With expectedHeadSha only if nobody has pushed to it since.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'RECONCILED',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['sha', 'merged'],
    properties: { sha: { type: 'string' }, merged: { const: true } },
  },

  async execute(context, input) {
    const { owner, repo } = requireRepository(input.repository);
    const response = await context.request({
      method: 'PUT',
      path: '/repos/{owner}/{repo}/pulls/{number}/merge',
      params: { owner, repo, number: input.number },
      body: compact({
        merge_method: input.method?.toLowerCase(),
        commit_title: input.title,
        sha: input.expectedHeadSha,
      }),
    });
    const sha = textAt(response.body, 'sha');
    if (!sha || at(response.body, 'merged') !== true) {
      throw unexpectedAnswer(response, 'the merge', { isAmbiguous: true });
    }
    return outcomeOf(sha);
  },

  async reconcile(context, input) {
    const { owner, repo } = requireRepository(input.repository);
    const response = await context.request({
      method: 'GET',
      path: '/repos/{owner}/{repo}/pulls/{number}',
      params: { owner, repo, number: input.number },
    });
    const merged = at(response.body, 'merged');
    const sha = textAt(response.body, 'merge_commit_sha');
    if (typeof merged !== 'boolean' || (merged && !sha)) {
      throw unexpectedAnswer(response, 'the pull request', { isAmbiguous: false });
    }
    return merged && sha && isExpected(response.body, input.expectedHeadSha) ? outcomeOf(sha) : null;
  },
};

/** Merged at another head, it was merged by someone else: ours was refused by its guard. */
function isExpected(pullRequest: unknown, head: string | undefined): boolean {
  return head === undefined || textAt(pullRequest, 'head', 'sha') === head;
}

const outcomeOf = (sha: string): ActionOutcome => ({ externalId: sha, output: { sha, merged: true } });
