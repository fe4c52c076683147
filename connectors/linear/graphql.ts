import {
  type FailureCategory,
  type Json,
  type JsonObject,
  type ProviderContext,
  ProviderFailure,
  type ProviderResponse,
  isObject,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

type Variables = Readonly<Record<string, Json | undefined>>;

/** Asks without changing anything: it may be asked again. Throws ProviderFailure. */
export function query(context: ProviderContext, document: string, variables: Variables): Promise<JsonObject> {
  return send(context, document, variables, true);
}

/** Changes something: sent once. Throws ProviderFailure. */
export function mutate(
  context: ProviderContext,
  document: string,
  variables: Variables,
): Promise<JsonObject> {
  return send(context, document, variables, false);
}

async function send(
  { request }: ProviderContext,
  document: string,
  variables: Variables,
  isQuery: boolean,
): Promise<JsonObject> {
  const response = await request({
    method: 'POST',
    path: '/graphql',
    body: { query: document, variables: JSON.parse(JSON.stringify(variables)) as Json },
    isRepeatable: isQuery,
  });
  return dataOf(response, isQuery);
}

/** GraphQL says 200 to errors as well, beside what it could do: errors come first. */
function dataOf(response: ProviderResponse, isQuery: boolean): JsonObject {
  const { body } = response;
  const [error] = listAt(body, 'errors');
  if (error !== undefined) throw failureOf(error, response, isQuery);
  const data = isObject(body) ? body['data'] : undefined;
  if (isObject(data)) return data;
  throw unexpectedAnswer(response, 'data', { isAmbiguous: !isQuery });
}

/** By `extensions.type`, Linear's own names as its SDK lists them. What is in none of these is our mistake or theirs. */
const CATEGORIES: Readonly<Record<string, FailureCategory>> = {
  'authentication error': 'AUTH',
  forbidden: 'AUTH',
  'feature not accessible': 'AUTH',
  ratelimited: 'RATE_LIMIT',
  'invalid input': 'INVALID',
  'user error': 'INVALID',
  'graphql error': 'INVALID',
  'usage limit exceeded': 'INVALID',
  'internal error': 'PROVIDER',
  'lock timeout': 'PROVIDER',
};

/** An error inside an answer of 200. Those with another status are told apart by the manifest's rules. */
function failureOf(error: unknown, { status }: ProviderResponse, isQuery: boolean): ProviderFailure {
  const type = textAt(error, 'extensions', 'type')?.toLowerCase() ?? '';
  const known = Object.hasOwn(CATEGORIES, type) ? CATEGORIES[type] : undefined;
  const message = textAt(error, 'message') ?? 'Linear refused without a word.';
  const category = isMissing(message) ? 'NOT_FOUND' : (known ?? 'UNKNOWN');
  const detail = textAt(error, 'extensions', 'userPresentableMessage');
  return new ProviderFailure({
    category,
    code: category === 'NOT_FOUND' ? 'not_found' : codeOf(error, type),
    message: (detail && detail !== message ? `${message}: ${detail}` : message).slice(0, 500).toWellFormed(),
    providerStatus: status,
    isAmbiguous: !isQuery && (category === 'PROVIDER' || category === 'UNKNOWN'),
  });
}

/** Linear has no type of its own for it. */
const isMissing = (message: string): boolean => message.startsWith('Entity not found');

function codeOf(error: unknown, type: string): string {
  const code = textAt(error, 'extensions', 'code') ?? type;
  return (
    code
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .slice(0, 64) || 'graphql_error'
  );
}
