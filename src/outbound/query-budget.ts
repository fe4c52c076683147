import { TributaryError } from '../core/errors.js';
import { createCounter } from './limiter.js';
import { type SharedDeps, createShared } from './shared.js';

/** What a tenant's operations may cost in a minute, counted over all processes that share Redis. */
export interface QueryBudget {
  /** Throws RATE_LIMITED where the tenant has less than that left in this minute; then nothing is charged. */
  charge(tenantId: string, price: number): Promise<void>;
}

export interface QueryBudgetDeps extends SharedDeps {
  /** 0: there is no limit. */
  readonly perMinute: number;
}

const MINUTE_SECONDS = 60;

export function createQueryBudget({ perMinute, ...deps }: QueryBudgetDeps): QueryBudget {
  const counter = createCounter({
    name: 'graphql',
    durationSeconds: MINUTE_SECONDS,
    shared: createShared(deps),
  });
  return {
    async charge(tenantId, price) {
      if (perMinute === 0 || price === 0) return;
      const count = await counter.add(tenantId, price);
      if (count.consumed <= perMinute) return;
      // Where that can't be given back, the place that counted it is gone, and its count with it.
      await Promise.allSettled([count.giveBack()]);
      const message = `This costs ${price}, which is more than is left of the ${perMinute} that your tenant’s operations may cost in a minute. Ask for smaller pages, or come back when the minute is over.`;
      throw new TributaryError('RATE_LIMITED', message, {
        retry_after_seconds: Math.ceil(count.resetsInMs / 1000),
        limit: perMinute,
        used: count.consumed - price,
      });
    },
  };
}
