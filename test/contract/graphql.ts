import { isDeepStrictEqual } from 'node:util';
import {
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  buildSchema,
  execute,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { at, isObject, textAt } from '../../src/connector/index.js';
import type { FakeRequest } from '../support/fake-provider.js';
import type { Contract } from './openapi.js';

/** A provider that is spoken to in GraphQL, at one address; `sdl` is its published schema. */
export function createGraphQLContract(sdl: string): Contract {
  const schema = buildSchema(sdl, { assumeValid: true, assumeValidSDL: true });
  const documents = new Map<string, DocumentNode | Error>();

  function documentOf(request: FakeRequest): DocumentNode | Error {
    const text = textAt(request.body, 'query') ?? '';
    let document = documents.get(text);
    if (!document) documents.set(text, (document = parseSafely(text)));
    return document;
  }

  return {
    nameOf(request) {
      const document = documentOf(request);
      if (document instanceof Error) return undefined;
      const operation = getOperationAST(document);
      const [field] = operation?.selectionSet.selections ?? [];
      return operation
        ? `${operation.operation} ${field?.kind === Kind.FIELD ? field.name.value : ''}`
        : undefined;
    },
    checkRequest(request) {
      const document = documentOf(request);
      if (document instanceof Error) return [document.message];
      const problems = validate(schema, document);
      return problems.length > 0
        ? problems.map(({ message }) => message)
        : checkVariables(schema, document, request);
    },
    checkAnswer(request, { status, body }) {
      const document = documentOf(request);
      const data = at(body, 'data');
      if (status !== 200 || document instanceof Error || !isObject(data)) return [];
      return checkData(schema, document, request, data);
    },
  };
}

function parseSafely(text: string): DocumentNode | Error {
  try {
    return parse(text);
  } catch (error) {
    return error as Error;
  }
}

function variablesOf(request: FakeRequest): Record<string, unknown> {
  const variables = at(request.body, 'variables');
  return isObject(variables) ? { ...variables } : {};
}

function checkVariables(
  schema: GraphQLSchema,
  document: DocumentNode,
  request: FakeRequest,
): readonly string[] {
  const declared = getOperationAST(document)?.variableDefinitions ?? [];
  const given = variablesOf(request);
  const { errors = [] } = getVariableValues(schema, declared, given);
  const unknown = Object.keys(given).filter(
    (name) => !declared.some(({ variable }) => variable.name.value === name),
  );
  return [
    ...errors.map(({ message }) => message),
    ...unknown.map((name) => `the variable ${name} is not declared`),
  ];
}

/** Executed over itself, an answer comes out unchanged: so every field has its type, and none is there unasked. */
function checkData(
  schema: GraphQLSchema,
  document: DocumentNode,
  request: FakeRequest,
  rootValue: object,
): readonly string[] {
  const made = execute({
    schema,
    document,
    rootValue,
    variableValues: variablesOf(request),
    fieldResolver: (source: unknown, _arguments, _context, { path }) => at(source, path.key),
  });
  if (made instanceof Promise) return ['the answer can’t be checked at once'];
  const { data, errors = [] } = made as { data?: unknown; errors?: readonly { message: string }[] };
  if (errors.length > 0) return errors.map(({ message }) => message);
  return isDeepStrictEqual(plain(data), plain(rootValue))
    ? []
    : ['the answer holds fields that nobody asked for'];
}

/** As it came over the line: without prototypes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
