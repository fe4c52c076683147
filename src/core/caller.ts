import { TributaryError } from './errors.js';

export const scopes = [
  'integrations:read',
  'integrations:write',
  'integrations:execute',
  'integrations:audit',
  'integrations:admin',
] as const;
export type Scope = (typeof scopes)[number];

/** Whose the operator's own things are: kept like a tenant's, and no token may name it. */
export const OPERATOR = ':operator';

/** Who asks, for which tenant. The first argument of every service method that serves a user. */
export interface Caller {
  readonly tenantId: string;
  /** The token's `sub`: recorded as the actor of receipts. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** Joins the caller's own decision, our log lines, jobs and receipts. */
  readonly correlationId: string;
}

/** Throws FORBIDDEN naming the scope when the caller lacks it. `integrations:admin` holds all the others. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.has(scope) || caller.scopes.has('integrations:admin')) return;
  throw new TributaryError('FORBIDDEN', `This needs a token with the scope ${scope}.`, {
    required_scope: scope,
  });
}
