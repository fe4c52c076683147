import type { Authenticator, Identity } from '../src/core/auth.js';
import type { Caller } from '../src/core/caller.js';
import type { Log } from '../src/core/log.js';
import type { Services } from '../src/services.js';

/** What both transports need. */
export interface GraphQLDeps {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly log: Log;
  readonly environment: 'dev' | 'stage' | 'prod';
}

/** Throws UNAUTHENTICATED. */
export async function identify(
  authenticator: Authenticator,
  authorization: string | undefined,
  correlationId: string,
): Promise<Caller & Identity> {
  return { ...(await authenticator.authenticate(authorization)), correlationId };
}
