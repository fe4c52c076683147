import { z } from 'zod';

const atLeastOne = z.coerce.number().int().min(1);

/** What one GraphQL operation, one socket and one tenant may take: see `variables`. */
export const graphqlVariables = {
  GRAPHQL_TRUSTED_DOCUMENTS: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'Path of a manifest of GraphQL documents, as `npm run codegen` writes it to schema/generated/trusted-documents.json: no others are answered then. Not for a subgraph behind a gateway, which makes documents of its own. Unset: all are.',
  },
  GRAPHQL_COST_PER_MINUTE: {
    schema: z.coerce.number().int().min(0),
    default: '30000000',
    doc: 'What a tenant’s operations may cost in a minute, over all processes that share Redis, before the next is RATE_LIMITED; priced as GRAPHQL_MAX_COST counts. 0: as much as they like.',
  },
  GRAPHQL_MAX_COST: {
    schema: atLeastOne,
    default: '50000',
    doc: 'What one GraphQL operation may cost: the values it may answer, as @listSize counts them, and 50 for each page and mutation, which is their @cost. An answer is built whole in memory.',
  },
  GRAPHQL_MAX_TOKENS: {
    schema: atLeastOne,
    default: '5000',
    doc: 'Tokens of a GraphQL document; what is longer is not parsed to its end.',
  },
  GRAPHQL_MAX_DEPTH: {
    schema: atLeastOne,
    default: '15',
    doc: 'Levels that a GraphQL operation may be nested.',
  },
  GRAPHQL_MAX_ROOT_FIELDS: {
    schema: atLeastOne,
    default: '50',
    doc: 'Fields of its root that a GraphQL document may ask for, aliases included. Each is work of its own: a statement, or a call to a provider.',
  },
  GRAPHQL_MAX_REPEATS: {
    schema: z.coerce.number().int().min(0),
    default: '50',
    doc: 'Times that a GraphQL document may repeat a field where it has it already. Validation compares each two.',
  },
  GRAPHQL_MAX_SPREADS: {
    schema: z.coerce.number().int().min(0),
    default: '100',
    doc: 'Times that a GraphQL document may spread fragments. Validation compares each two.',
  },
  GRAPHQL_MAX_REPRESENTATIONS: {
    schema: atLeastOne,
    default: '200',
    doc: 'Entities that a gateway may ask for at once (`_entities`).',
  },
  GRAPHQL_MAX_BODY_BYTES: {
    schema: atLeastOne,
    default: String(1024 * 1024),
    doc: 'Largest body of a GraphQL request over HTTP.',
  },
  GRAPHQL_MAX_MESSAGE_BYTES: {
    schema: atLeastOne,
    default: String(64 * 1024),
    doc: 'Largest message that a client may send on a WebSocket.',
  },
  GRAPHQL_MAX_SOCKET_OPERATIONS: {
    schema: atLeastOne,
    default: '100',
    doc: 'Operations that one WebSocket carries at once.',
  },
  GRAPHQL_MAX_SUBSCRIPTIONS: {
    schema: atLeastOne,
    default: '5000',
    doc: 'Subscriptions that one process carries for a tenant at once. Each takes some kilobytes, and a send for each signal.',
  },
  GRAPHQL_MAX_INIT_SECONDS: {
    schema: z.coerce.number().min(0.1).max(3600),
    default: '3',
    doc: 'How long a WebSocket may take to say who it is.',
  },
} as const;
