import type { DocumentNode } from 'graphql';
import type { Authenticator, Identity } from '../src/core/auth.js';
import type { Caller } from '../src/core/caller.js';
import type { Log } from '../src/core/log.js';
import type { Metrics } from '../src/core/metrics.js';
import type { Services } from '../src/services.js';
import { requireModest } from './modesty.js';
import type { TrustedDocuments } from './trusted.js';

/** What both transports need. */
export interface GraphQLDeps {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly environment: 'dev' | 'stage' | 'prod';
  /** Where only some documents are answered: these. */
  readonly trusted?: TrustedDocuments | undefined;
}

/** What a document must be before it is validated. Throws GRAPHQL_VALIDATION_FAILED. */
export function requireAcceptable(document: DocumentNode, { trusted }: Pick<GraphQLDeps, 'trusted'>): void {
  requireModest(document);
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
