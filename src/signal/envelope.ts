import { parse as parseUuid, v5 as uuidV5 } from 'uuid';
import { type ProviderEvent, type SignalDraft, compact } from '../connector/index.js';
import { traceIds } from '../core/trace.js';
import type { SignalContent } from './signal.entity.js';

const SCHEMA_VERSION = '1.0.0';
/** Namespace of signal ids (RFC 9562 §5.5). Changing it would give every event a second identity. */
const SIGNAL_NAMESPACE = parseUuid('6f0b0f0e-7d0c-5a53-9d0c-3c1f4b7a2e11');

/** Where an event came in. */
export interface SignalOrigin {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
  readonly environment: 'dev' | 'stage' | 'prod';
  readonly deliveryId: string;
}

/** A signal as the journal appends it: a row of `signals` without the sequence, which the commit gives. */
export interface SignalRecord {
  readonly id: string;
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly provider_id: string;
  readonly delivery_id: string;
  readonly environment: string;
  readonly kind: string;
  readonly type: string;
  readonly occurred_at: string;
  readonly ingested_at: string;
  readonly correlation_id: string;
  readonly trace_id: string | undefined;
  readonly span_id: string | undefined;
  readonly repository: string | undefined;
  readonly schema_version: string;
  readonly content: SignalContent;
}

/** The same event gives the same id, whichever way and however often it comes. */
export function signalId(
  connectionId: string,
  { identity, type }: Pick<SignalDraft, 'identity' | 'type'>,
): string {
  return uuidV5(Buffer.from(JSON.stringify([connectionId, identity, type])), SIGNAL_NAMESPACE);
}

/** Completes a connector's drafts. An event of which it made nothing is kept as one `provider_event`. */
export function toSignals(
  origin: SignalOrigin,
  event: ProviderEvent,
  drafts: readonly SignalDraft[],
): SignalRecord[] {
  return (drafts.length > 0 ? drafts : [unknownEvent(event)]).map((draft) => toSignal(origin, event, draft));
}

function toSignal(origin: SignalOrigin, event: ProviderEvent, draft: SignalDraft): SignalRecord {
  const trace = traceIds();
  return {
    id: signalId(origin.connectionId, draft),
    tenant_id: origin.tenantId,
    connection_id: origin.connectionId,
    provider_id: origin.providerId,
    delivery_id: origin.deliveryId,
    environment: origin.environment,
    kind: draft.kind ?? 'event',
    type: draft.type,
    occurred_at: (draft.occurredAt ?? event.receivedAt).toISOString(),
    ingested_at: event.receivedAt.toISOString(),
    correlation_id: event.id,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    repository: draft.resource.repository,
    schema_version: SCHEMA_VERSION,
    content: {
      resource: draft.resource,
      payload: {
        ...draft.payload,
        provider_metadata: compact({
          provider_id: origin.providerId,
          connection_id: origin.connectionId,
          event_type: event.type,
          delivery_id: event.id,
          api_version: event.apiVersion,
          missing_fields: draft.missing?.length ? draft.missing : undefined,
        }),
        canonical_keys: draft.canonicalKeys,
      },
      evidence: draft.evidence,
      correlation_hints: draft.correlationHints,
    },
  };
}

function unknownEvent(event: ProviderEvent): SignalDraft {
  return {
    identity: event.id,
    type: 'provider_event',
    occurredAt: undefined,
    resource: {},
    payload: {},
    canonicalKeys: {},
    evidence: [],
    correlationHints: [],
  };
}
