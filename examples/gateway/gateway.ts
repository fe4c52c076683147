import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type GatewayConfigSupergraph,
  type GatewayRuntime,
  createGatewayRuntime,
  getGraphQLWSOptions,
} from '@graphql-hive/gateway-runtime';
import type { Context } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { transports } from './subscriptions.js';

export interface Gateway {
  /** Of its GraphQL endpoint, `http://…/graphql`; WebSockets at the same path. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Hive Gateway over a supergraph, on 127.0.0.1. Every request to a subgraph carries the caller's own token: Tributary
 * decides itself what that may see. The subgraph must be called `tributary` in the supergraph. With `pubsub` the gateway
 * listens at Redis itself, for a supergraph that has events.graphql in it.
 */
export async function startGateway(
  supergraph: string,
  port: number,
  { pubsub, plugins = () => [] }: Pick<GatewayConfigSupergraph, 'pubsub' | 'plugins'> = {},
): Promise<Gateway> {
  const runtime = createGatewayRuntime({
    supergraph,
    plugins,
    ...(pubsub && { pubsub }),
    logging: false,
    transports,
    transportEntries: { tributary: { options: { subscriptions: { kind: 'ws', location: '/graphql' } } } },
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? '' }),
    },
  });
  // Read at the first HTTP request otherwise, and a socket that comes before it meets no schema.
  await runtime.getSchema();
  const server = createServer((request, response) => void runtime(request, response));
  const closeSockets = attachSockets(server, runtime);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      await closeSockets();
      server.closeAllConnections();
      server.close();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** Subscriptions of clients over WebSocket. Over SSE they come by the ordinary HTTP route. */
function attachSockets(
  server: ReturnType<typeof createServer>,
  runtime: GatewayRuntime,
): () => Promise<void> {
  const wss = new WebSocketServer({ server, path: '/graphql' });
  const options = getGraphQLWSOptions<{ request: Request; headers: object }, Extra>(runtime, (context) => {
    const request = toRequest(context);
    return { request, headers: Object.fromEntries(request.headers) };
  });
  const { dispose } = useServer(options, wss);
  return async () => {
    await dispose();
    wss.close();
  };
}

/** A socket as the request that propagateHeaders knows: browsers can put a token into connectionParams alone. */
function toRequest({
  connectionParams,
  extra,
}: Context<Record<string, unknown> | undefined, Extra>): Request {
  const { headers, url }: IncomingMessage = extra.request;
  const authorization = connectionParams?.['authorization'] ?? headers.authorization;
  return new Request(new URL(url ?? '/', `http://${headers.host}`), {
    headers: typeof authorization === 'string' ? { authorization } : {},
  });
}
