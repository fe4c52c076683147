import type { FastifyRequest } from 'fastify';
import type { Authenticator } from '../core/auth.js';
import { type Caller, type Scope, requireScope } from '../core/caller.js';

/** Who asks, once that is proven and the scope is his. Throws UNAUTHENTICATED and FORBIDDEN. */
export async function requireCaller(
  authenticator: Authenticator,
  request: FastifyRequest,
  scope: Scope,
): Promise<Caller> {
  const identity = await authenticator.authenticate(request.headers.authorization);
  const caller = { ...identity, correlationId: request.id };
  requireScope(caller, scope);
  return caller;
}
