import { LockMode } from '@mikro-orm/postgresql';
import type { EntityManager } from '../core/db.js';
import { Delivery } from '../signal/delivery.entity.js';

/** All of a delivery that can change what it is normalised to, or is changed by that. */
export type DeliveryState = Pick<Delivery, 'id' | 'attempts' | 'purgedAt' | 'signalIds' | 'failure'>;

export function stateOf({ id, attempts, purgedAt, signalIds, failure }: Delivery): DeliveryState {
  return { id, attempts, purgedAt, signalIds, failure };
}

/**
 * Locks deliveries that were read before, to the end of the transaction, in one order for everybody. False: at least
 * one is not any more as it was seen.
 */
export async function lockUnchanged(
  transaction: EntityManager,
  seen: readonly DeliveryState[],
): Promise<boolean> {
  const locked = await transaction.find(
    Delivery,
    { id: { $in: seen.map(({ id }) => id) } },
    { orderBy: { id: 'asc' }, disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  const states = new Map(locked.map((delivery) => [delivery.id, markOf(stateOf(delivery))]));
  return seen.every((state) => states.get(state.id) === markOf(state));
}

const markOf = (state: DeliveryState): string => JSON.stringify(state);
