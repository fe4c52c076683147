import type { Caller } from '../core/caller.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError } from '../core/errors.js';

/** How many a tenant has of what is counted, or may have. */
export interface QuotaCounts {
  /** Connections that are not deleted. */
  readonly connections: number;
}

/**
 * What a tenant may have by its plan, which the operator writes into tenant_plans. A tenant without a row there is on
 * `default`, whose numbers are configured.
 */
export const plans = {
  free: { connections: 5 },
  team: { connections: 50 },
  business: { connections: 500 },
  enterprise: { connections: 10_000 },
} as const satisfies Record<string, QuotaCounts>;

export type PlanName = keyof typeof plans | 'default';

export interface Quota {
  readonly plan: PlanName;
  readonly limits: QuotaCounts;
  readonly used: QuotaCounts;
}

export interface QuotaService {
  read(caller: Caller): Promise<Quota>;
  /**
   * For the transaction that has just added a connection: throws QUOTA_EXCEEDED when that is one too many. From here to
   * its end no other one of the tenant gets past this point, so whoever comes next counts what this one has made.
   */
  requireRoom(transaction: EntityManager, caller: Caller): Promise<void>;
}

export interface QuotaDeps {
  readonly db: Db;
  /** Of the plan `default`. */
  readonly maxConnections: number;
}

export function createQuotaService({ db, maxConnections }: QuotaDeps): QuotaService {
  async function read(manager: EntityManager, { tenantId }: Caller): Promise<Quota> {
    const [row] = await manager.execute<{ plan: keyof typeof plans | null; connections: number }[]>(READ, [
      tenantId,
      tenantId,
    ]);
    const plan = row?.plan ?? 'default';
    const limits = plan === 'default' ? { connections: maxConnections } : plans[plan];
    return { plan, limits, used: { connections: row?.connections ?? 0 } };
  }

  return {
    read: (caller) => db.for(caller).transactional((transaction) => read(transaction, caller)),
    async requireRoom(transaction, caller) {
      await transaction.execute('select pg_advisory_xact_lock(?, hashtext(?))', [LOCK, caller.tenantId]);
      const { limits, used, plan } = await read(transaction, caller);
      if (used.connections <= limits.connections) return;
      throw exceeded(plan, limits.connections, used.connections - 1);
    },
  };
}

/** The first of two keys, so that it meets none of the locks that have one. */
const LOCK = 7_236_003;

const READ = `
  select (select plan from tenant_plans where tenant_id = ?) as plan, count(*)::int as connections
  from connections where tenant_id = ? and status <> 'DELETED'`;

function exceeded(plan: PlanName, limit: number, used: number): TributaryError {
  const message = `The plan "${plan}" allows ${limit} connections, and there are ${used}. Disconnect one that is not needed, or ask the operator for another plan.`;
  return new TributaryError('QUOTA_EXCEEDED', message, { limit, used });
}
