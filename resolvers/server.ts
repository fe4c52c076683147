import { ApolloServer, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { TributaryError } from '../src/core/errors.js';
import { type GraphQLContext, createContext } from './context.js';
import { toFormattedError } from './errors.js';
import { MAX_TOKENS, depthLimit, requireAffordable } from './limits.js';
import { tryParse } from './modesty.js';
import { type GraphQLDeps, identify, requireAcceptable } from './request.js';
import { buildSchema } from './schema.js';
import { attachSockets } from './socket.js';
import type { TrustedDocuments } from './trusted.js';

export { readTrustedDocuments } from './trusted.js';

const MAX_BODY_BYTES = 1024 * 1024;

/** Puts GraphQL on the server: POST and GET /graphql, and WebSockets at the same path. */
export async function attachGraphQL(
  app: FastifyInstance,
  deps: GraphQLDeps,
): Promise<{ close(): Promise<void> }> {
  const { services, authenticator, environment, trusted } = deps;
  const { schema } = buildSchema();
  const apollo = new ApolloServer<GraphQLContext>({
    schema,
    introspection: environment !== 'prod',
    includeStacktraceInErrorResponses: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: [depthLimit],
    ...(trusted && { persistedQueries: { cache: byId(trusted) } }),
    stopOnTerminationSignals: false,
    logger: deps.log,
    plugins: [
      fastifyApolloDrainPlugin(app),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      affordable,
      formattedErrors(deps),
    ],
  });
  await apollo.start();

  const context = async (request: FastifyRequest): Promise<GraphQLContext> => {
    const { id: correlationId } = request;
    const caller = await identify(authenticator, request.headers.authorization, correlationId).catch(
      (error: unknown) => refuse(error, deps, correlationId),
    );
    const document = tryParse(documentOf(request));
    if (document) requireAcceptable(document, deps);
    return createContext(services, caller);
  };
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    bodyLimit: MAX_BODY_BYTES,
    handler: fastifyApolloHandler(apollo, { context }),
  });
  const sockets = attachSockets(app.server, schema, deps);

  return {
    async close() {
      await sockets.close();
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
  const { code, details, status, message } = isTyped
    ? error
    : new TributaryError('INTERNAL', 'This is a bug of ours; it has been logged.', {
        correlation_id: correlationId,
      });
  metrics.errors.inc({ api: 'graphql', code });
  throw new GraphQLError(message, { extensions: { code, details, http: { status } } });
}

/** Refuses what would answer too much, as soon as the operation and its variables are known. */
const affordable: ApolloServerPlugin<GraphQLContext> = {
  requestDidStart: async () => ({
    async didResolveOperation({ schema, document, operation, request }) {
      // Without one there is nothing to execute, and Apollo says so next.
      if (operation) requireAffordable({ schema, document, operation, variables: request.variables ?? {} });
    },
  }),
};

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
