import 'reflect-metadata';
import { type DocumentNode, type GraphQLSchema, parse, print, visit } from 'graphql';
import { buildSubgraphSchema, printSubgraphSchema } from '@apollo/subgraph';
import { type BuildSchemaOptions, type PubSub, buildSchemaSync, createResolversMap } from 'type-graphql';
import { ActionResolver, actionReference } from './action/resolver.js';
import { annotate } from './annotations.js';
import { type Reference, authChecker } from './authorize.js';
import { AuthorizationResolver } from './connection/authorization.js';
import { ConnectionChangeResolver } from './connection/change.js';
import { ConnectionLimitsResolver } from './connection/limits.js';
import { ConnectionFieldsResolver, ConnectionResolver, connectionReference } from './connection/resolver.js';
import { RegistrationResolver } from './connection/registration-resolver.js';
import { WebhookAppResolver } from './connection/webhook-app.js';
import { DeadLetterResolver } from './dead-letter/resolver.js';
import { HealthChangeResolver } from './health/change.js';
import { HealthResolver, ProbeResolver } from './health/resolver.js';
import { IncidentResolver } from './incident/resolver.js';
import { IntegrationLogResolver } from './integration-log/resolver.js';
import { PollingResolver } from './polling/resolver.js';
import { ProviderResolver, providerReference } from './provider/resolver.js';
import { QuotaResolver } from './quota/resolver.js';
import { ReceiptCheckpointResolver } from './receipt/checkpoint.js';
import { ReceiptResolver, receiptReference } from './receipt/resolver.js';
import { ReceiptWitnessResolver } from './receipt/witness.js';
import { resourceFields, signalFields, signalReceived } from './signal/fields.js';
import { ReplayResolver } from './signal/replay.js';
import { TryMappingResolver } from './signal/try-mapping.js';
import { SignalResolver, signalReference } from './signal/resolver.js';
import { TenantResolver, tenantReference } from './tenant/resolver.js';

const LINK = `extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.9"
    import: ["@key", "@shareable", "@authenticated", "@requiresScopes", "@tag", "@cost", "@listSize"]
  )

# Federation does not know it yet: defined here, a gateway takes it for a directive of ours. The subgraph enforces it.
directive @oneOf on INPUT_OBJECT`;

const resolvers: BuildSchemaOptions['resolvers'] = [
  ProviderResolver,
  ConnectionResolver,
  ConnectionFieldsResolver,
  ConnectionChangeResolver,
  ConnectionLimitsResolver,
  AuthorizationResolver,
  RegistrationResolver,
  WebhookAppResolver,
  PollingResolver,
  SignalResolver,
  ReplayResolver,
  TryMappingResolver,
  ActionResolver,
  DeadLetterResolver,
  ReceiptResolver,
  ReceiptCheckpointResolver,
  ReceiptWitnessResolver,
  HealthResolver,
  HealthChangeResolver,
  ProbeResolver,
  IncidentResolver,
  IntegrationLogResolver,
  TenantResolver,
  QuotaResolver,
];

/** How each entity is found when another subgraph refers to it. */
const references: Readonly<Record<string, Reference>> = {
  IntegrationProvider: providerReference,
  IntegrationConnection: connectionReference,
  Signal: signalReference,
  IntegrationAction: actionReference,
  IntegrationReceipt: receiptReference,
  Tenant: tenantReference,
};

/** Fields that are asked for so often that type-graphql's way to them, and its checks, are left out. */
const plainFields: Readonly<Record<string, object>> = {
  Signal: signalFields,
  SignalResource: resourceFields,
};

/** type-graphql wants one as soon as there is a subscription. Ours read the feed and never ask it. */
const noPubSub: PubSub = {
  publish() {
    throw new Error('Subscriptions read the feed: give them `subscribe`.');
  },
  subscribe() {
    throw new Error('Subscriptions read the feed: give them `subscribe`.');
  },
};

export interface SubgraphSchema {
  /** What the server executes, with `_service` and `_entities`. */
  readonly schema: GraphQLSchema;
  /** What is published: schema/tributary.graphql. */
  readonly sdl: string;
}

/** Builds the subgraph from the resolvers. */
export function buildSchema(): SubgraphSchema {
  // Inputs are checked by the services, for every edge alike. Federation's directives are unknown to this first schema.
  const options = { resolvers, authChecker, pubSub: noPubSub, validate: false, skipCheck: true };
  return buildFederatedSchema(buildSchemaSync(options));
}

/** Arguments by name: type-graphql gives them in an order that depends on which module was loaded first. */
function ordered(document: DocumentNode): DocumentNode {
  return visit(document, {
    FieldDefinition: (field) => ({
      ...field,
      arguments: field.arguments?.toSorted((one, other) => (one.name.value < other.name.value ? -1 : 1)),
    }),
  });
}

/** type-graphql knows no federation: its schema is printed, linked to the specification and built again by Apollo. */
function buildFederatedSchema(base: GraphQLSchema): SubgraphSchema {
  const sdl = `${LINK}\n\n${print(annotate(ordered(parse(printSubgraphSchema(base), { noLocation: true }))))}\n`;
  const map = createResolversMap(base) as Record<string, Record<string, object>>;
  for (const [type, fields] of Object.entries(plainFields)) map[type] = { ...map[type], ...fields };
  Object.assign(map['Subscription']?.['signalReceived'] ?? {}, { resolve: signalReceived });
  for (const [type, resolve] of Object.entries(references)) {
    map[type] = { ...map[type], __resolveReference: resolve };
  }
  type Module = Parameters<typeof buildSubgraphSchema>[0] extends infer T
    ? Extract<T, readonly unknown[]>[number]
    : never;
  const module = { typeDefs: parse(sdl), resolvers: map } as Module;
  return { schema: buildSubgraphSchema([module]), sdl };
}
