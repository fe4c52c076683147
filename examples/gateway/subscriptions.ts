import type { GatewayConfig } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import { type DocumentNode, type GraphQLFormattedError, print } from 'graphql';
import { CloseCode, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

type Transports = NonNullable<GatewayConfig['transports']>;
interface Event {
  readonly data?: unknown;
  readonly errors?: readonly unknown[] | undefined;
}

/** What the gateway hands to a transport, as far as it is used here. */
interface Asked {
  readonly document: DocumentNode;
  readonly variables?: Record<string, unknown>;
  readonly context?: { readonly headers?: { readonly authorization?: string } };
}

/**
 * How the gateway subscribes at Tributary. Not by the transport that Hive brings for WebSockets: when a socket ends,
 * that subscribes again on its own, five times, with the `after` that the client began with or with none. Signals would
 * come twice, or be lost without a word. Here the client is told, and resumes behind the last cursor it has.
 */
export const transports = {
  http,
  ws: {
    getSubgraphExecutor({ transportEntry: { location = '' } }: { transportEntry: { location?: string } }) {
      const url = location.replace(/^http/, 'ws');
      return ({ document, variables = {}, context }: Asked) =>
        subscribe(url, context?.headers?.authorization ?? '', { query: print(document), variables });
    },
  },
  // An executor is typed as if each could answer everything; this one answers subscriptions alone.
} as unknown as Transports;

/** One socket a subscription, with the token of whoever subscribed: it ends when that token does. */
function subscribe(
  url: string,
  authorization: string,
  payload: { readonly query: string; readonly variables: Record<string, unknown> },
): AsyncIterableIterator<Event> {
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
  });
  const stream = client.iterate(payload);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      stream.next().catch((error: unknown) => ({ done: false, value: { errors: toErrors(error) } })),
    // Whoever leaves may do so while nothing comes.
    async return() {
      await client.dispose();
      return { done: true, value: undefined };
    },
  };
}

/** Why a socket ended, in Tributary's own words where it has some. */
function toErrors(error: unknown): readonly GraphQLFormattedError[] {
  if (Array.isArray(error)) return error as readonly GraphQLFormattedError[];
  const isRefused = (error as { code?: unknown } | undefined)?.code === CloseCode.Forbidden;
  return [isRefused ? REFUSED : GONE];
}

const REFUSED: GraphQLFormattedError = {
  message: 'The token is missing, invalid or expired: subscribe again with a good one.',
  extensions: { code: 'UNAUTHENTICATED' },
};

const GONE: GraphQLFormattedError = {
  message: 'The subgraph is gone: subscribe again behind the last cursor you have.',
  extensions: { code: 'SUBGRAPH_UNREACHABLE' },
};
