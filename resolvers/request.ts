import type { IncomingHttpHeaders } from 'node:http';
import { v4 as uuidV4 } from 'uuid';
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

/** Visible ASCII, so that it can stand in a header and a log line. */
const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

/** The caller's own id for this request, when it is one that can be passed on; else a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-correlation-id'];
  return typeof given === 'string' && CORRELATION_ID.test(given) ? given : uuidV4();
}

/** Throws UNAUTHENTICATED. */
export async function identify(
  authenticator: Authenticator,
  authorization: string | undefined,
  correlationId: string,
): Promise<Caller & Identity> {
  return { ...(await authenticator.authenticate(authorization)), correlationId };
}
