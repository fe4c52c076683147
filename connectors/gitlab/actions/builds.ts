import {
  type ActionOutcome,
  type ActionSpec,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireProject } from './target.js';

/**
 * A pipeline can be marked by nothing but a variable, and many projects let nobody set any: so it is never looked for.
 * https://docs.gitlab.com/api/pipelines/#create-a-new-pipeline
 */
export const triggerBuild: ActionSpec<'triggerBuild'> = {
  title: 'Start a pipeline',
  description: 'Starts a pipeline on a branch or tag. The parameters become its variables.',
  requiredScopes: ['api'],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['buildId', 'url'],
    properties: { buildId: { type: 'string' }, url: { type: 'string' } },
  },

  async execute(context, { repository, ref, workflow, parameters }) {
    if (workflow !== undefined) {
      throw invalid('unsupported_workflow', 'A project at GitLab has one pipeline: leave the workflow out.');
    }
    const variables = parameters && Object.entries(parameters).map(([key, value]) => ({ key, value }));
    const response = await context.request({
      method: 'POST',
      path: '/projects/{id}/pipeline',
      params: requireProject(repository),
      body: compact({ ref, variables }),
    });
    const outcome = outcomeOf(response.body);
    if (!outcome) throw unexpectedAnswer(response, 'the pipeline', { isAmbiguous: true });
    return outcome;
  },
};

function outcomeOf(pipeline: unknown): ActionOutcome | undefined {
  const externalId = textAt(pipeline, 'id');
  const url = textAt(pipeline, 'web_url');
  return externalId && url ? { externalId, url, output: { buildId: externalId, url } } : undefined;
}
