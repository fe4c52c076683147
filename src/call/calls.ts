import type { FailureCategory } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { type Conditions, type Page, type PageRequest, newestFirst, readPage, toUuid } from '../core/page.js';
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
const LIST = newestFirst('integration-logs');

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
    list: (caller, filter, page) => readPage(db.for(caller), ProviderCall, LIST, toConditions(filter), page),
    async purge(limit, stop) {
      for (let total = 0; ;) {
        const purged = await purgeBatch(limit);
        total += purged;
        if (purged < limit || stop?.aborted) return total;
      }
    },
  };
}

function toConditions(filter: CallFilter): Conditions<ProviderCall> {
  const { connectionId, correlationId, category, since } = filter;
  const ofConnection = connectionId === undefined ? {} : { connectionId: toUuid(connectionId) };
  const rest = {
    ...(category !== undefined && { category }),
    ...(since !== undefined && { calledAt: { $gte: since } }),
  };
  return {
    leads: [correlationId === undefined ? ofConnection : { correlationId }],
    rest: correlationId === undefined ? rest : { ...rest, ...ofConnection },
    // Calls are written down about as they end. A day is more than any call takes, and any two clocks differ.
    isOver: ({ calledAt }, order) =>
      since !== undefined && order === 'desc' && calledAt.getTime() < since.getTime() - DAY_MS,
  };
}
