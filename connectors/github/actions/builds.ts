import {
  type ActionOutcome,
  type ActionSpec,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { API_VERSIONS, versionOf } from '../version.js';
import { requireRepository } from './target.js';

/**
 * A run carries nothing of ours that it could be found again by, and another person may start the same: so it is never
 * looked for. https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
 */
export const triggerBuild: ActionSpec<'triggerBuild'> = {
  title: 'Run a workflow',
  description:
    'Runs a workflow that has a workflow_dispatch trigger, on a branch or tag. The parameters become its inputs.',
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['buildId', 'url'],
    properties: { buildId: { type: 'string' }, url: { type: 'string' } },
  },

  async execute(context, { repository, ref, workflow, parameters }) {
    if (workflow === undefined) {
      throw invalid(
        'missing_workflow',
        'GitHub wants to know which workflow: its file name, such as "ci.yml".',
      );
    }
    const isEarlier = versionOf(context.settings) === API_VERSIONS.earlier;
    const response = await context.request({
      method: 'POST',
      path: '/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches',
      params: { ...requireRepository(repository), workflow },
      // Without it the earlier version does not tell which run it is; the later one always does, and lacks the flag.
      body: compact({ ref, inputs: parameters, return_run_details: isEarlier || undefined }),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the run', { isAmbiguous: true });
    return outcome;
  },
};

function outcomeOf(dispatched: unknown): ActionOutcome | undefined {
  const externalId = textAt(dispatched, 'workflow_run_id');
  const url = textAt(dispatched, 'html_url');
  return externalId && url ? { externalId, url, output: { buildId: externalId, url } } : undefined;
}
