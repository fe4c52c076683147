import { v7 as uuidV7 } from 'uuid';
import type { EntityManager } from '../core/db.js';
import type { Metrics } from '../core/metrics.js';
import { Incident, type IncidentKind } from './incident.entity.js';

/** What is wrong at this moment. */
export interface Trouble {
  readonly kind: IncidentKind;
  /** For the tenant's admin. */
  readonly message: string;
}

/** As `health_facts` tells it. */
export interface OpenIncident {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly quiet_since: string | null;
}

/** What has to change so that a connection's incidents tell what is wrong with it. */
export interface IncidentChanges {
  readonly opening: readonly Trouble[];
  readonly resolving: readonly OpenIncident[];
  /** Whose cause has gone, but not for long enough. */
  readonly quieting: readonly OpenIncident[];
  /** Whose cause has come back. */
  readonly returning: readonly OpenIncident[];
}

/** For so long a cause has to be gone: who comes and goes is one incident. */
export const QUIET_MS = 5 * 60_000;

/**
 * One open incident for each kind of trouble, however long that lasts and however often it is seen. `quietMs` is how
 * long a cause has to be gone until its incident is resolved.
 */
export function planIncidents(
  open: readonly OpenIncident[],
  troubles: readonly Trouble[],
  now: Date,
  quietMs = QUIET_MS,
): IncidentChanges {
  const isKnown = new Set(open.map(({ kind }) => kind));
  const isWrong = new Set(troubles.map(({ kind }) => kind));
  const gone = open.filter(({ kind }) => !isWrong.has(kind));
  const hasBeenQuiet = ({ quiet_since: since }: OpenIncident): boolean =>
    now.getTime() - (since === null ? now.getTime() : Date.parse(since)) >= quietMs;
  return {
    opening: troubles.filter(({ kind }) => !isKnown.has(kind)),
    resolving: gone.filter(hasBeenQuiet),
    quieting: gone.filter((one) => one.quiet_since === null && !hasBeenQuiet(one)),
    returning: open.filter((one) => isWrong.has(one.kind) && one.quiet_since !== null),
  };
}

export function isSettled({ opening, resolving, quieting, returning }: IncidentChanges): boolean {
  return [opening, resolving, quieting, returning].every(({ length }) => length === 0);
}

/** Whose incidents they are. */
export interface IncidentOwner {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
}

/** Makes the changes in a transaction of the tenant's, together with what is to be delivered to its sink, if it has one. */
export async function writeIncidents(
  transaction: EntityManager,
  owner: IncidentOwner,
  { opening, resolving, quieting, returning }: IncidentChanges,
  now: Date,
): Promise<void> {
  for (const { id } of quieting) await transaction.nativeUpdate(Incident, { id }, { quietSince: now });
  for (const { id } of returning) await transaction.nativeUpdate(Incident, { id }, { quietSince: null });
  for (const { id } of resolving) {
    await transaction.nativeUpdate(Incident, { id }, { resolvedAt: now });
    await announce(transaction, await transaction.findOneOrFail(Incident, { id }), now);
  }
  for (const { kind, message } of opening) {
    const incident = { id: uuidV7(), scope: 'CONNECTION' as const, ...owner, kind, message, openedAt: now };
    await transaction.insert(Incident, incident);
    await announce(transaction, { ...incident, resolvedAt: null, endsAt: null }, now);
  }
}

/** By provider, kind and state, once the changes are committed. */
export function countIncidents(
  { incidents }: Metrics,
  provider: string,
  { opening, resolving }: Pick<IncidentChanges, 'opening' | 'resolving'>,
): void {
  for (const { kind } of opening) incidents.inc({ provider, kind, state: 'OPEN' });
  for (const { kind } of resolving) incidents.inc({ provider, kind, state: 'RESOLVED' });
}

export type Announced = Omit<Incident, 'quietSince' | 'resolvedAt' | 'endsAt'> &
  Partial<Pick<Incident, 'resolvedAt' | 'endsAt'>>;

/** Queues what is told to the sink that there is at this moment, in the transaction that makes the change. */
export async function announce(transaction: EntityManager, incident: Announced, now: Date): Promise<void> {
  const { id, tenantId } = incident;
  await transaction.execute(QUEUE, [uuidV7(), tenantId, id, toBody(incident, now), now, now]);
}

/** For the sink that there is at this moment; whoever sets one later is told of what comes later. */
const QUEUE = `
  insert into incident_deliveries (id, tenant_id, incident_id, body, created_at, due_at)
  select ?::uuid, ?, ?::uuid, ?, ?::timestamptz, ?::timestamptz from incident_sinks`;

/** In the form that Standard Webhooks recommends: type, timestamp, data. */
function toBody(
  { id, scope, connectionId, providerId, kind, message, openedAt, resolvedAt, endsAt }: Announced,
  now: Date,
): string {
  return JSON.stringify({
    type: resolvedAt ? 'incident.resolved' : 'incident.opened',
    timestamp: now.toISOString(),
    data: {
      incident_id: id,
      scope,
      connection_id: connectionId,
      provider_id: providerId,
      kind,
      status: resolvedAt ? 'RESOLVED' : 'OPEN',
      message,
      opened_at: openedAt.toISOString(),
      resolved_at: resolvedAt?.toISOString() ?? null,
      ends_at: endsAt?.toISOString() ?? null,
    },
  });
}
