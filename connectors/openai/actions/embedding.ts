import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type ProviderResponse,
  at,
  compact,
  count,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** Asking twice changes nothing but the bill; hence AT_MOST_ONCE. https://platform.openai.com/docs/api-reference/embeddings/create */
export const createEmbedding: ActionSpec<'createEmbedding'> = {
  title: 'Turn texts into vectors',
  description: 'Makes one vector of each text, in their order.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['model', 'vectors'],
    properties: {
      model: { type: 'string' },
      vectors: { type: 'array', items: { type: 'array', items: { type: 'number' } } },
      inputTokens: { type: 'integer' },
    },
  },

  async execute(context, { model, texts, dimensions }) {
    const response = await context.request({
      method: 'POST',
      path: '/embeddings',
      body: compact({ model, input: texts, encoding_format: 'float', dimensions }),
    });
    return toOutcome(context, response, texts.length);
  },
};

/** An embedding has no id: the request's is what OpenAI's support would ask for. */
function toOutcome({ actionId }: ActionContext, response: ProviderResponse, wanted: number): ActionOutcome {
  const { body, headers } = response;
  const model = textAt(body, 'model');
  const vectors = vectorsOf(body);
  if (!model || vectors.length !== wanted || !vectors.every(isVector)) {
    throw unexpectedAnswer(response, 'a vector for each text', { isAmbiguous: true });
  }
  return {
    externalId: headers['x-request-id'] ?? actionId,
    output: compact({ model, vectors, inputTokens: count(body, 'usage', 'prompt_tokens') }),
  };
}

/** By their `index`, which says what each belongs to. */
function vectorsOf(body: unknown): readonly unknown[] {
  return listAt(body, 'data')
    .toSorted((one, other) => (count(one, 'index') ?? 0) - (count(other, 'index') ?? 0))
    .map((entry) => at(entry, 'embedding'));
}

function isVector(found: unknown): boolean {
  return Array.isArray(found) && found.every((value) => typeof value === 'number');
}
