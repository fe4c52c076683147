import {
  type ActionOutcome,
  type ActionSpec,
  type ProviderResponse,
  compact,
  count,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** Models take their time; an action is held for a minute, the waiting around it included. */
const DEADLINE_MS = 40_000;

/** Why a model stopped, in words that no provider owns. */
const REASONS: Readonly<Record<string, string>> = {
  stop: 'STOP',
  length: 'LENGTH',
  content_filter: 'REFUSED',
};

/**
 * A lost answer was billed all the same, and OpenAI documents no key to ask for it again: hence AT_MOST_ONCE.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export const completeChat: ActionSpec<'completeChat'> = {
  title: 'Go on with a chat',
  description:
    'Has a model answer a chat, in one piece. Reasoning counts towards maxOutputTokens, and reasoning models take no temperature.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['text', 'finishReason', 'model'],
    properties: {
      text: { type: 'string', description: 'Empty where the model said nothing, or refused.' },
      refusal: { type: 'string', description: 'Why the model refused, in its own words.' },
      finishReason: { enum: ['STOP', 'LENGTH', 'REFUSED', 'OTHER'] },
      model: { type: 'string' },
      inputTokens: { type: 'integer' },
      outputTokens: { type: 'integer' },
    },
  },

  async execute({ request }, { model, messages, maxOutputTokens, temperature }) {
    const response = await request({
      method: 'POST',
      path: '/chat/completions',
      deadlineMs: DEADLINE_MS,
      body: compact({
        model,
        messages: messages.map(({ role, content }) => ({ role: role.toLowerCase(), content })),
        // `max_tokens` is deprecated, and refused by reasoning models.
        max_completion_tokens: maxOutputTokens,
        temperature,
      }),
    });
    return toOutcome(response);
  },
};

function toOutcome(response: ProviderResponse): ActionOutcome {
  const { body } = response;
  const [externalId, model] = [textAt(body, 'id'), textAt(body, 'model')];
  const reason = textAt(body, 'choices', 0, 'finish_reason');
  if (!externalId || !model || !reason)
    throw unexpectedAnswer(response, 'a completion', { isAmbiguous: true });
  const refusal = textAt(body, 'choices', 0, 'message', 'refusal');
  return {
    externalId,
    output: compact({
      text: textAt(body, 'choices', 0, 'message', 'content') ?? '',
      refusal,
      finishReason: refusal ? 'REFUSED' : (REASONS[reason] ?? 'OTHER'),
      model,
      inputTokens: count(body, 'usage', 'prompt_tokens'),
      outputTokens: count(body, 'usage', 'completion_tokens'),
    }),
  };
}
