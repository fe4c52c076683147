import { v7 as uuidV7, validate as isUuid } from 'uuid';
import type { ProviderCatalog } from '../connection/catalog.js';
import { Connection } from '../connection/connection.entity.js';
import type { ConnectionService } from '../connection/connection.service.js';
import type { Opener } from '../connection/open.js';
import { ProviderFailure } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Db } from '../core/db.js';
import type { Clock } from '../core/clock.js';
import { workDue } from '../core/due.js';
import { TributaryError, notFound } from '../core/errors.js';
import type { Log } from '../core/log.js';

export interface ProbeDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
  readonly connections: Pick<ConnectionService, 'verify'>;
  readonly log: Log;
}

/** What came of a probe. */
export interface Probe {
  readonly connectionId: string;
  readonly durationMs: number;
  /** Undefined when the provider answered well. */
  readonly failure?: ProviderFailure;
}

/** See HealthService.probe. */
export async function probeConnection(deps: ProbeDeps, caller: Caller, id: string): Promise<Probe> {
  const connection = isUuid(id)
    ? await deps.db.for(caller).findOne(Connection, { id, status: { $ne: 'DELETED' } })
    : null;
  if (!connection) throw notFound('connection');
  const { status } = connection;
  if (status !== 'ACTIVE') {
    const message = `A connection that is ${status} can’t be probed.`;
    throw new TributaryError('CONNECTION_NOT_READY', message, { status });
  }
  const startedAt = performance.now();
  const failure = await ask(deps, caller, connection);
  const durationMs = performance.now() - startedAt;
  // The provider's word against the credential is what verify settles; by asking again, for a single word may be wrong.
  if (failure?.details.category === 'AUTH') await deps.connections.verify(caller, id);
  return { connectionId: connection.id, durationMs, ...(failure && { failure }) };
}

/** The cheapest thing that needs the credential. It waits behind everybody else, and is seen as every call is. */
async function ask(
  { catalog, opener }: ProbeDeps,
  { subject: actor, correlationId }: Caller,
  connection: Connection,
): Promise<ProviderFailure | undefined> {
  const connector = catalog.require(connection.providerId);
  const accessor = { actor, purpose: 'probe', correlationId };
  try {
    const { context } = await opener.open(connection, connector, accessor, { lane: 'backfill' });
    await connector.auth.identify(context);
    return undefined;
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw error;
  }
}

/** One row of `health_probe_claim`. */
interface Quiet {
  readonly tenant_id: string;
  readonly connection_id: string;
}

/** Longer than a probe takes. Nothing is leased: a claim moves the row on, and probing twice would do no harm. */
const PROBE_MS = 60_000;

/** See HealthService.probeDue. */
export function probeDue(deps: ProbeDeps, limit: number, signal: AbortSignal): Promise<number> {
  const { db, clock, log } = deps;
  return workDue<Quiet>({
    async claim(room) {
      const { rows } = await db.doors.query<Quiet>('select * from health_probe_claim($1, $2)', [
        clock.now(),
        room,
      ]);
      return rows;
    },
    async work({ tenant_id: tenantId, connection_id: id }) {
      await probeConnection(deps, systemOf(tenantId), id);
    },
    failed: ({ connection_id: connectionId }, error) =>
      log.warn({ connectionId, err: error }, 'health: a probe broke off'),
    concurrency: limit,
    leaseMs: PROBE_MS,
    signal,
  });
}

function systemOf(tenantId: string): Caller {
  return { tenantId, subject: 'system', scopes: new Set(), correlationId: uuidV7() };
}
