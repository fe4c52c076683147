import type { FailureCategory } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { type Page, type PageRequest, newestFirst, toUuid } from '../core/page.js';
import { ProviderCall } from './call.entity.js';

export interface CallFilter {
  readonly connectionId?: string;
  readonly correlationId?: string;
  /** Calls that failed in this way. */
  readonly category?: FailureCategory;
  /** Calls that began then or later. */
  readonly since?: Date;
}

/** The integration log: what was asked of providers in the tenant's name, and what came of it. */
export interface ProviderCalls {
  /** Newest first. A call is there about a second after its end. */
  list(caller: Caller, filter: CallFilter, page: PageRequest): Promise<Page<ProviderCall>>;
  /** Deletes those whose time is over, so many at once; answers how many there were. Ends early when told to stop. */
  purge(limit: number, stop?: AbortSignal): Promise<number>;
}

export interface CallDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly retentionDays: number;
}

const DAY_MS = 24 * 60 * 60_000;

export function createProviderCalls({ db, clock, retentionDays }: CallDeps): ProviderCalls {
  async function purgeBatch(limit: number): Promise<number> {
    const before = new Date(clock.now().getTime() - retentionDays * DAY_MS);
    const { rows } = await db.doors.query<{ purged: number }>(
      'select provider_calls_purge($1, $2) as purged',
      [before, limit],
    );
    return rows[0]?.purged ?? 0;
  }

  return {
    list(caller, { connectionId, since, ...filter }, page) {
      const where = {
        ...filter,
        ...(connectionId !== undefined && { connectionId: toUuid(connectionId) }),
        ...(since !== undefined && { calledAt: { $gte: since } }),
      };
      return newestFirst(db.for(caller), ProviderCall, where, 'integration-logs', page);
    },
    async purge(limit, stop) {
      for (let total = 0; ;) {
        const purged = await purgeBatch(limit);
        total += purged;
        if (purged < limit || stop?.aborted) return total;
      }
    },
  };
}
