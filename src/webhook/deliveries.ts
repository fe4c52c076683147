import { Connection } from '../connection/connection.entity.js';
import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { addReceipt } from '../receipt/log.js';
import { Delivery } from '../signal/delivery.entity.js';
import { refusalOf } from '../signal/journal.js';
import { reviseJournal } from '../signal/revise.js';
import { type ReplayCommand, type ReplayDeps, type Replayed, replayDeliveries } from './replay.js';
import { type Reread, reread } from './reread.js';
import { type TriedMapping, type TryMappingCommand, tryMapping } from './try-mapping.js';
import { lockUnchanged, stateOf } from './unchanged.js';

/** What is done with deliveries after they came. */
export interface DeliveryService {
  /**
   * Normalises stored deliveries again by today's connector, in the order they came, as many as `first` in one call.
   * A dry run answers what would differ; else it is written, with a receipt: signals that are new, and new versions of
   * those that differ, under the same ids at the end of the feed. What is no longer made stays. Deliveries whose body
   * was deleted are left out. Throws INVALID_INPUT, INVALID_CURSOR or NOT_FOUND; CONFLICT when others go on normalising
   * the same deliveries.
   */
  replay(caller: Caller, command: ReplayCommand): Promise<Replayed>;
  /**
   * What would become of a delivery under settings that need not be anybody's yet. Nothing is stored, nobody is called,
   * and no signature is looked at. Throws INVALID_INPUT, UNSUPPORTED, RATE_LIMITED, or NOT_FOUND for the provider.
   */
  tryMapping(caller: Caller, command: TryMappingCommand): Promise<TriedMapping>;
  /** Normalises one dead letter again, and writes down what came of it, with a receipt. */
  redrive(caller: Caller, id: string): Promise<RedrivenDelivery>;
  /** Deletes bodies whose time is over, so many at a time, until none is left or it shall stop. Answers how many. */
  purge(limit: number, stop?: AbortSignal): Promise<number>;
}

/** SKIPPED: nothing was done, and `reason` says why. */
export interface RedrivenDelivery {
  readonly outcome: 'DONE' | 'FAILED' | 'SKIPPED';
  /** Why it failed or was skipped; null otherwise. */
  readonly reason: string | null;
}

export interface DeliveriesDeps extends ReplayDeps {
  readonly retentionDays: number;
}

const DAY_MS = 24 * 60 * 60_000;

export function createDeliveryService(deps: DeliveriesDeps): DeliveryService {
  const { db, clock, retentionDays } = deps;

  async function purgeBatch(limit: number): Promise<number> {
    const now = clock.now();
    const before = new Date(now.getTime() - retentionDays * DAY_MS);
    const { rows } = await db.doors.query<{ purged: number }>(
      'select deliveries_purge($1, $2, $3) as purged',
      [before, now, limit],
    );
    return rows[0]?.purged ?? 0;
  }

  return {
    replay: (caller, command) => replayDeliveries(deps, caller, command),
    tryMapping: (caller, command) => tryMapping(deps, caller, command),
    redrive: (caller, id) => redriveDelivery(deps, caller, id),
    async purge(limit, stop) {
      let total = 0;
      for (;;) {
        const purged = await purgeBatch(limit);
        total += purged;
        if (purged < limit || stop?.aborted) return total;
      }
    },
  };
}

/** What the database still refuses is a dead letter as before, and no error. */
async function redriveDelivery(deps: DeliveriesDeps, caller: Caller, id: string): Promise<RedrivenDelivery> {
  try {
    return await attempt(deps, caller, id, (delivery, settings) => reread(deps, delivery, settings));
  } catch (error) {
    const failure = refusalOf(error);
    if (failure === undefined) throw error;
    return attempt(deps, caller, id, () => Promise.resolve({ failure }));
  }
}

/**
 * Read and normalised before there is a transaction: a tenant's mapping may take its time. The locked row, unchanged
 * since, is what makes one of several who ask at once.
 */
async function attempt(
  deps: DeliveriesDeps,
  caller: Caller,
  id: string,
  make: (delivery: Delivery, settings: JsonObject) => Promise<Reread>,
): Promise<RedrivenDelivery> {
  const em = deps.db.for(caller);
  const delivery = await em.findOne(
    Delivery,
    { id, failure: { $ne: null } },
    { populate: ['body'], disableIdentityMap: true },
  );
  if (!delivery) return { outcome: 'SKIPPED', reason: 'It is no dead letter any more.' };
  if (!delivery.body) return { outcome: 'SKIPPED', reason: 'Its body was deleted when its time was over.' };
  const connection = await em.findOne(Connection, { id: delivery.connectionId });
  const made = await make(delivery, connection?.settings ?? {});
  return write(deps, caller, delivery, made);
}

function write(
  deps: DeliveriesDeps,
  caller: Caller,
  delivery: Delivery,
  made: Reread,
): Promise<RedrivenDelivery> {
  return deps.db.for(caller).transactional(async (transaction) => {
    if (!(await lockUnchanged(transaction, [stateOf(delivery)]))) {
      return {
        outcome: 'SKIPPED',
        reason: 'Somebody else normalised it, or its body was deleted, meanwhile.',
      };
    }
    const { id } = delivery;
    const records = made.failure === null ? made.records : [];
    const signalIds = records.map((record) => record.id);
    const attempts = delivery.attempts + 1;
    const now = deps.clock.now();
    addReceipt(transaction, toReceipt(caller, delivery, made, attempts, now));
    await reviseJournal(transaction, [{ id, failure: made.failure, attempts, signalIds }], records, now);
    return made.failure === null
      ? { outcome: 'DONE', reason: null }
      : { outcome: 'FAILED', reason: made.failure };
  });
}

function toReceipt(caller: Caller, delivery: Delivery, made: Reread, attempts: number, now: Date) {
  const { id, tenantId, connectionId, providerId } = delivery;
  return {
    tenantId,
    connectionId,
    providerId,
    operation: `integration.delivery.${providerId}.redrive`,
    outcome: made.failure === null ? ('SUCCESS' as const) : ('FAILURE' as const),
    actor: caller.subject,
    correlationId: caller.correlationId,
    request: { delivery_id: id },
    result:
      made.failure === null
        ? { attempts, signals: made.records.map((record) => record.id) }
        : { attempts, failure: made.failure },
    occurredAt: now,
  };
}
