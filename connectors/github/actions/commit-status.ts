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
import { requireRepository } from './target.js';

/**
 * Of several statuses with one context the last counts. Saying the same again would do no harm by itself, but it could
 * undo what somebody said since: hence RECONCILED.
 * https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
 */
export const setCommitStatus: ActionSpec<'setCommitStatus'> = {
  title: 'Set a commit status',
  description:
    'Marks a commit as pending, successful, failed or broken under a context of your own, such as "ci/deploy".',
  requiredScopes: ['repo', 'public_repo', 'repo:status'],
  idempotency: 'RECONCILED',
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
    const outcome = outcomeOf(response.body, input);
    if (!outcome) throw unexpectedAnswer(response, 'the status', { isAmbiguous: true });
    return outcome;
  },

  async reconcile(context, input) {
    const found = await findEntry(context, statusesOf(input), (entry) => isOfContext(entry, input, context));
    if (!found) return null;
    if (!saysTheSame(found.entry, input)) throw superseded(input);
    return promised(outcomeOf(found.entry, input), found.response);
  },
};

type Input = VerbInput<'setCommitStatus'>;

/** Newest first. https://docs.github.com/en/rest/commits/statuses#list-commit-statuses-for-a-reference */
function statusesOf({ repository, sha }: Input) {
  const { owner, repo } = requireRepository(repository);
  return {
    method: 'GET',
    path: '/repos/{owner}/{repo}/commits/{sha}/statuses',
    params: { owner, repo, sha },
  } as const;
}

/** GitHub counts whole seconds, so a status of the second the action began in may be ours. */
function isOfContext(entry: unknown, input: Input, { startedAt }: ActionContext): boolean {
  const createdAt = timeAt(entry, 'created_at');
  const began = Math.floor(startedAt.getTime() / 1000) * 1000;
  return (
    textAt(entry, 'context') === input.context && createdAt !== undefined && createdAt.getTime() >= began
  );
}

function saysTheSame(entry: unknown, { state, description, targetUrl }: Input): boolean {
  return (
    textAt(entry, 'state') === state.toLowerCase() &&
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
  const url = textAt(status, 'url');
  return externalId && url ? { externalId, url, output: { context, state } } : undefined;
}
