/**
 * What bench/graphql.ts is measured against, as a process of its own: Apollo Server on Fastify, as Tributary runs it, with
 * resolvers that answer constants. They come as the first message: what Tributary had answered.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import fastifyApollo from '@as-integrations/fastify';
import { fastify } from 'fastify';
import { endWithParent } from './child.js';

endWithParent();

const typeDefs = `#graphql
  type Query { providers: [Provider!]! connections(first: Int): ConnectionPage! }
  type Provider {
    id: ID! name: String! description: String! category: String! stage: String! authMethods: [String!]!
    capabilities: [String!]! scopes: [Scope!]! actions: [Action!]! triggers: [Trigger!]!
  }
  type Scope { scope: String! reason: String! }
  type Action { type: String! title: String! idempotency: String! }
  type Trigger { signalType: String! title: String! }
  type ConnectionPage { nodes: [Connection!]! pageInfo: PageInfo! }
  type PageInfo { endCursor: String hasNextPage: Boolean! }
  type Connection {
    id: ID! name: String! status: String! provider: Provider! health: Health! signals(last: Int): SignalPage!
  }
  type Health { status: String! successRate1h: Float }
  type SignalPage { nodes: [Signal!]! }
  type Signal { id: ID! type: String! occurredAt: String! }
`;

interface Constants {
  readonly providers: object;
  readonly connections: object;
}

const [{ providers, connections }] = (await once(process, 'message')) as [Constants];
const apollo = new ApolloServer({
  typeDefs,
  resolvers: { Query: { providers: () => providers, connections: () => connections } },
});
await apollo.start();
const app = fastify();
await app.register(fastifyApollo(apollo));
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.((app.server.address() as AddressInfo).port);
