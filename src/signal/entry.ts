import { randomUUIDv7 } from 'node:crypto';
import { type Connector, type JsonObject, MappingError, type ProviderEvent } from '../connector/index.js';
import { TributaryError } from '../core/errors.js';
import { ExpressionError } from '../core/expression/error.js';
import type { Evaluator } from '../core/expression/evaluator.js';
import type { Log } from '../core/log.js';
import type { Bodies } from './body.js';
import { type SignalOrigin, type SignalRecord, toSignals } from './envelope.js';
import type { JournalEntry } from './journal.js';
import { mapEvent } from './map.js';

/** A connector whose events become signals. */
export type Normalizing = Pick<Connector, 'manifest' | 'mapping'> & Required<Pick<Connector, 'normalize'>>;

export interface EntryDeps {
  readonly evaluator: Evaluator;
  readonly environment: SignalOrigin['environment'];
  readonly log: Log;
}

/** A journal entry that still lacks its body. */
export type BodilessEntry = Omit<JournalEntry, 'body'>;

/** The connection an event came to, with its settings: they may say what is made of it. */
export interface EventPlace extends Pick<SignalOrigin, 'tenantId' | 'connectionId'> {
  readonly settings: JsonObject;
}

/** Makes of one event what the journal keeps of it, as of one that came by webhook. Throws RATE_LIMITED; see {@link Evaluator}. */
export async function toBodilessEntry(
  deps: EntryDeps,
  connector: Normalizing,
  { tenantId, connectionId, settings }: EventPlace,
  event: ProviderEvent,
  contentType: string,
): Promise<BodilessEntry> {
  const { environment } = deps;
  const providerId = connector.manifest.id;
  const deliveryId = randomUUIDv7();
  const origin = { tenantId, connectionId, providerId, environment, deliveryId };
  const { signals, failure } = await normalize(deps, connector, origin, event, settings);
  const delivery = {
    id: deliveryId,
    tenant_id: tenantId,
    connection_id: connectionId,
    provider_id: providerId,
    event_id: event.id,
    event_type: event.type.slice(0, 255),
    api_version: event.apiVersion,
    content_type: contentType,
    received_at: event.receivedAt.toISOString(),
    failure,
    via: 'WEBHOOK' as const,
  };
  return { delivery, signals };
}

/** Completes an entry by its body, as it will be kept. */
export async function sealEntry(bodies: Bodies, entry: BodilessEntry, body: Buffer): Promise<JournalEntry> {
  const { tenant_id: tenantId, id } = entry.delivery;
  return { ...entry, body: await bodies.seal(body, { tenantId, id }) };
}

/** The same entry without its signals, and why. */
export function toDeadLetter<T extends BodilessEntry>(entry: T, failure: string): T {
  return { ...entry, delivery: { ...entry.delivery, failure }, signals: [] };
}

/** What became of an event: its signals, or why there are none. */
export interface Normalized {
  readonly signals: readonly SignalRecord[];
  readonly failure: string | undefined;
}

/**
 * A connector that throws here has a bug the provider can't mend, and a mapping has one for its tenant's admin: the
 * delivery is kept without signals, as a dead letter, and acknowledged.
 */
export async function normalize(
  { evaluator, log }: Pick<EntryDeps, 'evaluator' | 'log'>,
  connector: Normalizing,
  origin: SignalOrigin,
  event: ProviderEvent,
  settings: JsonObject,
): Promise<Normalized> {
  try {
    const mapped = mapEvent(evaluator, connector, origin.tenantId, event, settings);
    const drafts = mapped ? await mapped : connector.normalize(event);
    return { signals: toSignals(origin, event, drafts), failure: undefined };
  } catch (error) {
    // Too many are waiting: nothing is wrong with this one, and it may come again.
    if (error instanceof TributaryError) throw error;
    const { providerId, connectionId } = origin;
    const place = { providerId, connectionId, eventType: event.type, eventId: event.id };
    if (isOfMapping(error)) log.info({ ...place, ...shown(error) }, 'a tenant’s mapping failed');
    else log.error({ err: error, ...place }, 'normalising an event failed');
    return { signals: [], failure: reasonOf(error) };
  }
}

function isOfMapping(error: unknown): error is ExpressionError | MappingError {
  return error instanceof ExpressionError || error instanceof MappingError;
}

/** For the operator, whom its tenants' events do not concern: what a mapping says of its failure may quote them. */
function shown(error: ExpressionError | MappingError) {
  if (error instanceof MappingError) return { error: error.name };
  const { code, position } = error.details;
  return { error: error.name, code, position };
}

const MAX_REASON = 500;

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, MAX_REASON) : 'unknown error';
}
