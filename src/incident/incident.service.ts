import type { Caller } from '../core/caller.js';
import { type Page, type PageRequest, newestFirst, readPage, toUuid } from '../core/page.js';
import { settleBudgets } from './budget.js';
import { type DeliverDeps, deliverDue } from './deliver.js';
import { Incident, type IncidentKind, IncidentSink } from './incident.entity.js';
import { type SetSink, type SetSinkCommand, type SinkDeps, setSink } from './sink.js';

export interface IncidentFilter {
  readonly connectionId?: string;
  readonly kind?: IncidentKind;
  readonly isOpen?: boolean;
}

/** What somebody should know of, and whom a tenant has us tell. */
export interface IncidentService {
  /** Newest first. */
  list(caller: Caller, filter: IncidentFilter, page: PageRequest): Promise<Page<Incident>>;
  /** Where the tenant's incidents are sent; null: nowhere. */
  sink(caller: Caller): Promise<IncidentSink | null>;
  /** Replaces the sink, with a new secret that is told this once; or takes it away. Throws INVALID_INPUT. */
  setSink(caller: Caller, command: SetSinkCommand): Promise<SetSink>;
  /**
   * Delivers what is due, so many at once, until nothing is; what a sink does not take is due again later, for a day.
   * Answers how many were tried. For the background.
   */
  deliverDue(limit: number, signal: AbortSignal): Promise<number>;
  /** Resolves at most so many incidents of budgets whose window has turned, or that were changed. For the background. */
  settleBudgets(limit: number): Promise<number>;
}

const LIST = newestFirst('incidents');

export function createIncidentService(deps: SinkDeps & DeliverDeps): IncidentService {
  const { db } = deps;
  return {
    list(caller, { connectionId, kind, isOpen }, page) {
      const ofConnection = connectionId === undefined ? {} : { connectionId: toUuid(connectionId) };
      const ofKind = kind === undefined ? {} : { kind };
      const conditions = isOpen
        ? { leads: [{ resolvedAt: null }], rest: { ...ofConnection, ...ofKind } }
        : {
            leads: [ofConnection],
            rest: { ...ofKind, ...(isOpen === false && { resolvedAt: { $ne: null } }) },
          };
      return readPage(db.for(caller), Incident, LIST, conditions, page);
    },
    sink: (caller) => db.for(caller).findOne(IncidentSink, { tenantId: caller.tenantId }),
    setSink: (caller, command) => setSink(deps, caller, command),
    deliverDue: (limit, signal) => deliverDue(deps, limit, signal),
    settleBudgets: (limit) => settleBudgets(deps, limit),
  };
}
