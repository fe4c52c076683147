import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { TributaryError } from '../src/core/errors.js';
import type { GraphQLContext } from './context.js';
import { depthLimit, requireAffordable } from './limits.js';
import { type GraphQLDeps, charge, requireAcceptable } from './request.js';

/**
 * What a socket's message asks to execute, under the rules and with the error codes that HTTP has from Apollo. Errors
 * are answered, not thrown: one bad document must not end the socket, and with it every other subscription on it.
 */
export async function prepare(
  schema: GraphQLSchema,
  { query, variables, operationName }: SubscribePayload,
  contextValue: GraphQLContext,
  deps: Pick<GraphQLDeps, 'environment' | 'trusted' | 'limits' | 'queryBudget' | 'metrics'>,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const { limits } = deps;
  const document = parseDocument(query, limits.GRAPHQL_MAX_TOKENS);
  if (document instanceof GraphQLError) return [document];
  const immodesty = await refusalOf(() => requireAcceptable(document, deps));
  if (immodesty) return [immodesty];
  const hidden = deps.environment === 'prod' ? [NoSchemaIntrospectionCustomRule] : [];
  const errors = validate(schema, document, [...specifiedRules, depthLimit(limits), ...hidden]);
  if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
  const operation = getOperationAST(document, operationName);
  if (!operation) {
    const error = new GraphQLError('Name one of the operations of the document as operationName.');
    return [withCode(error, 'OPERATION_RESOLUTION_FAILURE')];
  }
  const excess = await refusalOf(async () => {
    const price = requireAffordable({ schema, document, operation, variables: variables ?? {}, limits });
    await charge(deps, contextValue, operation, price);
  });
  if (excess) return [excess];
  return {
    schema,
    document,
    contextValue,
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  };
}

function parseDocument(query: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens });
  } catch (error) {
    if (error instanceof GraphQLError) return withCode(error, 'GRAPHQL_PARSE_FAILED');
    throw error;
  }
}

async function refusalOf(check: () => void | Promise<void>): Promise<GraphQLError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    if (error instanceof TributaryError) return new GraphQLError(error.message, { originalError: error });
    throw error;
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  Object.assign(error.extensions, { code });
  return error;
}
