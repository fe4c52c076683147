import { v7 as uuidV7 } from 'uuid';
import { ProviderFailure } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { workDue } from '../core/due.js';
import type { Log } from '../core/log.js';
import type { ProviderCatalog } from './catalog.js';
import { Connection, WebhookRegistration } from './connection.entity.js';
import type { Opener } from './open.js';

export interface RedeliverDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
  readonly log: Log;
}

/** One row of `redeliveries_claim`. */
interface DueRegistration {
  readonly tenant_id: string;
  readonly registration_id: string;
}

/** How often each webhook's deliveries are looked through. */
const EVERY_MS = 5 * 60_000;
/** Longer than looking takes. Nothing is leased: a claim moves the row on, and asking twice would do no harm. */
const LEASE_MS = 60_000;
const AT_ONCE = 10;

/** See ConnectionService.redeliverDue. None keeps the others from being looked after. */
export function redeliverDue(deps: RedeliverDeps, signal: AbortSignal): Promise<number> {
  const { db, clock, catalog, log } = deps;
  const providers = catalog
    .list()
    .filter(({ webhook }) => webhook?.registration?.redeliver)
    .map(({ manifest }) => manifest.id);
  return workDue<DueRegistration>({
    async claim(limit) {
      const now = clock.now();
      const next = new Date(now.getTime() + EVERY_MS);
      const text = 'select * from redeliveries_claim($1, $2, $3, $4)';
      const { rows } = await db.doors.query<DueRegistration>(text, [providers, now, next, limit]);
      return rows;
    },
    work: (row) => redeliver(deps, row),
    failed: ({ registration_id: registrationId }, error) =>
      log.error({ err: error, registrationId }, 'webhook: looking for failed deliveries broke off'),
    concurrency: AT_ONCE,
    leaseMs: LEASE_MS,
    signal,
  });
}

async function redeliver(
  { db, catalog, opener, log }: RedeliverDeps,
  { tenant_id: tenantId, registration_id: id }: DueRegistration,
): Promise<void> {
  const manager = db.for({ tenantId });
  const registration = await manager.findOne(WebhookRegistration, { id });
  const connection = registration && (await manager.findOne(Connection, { id: registration.connectionId }));
  const connector = connection && catalog.find(connection.providerId);
  const registrar = connector?.webhook?.registration;
  if (!registration || !connection || !connector || !registrar?.redeliver) return;
  const about = { connectionId: connection.id, registrationId: id };
  const accessor = { actor: 'system', purpose: 'redeliver', correlationId: uuidV7() };
  try {
    const { context } = await opener.open(connection, connector, accessor, { lane: 'backfill' });
    const { createdAt: since, redeliveryCursor: cursor = null } = registration;
    const { nextCursor, asked } = await registrar.redeliver(context, registration, { cursor, since });
    await db.for({ tenantId }).nativeUpdate(WebhookRegistration, { id }, { redeliveryCursor: nextCursor });
    if (asked > 0) log.info({ ...about, asked }, 'webhook: failed deliveries asked for again');
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    // The provider's trouble: the next time goes on from the same place.
    const { category, code } = error.details;
    log.warn({ ...about, category, code }, 'webhook: failed deliveries could not be asked for');
  }
}
