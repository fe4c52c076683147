import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { invalidInput, notFound } from '../core/errors.js';
import { toUuid } from '../core/page.js';
import { requireInput } from '../core/schema.js';
import { sharing } from '../core/sharing.js';
import type { CallBudget, FindBudgets } from '../outbound/budget.js';
import { addReceipt } from '../receipt/log.js';
import type { ProviderCatalog } from './catalog.js';
import { Connection } from './connection.entity.js';

const calls = z
  .number()
  .int()
  .min(0, 'must not be negative')
  .max(1_000_000_000, 'must be at most 1,000,000,000')
  .nullish();

const setCommand = z.strictObject({
  connectionId: z.string().nullish(),
  providerId: z.string().nullish(),
  callsPerHour: calls,
  callsPerDay: calls,
});

/** What `setCallBudget` takes: for a connection, for a provider, or, with neither, for the whole tenant. */
export type SetCallBudget = z.input<typeof setCommand>;

/** The calls that tenants allow themselves. */
export interface CallBudgets {
  /** All that a connection's calls count in, at most some seconds old. */
  readonly find: FindBudgets;
  /**
   * Sets one budget; without any number it is taken away. Throws INVALID_INPUT, and NOT_FOUND for a connection or a
   * provider that does not exist.
   */
  set(caller: Caller, command: SetCallBudget): Promise<CallBudget>;
}

export interface CallBudgetDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
}

const MAX_TENANTS = 10_000;
/** How long another process may go by what was set before. */
const MAX_AGE_MS = 5_000;

type Subject = Pick<CallBudget, 'scope' | 'scopeId'> & { readonly providerId?: string };

export function createCallBudgets({ db, clock, catalog }: CallBudgetDeps): CallBudgets {
  const cache = new LRUCache<string, Promise<readonly CallBudget[]>>({ max: MAX_TENANTS, ttl: MAX_AGE_MS });

  async function requireSubject(
    transaction: EntityManager,
    { connectionId, providerId }: SetCallBudget,
  ): Promise<Subject> {
    if (connectionId && providerId) throw invalidInput('providerId', 'goes without connectionId');
    if (providerId)
      return { scope: 'PROVIDER', scopeId: catalog.require(providerId).manifest.id, providerId };
    if (!connectionId) return { scope: 'TENANT', scopeId: '' };
    const id = toUuid(connectionId);
    const connection = await transaction.findOne(Connection, { id, status: { $ne: 'DELETED' } });
    if (!connection) throw notFound('connection');
    return { scope: 'CONNECTION', scopeId: connection.id, providerId: connection.providerId };
  }

  async function set(
    transaction: EntityManager,
    caller: Caller,
    command: SetCallBudget,
  ): Promise<CallBudget> {
    const { callsPerHour = null, callsPerDay = null } = command;
    const { providerId, ...subject } = await requireSubject(transaction, command);
    const { scope, scopeId } = subject;
    const now = clock.now();
    const key = [caller.tenantId, scope, scopeId];
    if (callsPerHour === null && callsPerDay === null) await transaction.execute(REMOVE, key);
    else await transaction.execute(STORE, [...key, callsPerHour, callsPerDay, now]);
    addReceipt(transaction, {
      tenantId: caller.tenantId,
      ...(scope === 'CONNECTION' && { connectionId: scopeId }),
      ...(providerId && { providerId }),
      operation: `integration.budget.${providerId ?? 'tributary'}.set`,
      actor: caller.subject,
      correlationId: caller.correlationId,
      occurredAt: now,
      outcome: 'SUCCESS',
      request: { scope, scope_id: scopeId },
      result: { calls_per_hour: callsPerHour, calls_per_day: callsPerDay },
    });
    return { ...subject, callsPerHour, callsPerDay };
  }

  return {
    async find({ tenantId, connectionId, connector }) {
      const all = await sharing(cache, tenantId, () => db.for({ tenantId }).execute<CallBudget[]>(READ));
      const ids = { TENANT: '', PROVIDER: connector.manifest.id, CONNECTION: connectionId };
      return all.filter(({ scope, scopeId }) => scopeId === ids[scope]);
    },
    async set(caller, command) {
      const checked = requireInput(setCommand, command);
      const budget = await db.for(caller).transactional((transaction) => set(transaction, caller, checked));
      cache.delete(caller.tenantId);
      return budget;
    },
  };
}

const READ = `
  select scope, scope_id as "scopeId", calls_per_hour as "callsPerHour", calls_per_day as "callsPerDay"
  from call_budgets order by scope desc`;

const STORE = `
  insert into call_budgets (tenant_id, scope, scope_id, calls_per_hour, calls_per_day, updated_at)
  values (?, ?, ?, ?, ?, ?)
  on conflict (tenant_id, scope, scope_id) do update
  set calls_per_hour = excluded.calls_per_hour, calls_per_day = excluded.calls_per_day, updated_at = excluded.updated_at`;

const REMOVE = 'delete from call_budgets where tenant_id = ? and scope = ? and scope_id = ?';
