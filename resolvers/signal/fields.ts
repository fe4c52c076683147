import type { SignalResource } from '../../src/connector/index.js';
import type { Signal } from '../../src/signal/signal.entity.js';
import { signalCursor } from '../../src/signal/signals.js';
import { withScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';

/**
 * How a signal's fields are read that are no properties of it. Plain functions, in place of methods of a resolver's class:
 * they are asked for each signal of each page and subscription, and what type-graphql does around a method costs more
 * than all they do.
 */
export const signalFields = {
  tenant: ({ tenantId }: Signal) => ({ id: tenantId }),
  connection: ({ connectionId }: Signal, _args: unknown, { loaders }: GraphQLContext) =>
    loaders.connection.load(connectionId),
  resource: ({ content: { resource } }: Signal) => (Object.keys(resource).length > 0 ? resource : null),
  payload: ({ content }: Signal) => content.payload,
  evidence: ({ content }: Signal) => content.evidence,
  correlationHints: ({ content }: Signal) => content.correlation_hints,
  cursor: (signal: Signal) => signalCursor(signal),
};

export const resourceFields = {
  prId: ({ pr_id: prId }: SignalResource) => prId,
};

const received = withScope('integrations:read', (signal) => signal);

/** What is told of each signal, to whom may still read it. Nothing is waited for, as type-graphql's own check would. */
export const signalReceived = (signal: Signal, _args: unknown, context: GraphQLContext) =>
  received(signal, context);
