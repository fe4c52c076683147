import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import type { Authenticator, Identity } from '../src/core/auth.js';
import type { Caller } from '../src/core/caller.js';
import type { Log } from '../src/core/log.js';
import type { Metrics } from '../src/core/metrics.js';
import type { Services } from '../src/services.js';
import type { QueryBudget } from '../src/outbound/query-budget.js';
import type { GraphQLContext } from './context.js';
import type { GraphQLLimits } from './limits.js';
import { requireModest } from './modesty.js';
import type { TrustedDocuments } from './trusted.js';

/** What both transports need. */
export interface GraphQLDeps {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly environment: 'dev' | 'stage' | 'prod';
  readonly limits: GraphQLLimits;
  readonly queryBudget: QueryBudget;
  /** Where only some documents are answered: these. */
  readonly trusted?: TrustedDocuments | undefined;
}

/** What a document must be before it is validated. Throws GRAPHQL_VALIDATION_FAILED. */
export function requireAcceptable(
  document: DocumentNode,
  { trusted, limits }: Pick<GraphQLDeps, 'trusted' | 'limits'>,
): void {
  requireModest(document, limits);
  trusted?.require(document);
}

/** Throws UNAUTHENTICATED. */
export async function identify(
  authenticator: Authenticator,
  authorization: string | undefined,
  correlationId: string,
): Promise<Caller & Identity> {
  return { ...(await authenticator.authenticate(authorization)), correlationId };
}

/** Charges the caller's tenant for an operation; a subscription once, when it begins. Throws RATE_LIMITED. */
export async function charge(
  { queryBudget, metrics }: Pick<GraphQLDeps, 'queryBudget' | 'metrics'>,
  { caller }: Pick<GraphQLContext, 'caller'>,
  { operation }: OperationDefinitionNode,
  price: number,
): Promise<void> {
  await queryBudget.charge(caller.tenantId, price);
  metrics.graphqlCost.inc({ operation }, price);
}
