import { ApolloServer, type ApolloServerOptions, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { TributaryError } from '../src/core/errors.js';
import { type CallbackDeps, type Callbacks, createCallbacks } from './callback/callbacks.js';
import { type GraphQLContext, createContext } from './context.js';
import { toFormattedError } from './errors.js';
import { createFanOut } from './fan-out.js';
import { createGraphiQL } from './graphiql.js';
import { depthLimit, requireAffordable } from './limits.js';
import { tryParse } from './modesty.js';
import { type GraphQLDeps, charge, identify, requireAcceptable } from './request.js';
import { buildSchema } from './schema.js';
import { attachSockets } from './socket.js';
import type { TrustedDocuments } from './trusted.js';

export { readTrustedDocuments } from './trusted.js';

/** Made of nothing but the resolvers, so one serves every application of this process; making it takes a while. */
const { schema } = buildSchema();

/** Puts GraphQL on the server: POST and GET /graphql, and WebSockets at the same path. */
export async function attachGraphQL(
  app: FastifyInstance,
  deps: GraphQLDeps & Pick<CallbackDeps, 'operatorClient' | 'callbackUrls'>,
): Promise<{ close(): Promise<void> }> {
  const { services, authenticator, environment, trusted, limits } = deps;
  const fanOut = createFanOut(schema, limits.GRAPHQL_MAX_SUBSCRIPTIONS);
  const callbacks = createCallbacks({ ...deps, fanOut });
  const apollo = new ApolloServer<GraphQLContext>({
    schema,
    introspection: environment !== 'prod',
    includeStacktraceInErrorResponses: false,
    parseOptions: { maxTokens: limits.GRAPHQL_MAX_TOKENS },
    validationRules: [depthLimit(limits)],
    ...(trusted && { persistedQueries: { cache: byId(trusted) } }),
    stopOnTerminationSignals: false,
    logger: deps.log,
    plugins: [
      fastifyApolloDrainPlugin(app),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      affordable(deps, callbacks),
      formattedErrors(deps),
    ],
  });
  await apollo.start();

  const context = async (request: FastifyRequest): Promise<GraphQLContext> => {
    const { id: correlationId } = request;
    const caller = await identify(authenticator, request.headers.authorization, correlationId).catch(
      (error: unknown) => refuse(error, deps, correlationId),
    );
    const document = tryParse(documentOf(request), limits);
    if (document) requireAcceptable(document, deps);
    return { ...createContext(services, caller), expiresAt: caller.expiresAt };
  };
  const answer = fastifyApolloHandler(apollo, { context });
  const graphiql = environment === 'dev' ? createGraphiQL() : undefined;
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    bodyLimit: limits.GRAPHQL_MAX_BODY_BYTES,
    handler: (request, reply) =>
      graphiql?.isWanted(request) ? graphiql.send(reply) : answer.call(app, request, reply),
  });
  const sockets = attachSockets(app.server, schema, { ...deps, fanOut });

  return {
    async close() {
      await Promise.all([sockets.close(), callbacks.close()]);
      await apollo.stop();
    },
  };
}

type PersistedQueries = Exclude<ApolloServerOptions<GraphQLContext>['persistedQueries'], false | undefined>;
type DocumentCache = NonNullable<PersistedQueries['cache']>;

/** Apollo asks it for the document of an id, under a prefix of its own. Nobody registers another by sending it. */
function byId({ find }: TrustedDocuments): DocumentCache {
  return {
    get: async (key) => find(key.slice(key.indexOf(':') + 1)),
    set: async () => {},
    delete: async () => false,
  };
}

/** The document of a request; empty where there is none, of which Apollo then speaks. */
function documentOf({ body, query }: FastifyRequest): string {
  const { query: text } = { ...(query as object), ...(body as object) } as { query?: unknown };
  return typeof text === 'string' ? text : '';
}

/** Apollo answers what `context` throws with the status its extensions name; of anything else it would tell the message. */
function refuse(error: unknown, { log, metrics }: GraphQLDeps, correlationId: string): never {
  const isTyped = error instanceof TributaryError;
  if (!isTyped) log.error({ err: error, correlationId }, 'bug');
  // Nothing the caller did: whoever runs this must learn why.
  else if (error.status >= 500)
    log.error({ err: error, correlationId }, 'graphql: a token could not be checked');
  const told = isTyped
    ? error
    : new TributaryError('INTERNAL', 'This is a bug of ours; it has been logged.', {
        correlation_id: correlationId,
      });
  const { code, details, message } = told;
  metrics.errors.inc({ api: 'graphql', code });
  throw new GraphQLError(message, { extensions: { code, details, ...httpOf(told) } });
}

/**
 * Refuses what would answer too much, and charges the rest, as soon as the operation and its variables are known. A subscription that is to be
 * answered by callbacks begins there, too, and the request is answered by nothing.
 */
function affordable(deps: GraphQLDeps, callbacks: Callbacks): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => {
      let isBegun = false;
      return {
        async didResolveOperation({ document, operation, operationName, request, contextValue }) {
          // Without one there is nothing to execute, and Apollo says so next.
          if (!operation) return;
          const { variables = {}, extensions } = request;
          const { limits } = deps;
          const price = requireAffordable({ schema, document, operation, variables, limits });
          await charge(deps, contextValue, operation, price).catch(withStatus);
          const callback: unknown = extensions?.['subscription'];
          if (operation.operation !== OperationTypeNode.SUBSCRIPTION || callback === undefined) return;
          const args = { schema, document, contextValue, variableValues: variables, operationName };
          await callbacks.begin(callback, args).catch(withStatus);
          isBegun = true;
        },
        responseForOperation: async () =>
          isBegun
            ? {
                http: { status: 200, headers: new HeaderMap() },
                body: { kind: 'single', singleResult: { data: null } },
              }
            : null,
      };
    },
  };
}

/** Apollo answers 500 to what a plugin throws without a status. */
function withStatus(error: unknown): never {
  if (!(error instanceof TributaryError)) throw error;
  throw new GraphQLError(error.message, { originalError: error, extensions: httpOf(error) });
}

/** What tells Apollo how to answer over HTTP. */
function httpOf({ status, details }: TributaryError): Record<string, unknown> {
  const headers = new HeaderMap();
  const { retry_after_seconds: seconds } = details;
  if (seconds !== undefined) headers.set('retry-after', String(seconds));
  return { http: { status, headers } };
}

/** The last look at an answer: every error in the one form, with the request's correlation id on what is a bug. */
function formattedErrors({ log, metrics, environment }: GraphQLDeps): ApolloServerPlugin<GraphQLContext> {
  return {
    requestDidStart: async () => ({
      async willSendResponse({ response, errors = [], contextValue }) {
        if (response.body.kind !== 'single' || !response.body.singleResult.errors) return;
        const { correlationId } = contextValue.caller;
        const context = { log, metrics, correlationId, hidesNames: environment === 'prod' };
        response.body.singleResult.errors = response.body.singleResult.errors.map((formatted, index) =>
          toFormattedError(formatted, errors[index], context),
        );
      },
    }),
  };
}
