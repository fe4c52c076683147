import { type AuthCheckerFn, Authorized, Directive } from 'type-graphql';
import { type Scope, requireScope } from '../src/core/caller.js';
import type { GraphQLContext } from './context.js';

/**
 * The scope that a field needs: declared in the SDL, where a router sees it, and enforced by {@link authChecker}.
 * It stands on every root field, and on every field that leads beyond what its root field was about: lists, health,
 * receipts.
 */
export function RequiresScope(scope: Scope): MethodDecorator {
  const decorators = [
    Authorized<Scope>(scope),
    Directive('@authenticated'),
    Directive(`@requiresScopes(scopes: [["${scope}"], ["integrations:admin"]])`),
  ];
  return (target, key, descriptor) => {
    for (const decorate of decorators) decorate(target, key, descriptor);
  };
}

/** Throws FORBIDDEN naming the scope. An arrow function, since type-graphql takes everything with a prototype for a class. */
export const authChecker: AuthCheckerFn<GraphQLContext, Scope> = ({ context }, scopes) => {
  for (const scope of scopes) requireScope(context.caller, scope);
  return true;
};

/** Resolves an entity that another subgraph refers to by its key. Null when it is not the caller's. */
export type Reference = (key: { readonly id: string }, context: GraphQLContext) => unknown;

/** A reference that needs a scope, as the root fields do. */
export function withScope(scope: Scope, resolve: Reference): Reference {
  return (key, context) => {
    requireScope(context.caller, scope);
    return resolve(key, context);
  };
}
