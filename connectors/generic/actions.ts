import {
  type ActionOutcome,
  type ActionSpec,
  type Actions,
  type Json,
  type JsonObject,
  type ProviderRequest,
  type ProviderResponse,
  compact,
  invalid,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import type { ActionTemplate, Settings } from './settings.js';
import { fillLine, fillTemplate, namesInPath } from './template.js';

/** Of a larger answer only the fields that `result` names are kept. */
const MAX_ANSWER = 64 * 1024;

/** A request whose answer was lost may have had its effect, and nothing is known by which it could be found again. */
const custom: ActionSpec<'custom'> = {
  title: 'Do what the settings declare',
  description:
    'Sends the request that settings.actions declares under this name, filled with the parameters.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['status'],
    properties: {
      status: { type: 'integer', description: 'The HTTP status.' },
      body: { description: 'The answer, where it is JSON or text of at most 64 KiB.' },
    },
  },

  inputSchema(settings, input) {
    const { actions: declared = {} } = settings as Settings;
    const { parameters } = declared[String(input['name'])] ?? {};
    const needsParameters = (parameters?.required ?? []).length > 0;
    return {
      type: 'object',
      required: needsParameters ? ['name', 'parameters'] : ['name'],
      properties: {
        name: Object.keys(declared).length > 0 ? { enum: Object.keys(declared) } : false,
        parameters: { additionalProperties: false, properties: {}, ...parameters, type: 'object' },
      },
    };
  },

  async execute({ settings, request, actionId }, { name, parameters = {} }) {
    const { baseUrl, actions: declared = {} } = settings as Settings;
    const template = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (!baseUrl || !template) {
      throw invalid('not_declared', `The connection’s settings declare no action ${name}, or no baseUrl.`);
    }
    const response = await request(toRequest(template, parameters));
    return toOutcome(response, template, actionId);
  },
};

export const actions: Actions = { custom };

/** Always below the base URL: a path’s values are percent-encoded each, and none can be `..`. */
function toRequest(template: ActionTemplate, parameters: JsonObject): ProviderRequest {
  const { method, path, query, headers, body } = template;
  return {
    method,
    path,
    ...compact({
      params: Object.fromEntries(namesInPath(path).map((name) => [name, textAt(parameters, name) ?? ''])),
      query: query && filled(query, parameters),
      headers: headers && requireLines(filled(headers, parameters)),
      body: fillTemplate(body, parameters),
    }),
  };
}

function filled(texts: Readonly<Record<string, string>>, parameters: JsonObject) {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fillLine(text, parameters)]));
}

/** A line break would begin another header. */
function requireLines(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    // oxlint-disable-next-line no-control-regex -- these are what must not be sent
    if (/[\u0000-\u001f\u007f]/.test(value)) {
      throw invalid('invalid_header', `The header ${name} would hold control characters.`);
    }
  }
  return headers;
}

function toOutcome(
  response: ProviderResponse,
  { result = {} }: ActionTemplate,
  actionId: string,
): ActionOutcome {
  const { status, body } = response;
  const [id, url] = [result.id, result.url].map((path) => path && textAt(body, ...path.split('.')));
  if (result.id && !id) {
    const wanted = `${result.id}, which settings.actions has for result.id`;
    throw unexpectedAnswer(response, wanted, { isAmbiguous: true });
  }
  const isKept = body !== undefined && JSON.stringify(body).length <= MAX_ANSWER;
  return {
    externalId: id ?? actionId,
    ...(url && /^https?:\/\//.test(url) && { url }),
    output: compact({ status, body: isKept ? (body as Json) : undefined }),
  };
}
