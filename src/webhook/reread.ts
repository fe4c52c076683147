import type { ProviderCatalog } from '../connection/catalog.js';
import {
  type Connector,
  type JsonObject,
  MalformedDelivery,
  type ProviderEvent,
} from '../connector/index.js';
import { type AdapterEnvelope, toAdapted } from '../signal/adapter.js';
import type { Bodies } from '../signal/body.js';
import type { Delivery } from '../signal/delivery.entity.js';
import { type EntryDeps, type Normalizing, normalize } from '../signal/entry.js';
import type { SignalOrigin, SignalRecord } from '../signal/envelope.js';
import { DECODED, decodeJson, requireReasonable } from './decode.js';

export interface RereadDeps extends EntryDeps {
  readonly bodies: Bodies;
  readonly catalog: ProviderCatalog;
}

/** What today's connector makes of a delivery: its signals, each id once, or why there are none. */
export type Reread =
  { readonly records: readonly SignalRecord[]; readonly failure: null } | { readonly failure: string };

/**
 * Normalises a stored delivery again, whose body was read along, by the connection's settings of today. Its signature was checked when it came, and its name
 * given then: both stay as they were.
 */
export async function reread(deps: RereadDeps, delivery: Delivery, settings: JsonObject): Promise<Reread> {
  const connector = deps.catalog.find(delivery.providerId);
  if (!connector || !isNormalizing(connector)) return { failure: 'There is no connector for it any more.' };
  if (!delivery.body) return { failure: 'Its body was deleted when its time was over.' };
  const { id, tenantId, connectionId, providerId } = delivery;
  const origin = { tenantId, connectionId, providerId, environment: deps.environment, deliveryId: id };
  if (delivery.via === 'ADAPTER')
    return { records: [await readAdapted(deps, origin, delivery, delivery.body)], failure: null };
  const body = decode(connector, delivery, await deps.bodies.open(delivery.body, delivery));
  if (body instanceof MalformedDelivery) return { failure: `${body.name}: ${body.message}` };
  const event = toEvent(delivery, body);
  const { signals, failure } = await normalize(deps, connector, origin, event, settings);
  if (failure !== undefined) return { failure };
  return { records: eachOnce(signals), failure: null };
}

/** As the journal's unique index would have it: the first of an id counts. */
function eachOnce(signals: readonly SignalRecord[]): readonly SignalRecord[] {
  const seen = new Set<string>();
  return signals.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function isNormalizing(connector: Connector): connector is Connector & Normalizing {
  return connector.normalize !== undefined;
}

/** It was checked and normalised by whoever sent it: no connector of ours has a say in it. */
async function readAdapted(
  { bodies }: RereadDeps,
  origin: SignalOrigin,
  delivery: Delivery,
  sealed: Uint8Array,
): Promise<SignalRecord> {
  const body = await bodies.open(sealed, delivery);
  return toAdapted(origin, JSON.parse(body.toString()) as AdapterEnvelope, delivery.receivedAt);
}

/** As at receipt, only that of the headers the content type alone was kept: the others served to verify and to name. */
function decode({ webhook }: Connector, { contentType, via, receivedAt }: Delivery, body: Buffer): unknown {
  const raw = { headers: { 'content-type': contentType }, body, receivedAt };
  try {
    const isAsItCame = via === 'WEBHOOK' && contentType !== DECODED;
    const decoded = isAsItCame && webhook?.decode ? webhook.decode(raw) : decodeJson(raw);
    requireReasonable(decoded);
    return decoded;
  } catch (error) {
    if (error instanceof MalformedDelivery) return error;
    throw error;
  }
}

function toEvent({ eventId, eventType, apiVersion, receivedAt }: Delivery, body: unknown): ProviderEvent {
  return { id: eventId, type: eventType, ...(apiVersion && { apiVersion }), body, receivedAt };
}
