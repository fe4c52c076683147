import { validate as isUuid, v7 as uuidV7 } from 'uuid';
import { Connection } from '../connection/connection.entity.js';
import { acceptsWebhooks } from '../connection/status.js';
import type {
  CorrelationHint,
  EvidenceLink,
  JsonObject,
  SignalDraft,
  SignalKind,
  SignalResource,
  SignalType,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { TributaryError, invalidInput, notFound } from '../core/errors.js';
import type { Metrics } from '../core/metrics.js';
import { requireValid } from '../core/schema.js';
import { type Limiter, requirePoint } from '../outbound/limiter.js';
import type { Bodies } from './body.js';
import { sealEntry } from './entry.js';
import { type SignalOrigin, type SignalRecord, toSignals } from './envelope.js';
import { adapterSchema } from './envelope-schema.js';
import { type Appended, type Journal, refusalOf } from './journal.js';

/** A SignalEnvelope as an adapter hands it in, once it is checked against its schema. */
export interface AdapterEnvelope {
  readonly producer_id: string;
  readonly signal_kind: SignalKind;
  readonly signal_type: SignalType;
  /** RFC 3339. */
  readonly occurred_at: string;
  /** The provider's identity of what happened: with producer and type it decides the signal's id. */
  readonly correlation_id: string;
  /** The adapter's own trace, and its span to go on from; both or neither. Left out: those of its request. */
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly resource: SignalResource;
  readonly payload: JsonObject & {
    readonly provider_metadata: {
      readonly provider_id: string;
      readonly connection_id: string;
      readonly event_type: string;
      readonly delivery_id: string;
      readonly api_version?: string;
      readonly missing_fields?: readonly string[];
    };
    readonly canonical_keys: Readonly<Record<string, string>>;
  };
  readonly evidence: readonly EvidenceLink[];
  readonly correlation_hints: readonly CorrelationHint[];
  readonly schema_version: string;
  readonly signal_id?: string;
  readonly tenant_id?: string;
  readonly environment?: string;
}

/** Takes signals that an adapter of the tenant's own has normalised already. */
export interface AdapterEvents {
  /**
   * Resolves once the signal is committed. The same connection, type and correlation_id is the same signal, however
   * often it comes. Throws INVALID_INPUT, NOT_FOUND for the connection, CONNECTION_NOT_READY, RATE_LIMITED or
   * STORAGE_UNAVAILABLE.
   */
  append(caller: Caller, envelope: unknown): Promise<Appended>;
}

export interface AdapterEventDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly bodies: Bodies;
  readonly journal: Journal;
  /** By connection: the same that its webhooks have. */
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  readonly environment: SignalOrigin['environment'];
}

/** What an adapter's delivery's id begins with: no webhook's and no poll's does. */
const ADAPTED = 'adapter:';
/** Deeper than any payload is meant to be, and far from where it could exhaust the stack of whoever reads it. */
const MAX_DEPTH = 64;

export function createAdapterEvents(deps: AdapterEventDeps): AdapterEvents {
  return { append: (caller, envelope) => appendEnvelope(deps, caller, envelope) };
}

async function appendEnvelope(deps: AdapterEventDeps, caller: Caller, given: unknown): Promise<Appended> {
  const { db, bodies, journal, limiter, metrics, environment } = deps;
  const envelope = requireEnvelope(given);
  const connection = await requireTaking(db, caller, envelope.producer_id);
  requirePoint(await limiter.take(connection.id), 'More comes to this connection than this server takes.');
  const { providerId } = connection;
  const origin = { tenantId: caller.tenantId, connectionId: connection.id, providerId, environment };
  const deliveryId = uuidV7();
  const receivedAt = deps.clock.now();
  const signal = toAdapted({ ...origin, deliveryId }, envelope, receivedAt);
  requireAgreement(envelope, { ...origin, id: signal.id });
  const entry = { delivery: toDelivery(signal, envelope, receivedAt), signals: [signal] };
  const sealed = await sealEntry(bodies, entry, Buffer.from(JSON.stringify(envelope)));
  const appended = await journal.append(sealed).catch(throwRefused);
  if (appended.isDuplicate) metrics.duplicates.inc({ provider: providerId });
  else {
    metrics.signals.inc({ provider: providerId }, 1);
    metrics.countTenant(caller.tenantId, 'signal');
  }
  return appended;
}

function requireEnvelope(given: unknown): AdapterEnvelope {
  if (isDeeper(given, MAX_DEPTH)) throw invalidInput('event', `must not be deeper than ${MAX_DEPTH} levels`);
  requireValid(adapterSchema, given, 'event');
  const envelope = given as AdapterEnvelope;
  if (Number.isNaN(Date.parse(envelope.occurred_at))) {
    throw invalidInput('event.occurred_at', 'must be a time that exists');
  }
  return envelope;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((field) => isDeeper(field, levels - 1));
}

async function requireTaking(db: Db, caller: Caller, id: string): Promise<Connection> {
  const connection =
    isUuid(id) && (await db.for(caller).findOne(Connection, { id, status: { $ne: 'DELETED' } }));
  if (!connection) throw notFound('connection');
  const { status } = connection;
  if (acceptsWebhooks(status)) return connection;
  const message = `This connection is ${status} and takes no signals.`;
  throw new TributaryError('CONNECTION_NOT_READY', message, { status });
}

/** What the adapter says of things that it does not decide must be so, or else be left out. */
function requireAgreement(
  envelope: AdapterEnvelope,
  known: Omit<SignalOrigin, 'deliveryId'> & { readonly id: string },
): void {
  const { signal_id: id, tenant_id: tenantId, environment, payload } = envelope;
  const metadata = payload.provider_metadata;
  const claims: readonly (readonly [string, string | undefined, string])[] = [
    ['signal_id', id?.toLowerCase(), known.id],
    ['tenant_id', tenantId, known.tenantId],
    ['environment', environment, known.environment],
    ['payload.provider_metadata.provider_id', metadata.provider_id, known.providerId],
    ['payload.provider_metadata.connection_id', metadata.connection_id.toLowerCase(), known.connectionId],
  ];
  const wrong = claims.find(([, claimed, actual]) => claimed !== undefined && claimed !== actual);
  if (wrong) throw invalidInput(`event.${wrong[0]}`, `must be ${wrong[2]}`);
}

/** The signal that an envelope stands for: by the same rules for ids as whatever a connector makes. */
export function toAdapted(origin: SignalOrigin, envelope: AdapterEnvelope, receivedAt: Date): SignalRecord {
  const { provider_metadata: metadata, canonical_keys: canonicalKeys, ...payload } = envelope.payload;
  const draft: SignalDraft = {
    identity: envelope.correlation_id,
    type: envelope.signal_type,
    kind: envelope.signal_kind,
    occurredAt: new Date(envelope.occurred_at),
    resource: envelope.resource,
    payload,
    canonicalKeys,
    evidence: envelope.evidence,
    correlationHints: envelope.correlation_hints,
    ...(metadata.missing_fields && { missing: metadata.missing_fields }),
  };
  const event = {
    id: metadata.delivery_id,
    type: metadata.event_type,
    ...(metadata.api_version !== undefined && { apiVersion: metadata.api_version }),
    body: envelope,
    receivedAt,
  };
  const [signal] = toSignals(origin, event, [draft]);
  if (!signal) throw new Error('one draft makes one signal');
  const { correlation_id, trace_id, span_id } = envelope;
  return { ...signal, correlation_id, ...(trace_id && span_id && { trace_id, span_id }) };
}

function toDelivery(signal: SignalRecord, { payload }: AdapterEnvelope, receivedAt: Date) {
  const { event_type: type, api_version: apiVersion } = payload.provider_metadata;
  return {
    id: signal.delivery_id,
    tenant_id: signal.tenant_id,
    connection_id: signal.connection_id,
    provider_id: signal.provider_id,
    event_id: `${ADAPTED}${signal.id}`,
    event_type: type.slice(0, 255),
    api_version: apiVersion,
    content_type: 'application/json',
    received_at: receivedAt.toISOString(),
    failure: undefined,
    via: 'ADAPTER' as const,
  };
}

function throwRefused(error: unknown): never {
  const refusal = refusalOf(error);
  throw refusal === undefined ? error : invalidInput('event', refusal);
}
