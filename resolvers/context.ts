import DataLoader from 'dataloader';
import type { Action } from '../src/action/action.entity.js';
import type {
  Connection,
  CredentialRecord,
  WebhookEndpoint,
  WebhookRegistration,
} from '../src/connection/connection.entity.js';
import type { Caller } from '../src/core/caller.js';
import type { Page, PageRequest } from '../src/core/page.js';
import type { Health, TenantHealth } from '../src/health/health.js';
import type { PollingState } from '../src/poll/poll.service.js';
import type { InclusionProof } from '../src/receipt/proofs.js';
import type { Receipt } from '../src/receipt/receipt.entity.js';
import type { Services } from '../src/services.js';
import type { Signal } from '../src/signal/signal.entity.js';

/** What resolvers work with: who asks, whom they ask, and how to ask for many at once. */
export interface GraphQLContext {
  readonly caller: Caller;
  /** When the caller's token ends, for what goes on after the request. */
  readonly expiresAt?: Date;
  readonly services: Services;
  readonly loaders: Loaders;
}

/** By id; null for what does not exist in the caller's tenant. */
type Loader<T> = DataLoader<string, T | null>;

/** The same of part of a list that each of them has. */
type PageLoader<T> = (page: PageRequest) => Loader<Page<T>>;

export interface Loaders {
  readonly connection: Loader<Connection>;
  /** By connection. */
  readonly credential: Loader<CredentialRecord>;
  /** By connection. */
  readonly endpoint: Loader<WebhookEndpoint>;
  /** By connection. */
  readonly registrations: Loader<readonly WebhookRegistration[]>;
  /** By connection. */
  readonly polling: Loader<PollingState>;
  /** By connection. */
  readonly health: Loader<Health>;
  /** By tenant, which is always the caller's: however many things of an answer lead to it, it is summed up once. */
  readonly tenantHealth: Loader<TenantHealth>;
  readonly signal: Loader<Signal>;
  /** By connection. */
  readonly signalsOfConnection: PageLoader<Signal>;
  readonly action: Loader<Action>;
  readonly receipt: Loader<Receipt>;
  readonly receiptOfAction: Loader<Receipt>;
  readonly placeOfReceipt: Loader<number>;
  readonly proofOfReceipt: Loader<InclusionProof>;
}

const MAX_BATCH = 500;

/** The context of one operation. */
export function createContext(services: Services, caller: Caller): GraphQLContext {
  const { connections, signals, actions, polls, receipts, receiptProofs, health } = services;
  return {
    caller,
    services,
    loaders: {
      connection: createLoader((ids) => connections.findMany(caller, ids)),
      credential: createLoader((ids) => connections.credentials(caller, ids)),
      endpoint: createLoader((ids) => connections.endpoints(caller, ids)),
      registrations: createLoader((ids) => connections.registrations(caller, ids)),
      polling: createLoader((ids) => polls.of(caller, ids)),
      health: createLoader((ids) => health.of(caller, ids)),
      tenantHealth: createLoader(async ([id = '']) => new Map([[id, await health.ofTenant(caller)]])),
      signal: createLoader((ids) => signals.findMany(caller, ids)),
      signalsOfConnection: createPageLoader((ids, page) => signals.listOfConnections(caller, ids, page)),
      action: createLoader((ids) => actions.findMany(caller, ids)),
      receipt: createLoader((ids) => receipts.findMany(caller, ids)),
      receiptOfAction: createLoader((ids) => receipts.ofActions(caller, ids)),
      placeOfReceipt: createLoader((ids) => receiptProofs.places(caller, ids)),
      proofOfReceipt: createLoader((ids) => receiptProofs.of(caller, ids)),
    },
  };
}

/**
 * Joins what one step of an operation asks for into one query. It remembers nothing: the context of a subscription
 * lives for hours, and a mutation must not see what was true before the one ahead of it.
 */
function createLoader<T>(read: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>): Loader<T> {
  const batch = async (ids: readonly string[]): Promise<(T | null)[]> => {
    const found = await read([...new Set(ids)]);
    return ids.map((id) => found.get(id) ?? null);
  };
  return new DataLoader(batch, { cache: false, maxBatchSize: MAX_BATCH });
}

/** The same of pages: connections that are asked for the same part of their lists are read together. */
function createPageLoader<T>(
  read: (ids: readonly string[], page: PageRequest) => Promise<ReadonlyMap<string, Page<T>>>,
): PageLoader<T> {
  const loaders = new Map<string, Loader<Page<T>>>();
  return (page) => {
    const name = JSON.stringify(page);
    const loader = loaders.get(name) ?? createLoader((ids) => read(ids, page));
    loaders.set(name, loader);
    return loader;
  };
}
