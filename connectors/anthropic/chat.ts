import {
  type ActionOutcome,
  type ActionSpec,
  type JsonObject,
  type ProviderResponse,
  type VerbInput,
  compact,
  count,
  invalid,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { EARLIER, versionHeader, versionOf } from './version.js';

/** Models take their time; an action is held for a minute, the waiting around it included. */
const DEADLINE_MS = 40_000;

/** Why a model stopped, in words that no provider owns. */
const REASONS: Readonly<Record<string, string>> = {
  end_turn: 'STOP',
  stop_sequence: 'STOP',
  max_tokens: 'LENGTH',
  model_context_window_exceeded: 'LENGTH',
  refusal: 'REFUSED',
};

/** A lost answer was billed all the same, and no key is documented: hence AT_MOST_ONCE. https://platform.claude.com/docs/en/api/messages */
export const completeChat: ActionSpec<'completeChat'> = {
  title: 'Go on with a chat',
  description:
    'Has a model answer a chat, in one piece. Instructions to it are joined, wherever they stand. Only the API version 2023-06-01 takes a temperature.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['text', 'finishReason', 'model'],
    properties: {
      text: { type: 'string', description: 'Empty where the model said nothing, or refused.' },
      finishReason: { enum: ['STOP', 'LENGTH', 'REFUSED', 'OTHER'] },
      model: { type: 'string' },
      inputTokens: { type: 'integer' },
      outputTokens: { type: 'integer' },
    },
  },

  async execute({ request, settings }, input) {
    const response = await request({
      method: 'POST',
      path: '/messages',
      deadlineMs: DEADLINE_MS,
      headers: versionHeader(settings),
      body: toBody(settings, input),
    });
    return toOutcome(response);
  },
};

/** `system` stands beside the messages, and is no role among them. */
function toBody(
  settings: JsonObject,
  { model, messages, maxOutputTokens, temperature }: VerbInput<'completeChat'>,
) {
  const [told, said] = [true, false].map((isSystem) =>
    messages.filter(({ role }) => (role === 'SYSTEM') === isSystem),
  );
  if (!said || said.length === 0) throw invalid('no_messages', 'A chat needs a message of the user’s.');
  if (temperature !== undefined && versionOf(settings) !== EARLIER) {
    throw invalid(
      'no_temperature',
      `This API version takes no temperature: leave it out, or set apiVersion to ${EARLIER} in the connection’s settings.`,
    );
  }
  return compact({
    model,
    max_tokens: maxOutputTokens,
    messages: said.map(({ role, content }) => ({ role: role.toLowerCase(), content })),
    system: told?.map(({ content }) => content).join('\n\n') || undefined,
    temperature,
  });
}

function toOutcome(response: ProviderResponse): ActionOutcome {
  const { body } = response;
  const [externalId, model, reason] = ['id', 'model', 'stop_reason'].map((field) => textAt(body, field));
  if (!externalId || !model || !reason) throw unexpectedAnswer(response, 'a message', { isAmbiguous: true });
  const text = listAt(body, 'content').map((block) => textAt(block, 'text') ?? '');
  return {
    externalId,
    output: compact({
      text: text.join(''),
      finishReason: REASONS[reason] ?? 'OTHER',
      model,
      inputTokens: count(body, 'usage', 'input_tokens'),
      outputTokens: count(body, 'usage', 'output_tokens'),
    }),
  };
}
