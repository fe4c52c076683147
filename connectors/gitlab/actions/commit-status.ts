import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  ProviderFailure,
  type VerbInput,
  compact,
  textAt,
  timeAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { findEntry, promised } from './search.js';
import { requireProject } from './target.js';

/** GitLab knows no error beside the failure. */
const STATES = { PENDING: 'pending', SUCCESS: 'success', FAILURE: 'failed', ERROR: 'failed' } as const;

/**
 * Of several statuses with one name the last counts. Saying the same again would do no harm by itself, but it could undo
 * what somebody said since: hence RECONCILED. https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
 */
export const setCommitStatus: ActionSpec<'setCommitStatus'> = {
  title: 'Set a commit status',
  description:
    'Marks a commit as pending, successful or failed under a name of your own, such as "ci/deploy". ERROR is shown as failed.',
  requiredScopes: ['api'],
  idempotency: 'RECONCILED',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['context', 'state'],
    properties: { context: { type: 'string' }, state: { enum: ['PENDING', 'SUCCESS', 'FAILURE', 'ERROR'] } },
  },

  async execute(context, input) {
    const response = await context.request({
      method: 'POST',
      path: '/projects/{id}/statuses/{sha}',
      params: { ...requireProject(input.repository), sha: input.sha },
      body: compact({
        state: STATES[input.state],
        name: input.context,
        description: input.description,
        target_url: input.targetUrl,
      }),
    });
    const outcome = outcomeOf(response.body, input);
    if (!outcome) throw unexpectedAnswer(response, 'the status', { isAmbiguous: true });
    return outcome;
  },

  async reconcile(context, input) {
    const found = await findEntry(context, statusesOf(input), (entry) => isOurs(entry, input, context));
    if (!found) return null;
    if (!saysTheSame(found.entry, input)) throw superseded(input);
    return promised(outcomeOf(found.entry, input), found.response);
  },
};

type Input = VerbInput<'setCommitStatus'>;

/** The latest of each name. https://docs.gitlab.com/api/commits/#list-all-commit-statuses */
function statusesOf({ repository, sha, context }: Input) {
  return {
    method: 'GET',
    path: '/projects/{id}/repository/commits/{sha}/statuses',
    params: { ...requireProject(repository), sha },
    query: { name: context },
  } as const;
}

/**
 * A status that was pending is changed in place: what ended since we began counts as well as what was made since. In
 * whole seconds, as times may be cut.
 */
function isOurs(entry: unknown, { context }: Input, { startedAt }: ActionContext): boolean {
  const began = Math.floor(startedAt.getTime() / 1000) * 1000;
  const times = ['created_at', 'started_at', 'finished_at'].map((field) => timeAt(entry, field));
  const isFresh = times.some((time) => time !== undefined && time.getTime() >= began);
  return isFresh && textAt(entry, 'name') === context;
}

function saysTheSame(entry: unknown, { state, description, targetUrl }: Input): boolean {
  return (
    textAt(entry, 'status') === STATES[state] &&
    textAt(entry, 'description') === description &&
    textAt(entry, 'target_url') === targetUrl
  );
}

function superseded({ context }: Input): ProviderFailure {
  return new ProviderFailure({
    category: 'UNKNOWN',
    code: 'superseded',
    message: `Somebody has set ${context} to something else since: setting it again would undo that.`,
  });
}

function outcomeOf(status: unknown, { context, state }: Input): ActionOutcome | undefined {
  const externalId = textAt(status, 'id');
  return externalId === undefined ? undefined : { externalId, output: { context, state } };
}
