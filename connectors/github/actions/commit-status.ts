import { type ActionSpec, compact, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireRepository } from './target.js';

/**
 * Of several statuses with one context the last counts, so saying the same again changes nothing: NATIVE.
 * https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
 */
export const setCommitStatus: ActionSpec<'setCommitStatus'> = {
  title: 'Set a commit status',
  description:
    'Marks a commit as pending, successful, failed or broken under a context of your own, such as "ci/deploy".',
  requiredScopes: ['repo', 'public_repo', 'repo:status'],
  idempotency: 'NATIVE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['context', 'state'],
    properties: { context: { type: 'string' }, state: { enum: ['PENDING', 'SUCCESS', 'FAILURE', 'ERROR'] } },
  },

  async execute(context, input) {
    const { owner, repo } = requireRepository(input.repository);
    const response = await context.request({
      method: 'POST',
      path: '/repos/{owner}/{repo}/statuses/{sha}',
      params: { owner, repo, sha: input.sha },
      body: compact({
        state: input.state.toLowerCase(),
        context: input.context,
        description: input.description,
        target_url: input.targetUrl,
      }),
    });
    const externalId = textAt(response.body, 'id');
    const url = textAt(response.body, 'url');
    if (!externalId || !url) throw unexpectedAnswer(response, 'the status', { isAmbiguous: true });
    return { externalId, url, output: { context: input.context, state: input.state } };
  },
};
