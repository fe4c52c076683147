import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

/** What the other team's subgraph declares: fields of its own on our connections and tenants. */
export const servicesSdl = readFileSync(join(import.meta.dirname, '../../schema/services.graphql'), 'utf8');

interface Key {
  readonly id: string;
}

/** Everything is one service, as this is an example: it watches whatever connection it is asked about. */
const WATCHER = { id: 'greenhouse', name: 'Greenhouse', connections: [] };

const resolvers = {
  Query: { service: (_: unknown, { id }: Key) => (id === WATCHER.id ? WATCHER : null) },
  Service: { __resolveReference: ({ id }: Key) => (id === WATCHER.id ? WATCHER : null) },
  IntegrationConnection: {
    __resolveReference: ({ id }: Key) => ({ id }),
    service: () => WATCHER,
  },
  Tenant: {
    __resolveReference: ({ id }: Key) => ({ id }),
    services: () => [WATCHER],
  },
};

/** A second subgraph, on 127.0.0.1. Port 0 takes any that is free. */
export async function startServices(port: number): Promise<{ url: string; close(): Promise<void> }> {
  const server = new ApolloServer({
    schema: buildSubgraphSchema([{ typeDefs: parse(servicesSdl), resolvers }]),
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port } });
  return { url, close: () => server.stop() };
}
