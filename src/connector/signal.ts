import type { JsonObject } from './json.js';

/**
 * The canonical signal types: one word for one thing, whichever provider it happened at.
 * What fits none of them is kept as `provider_event`, with the provider's own name in
 * `payload.provider_metadata.event_type`.
 */
export const signalTypes = [
  'push',
  'branch_created',
  'branch_deleted',
  'tag_created',
  'pr_opened',
  'pr_updated',
  'pr_closed',
  'pr_merged',
  'pr_reopened',
  'pr_reviewed',
  'pr_commented',
  'issue_created',
  'issue_updated',
  'issue_status_changed',
  'issue_assigned',
  'issue_commented',
  'issue_closed',
  'issue_reopened',
  'issue_deleted',
  'release_published',
  'deployment_created',
  'deployment_status_changed',
  'build_queued',
  'build_started',
  'build_finished',
  'chat_message',
  'chat_message_edited',
  'chat_mention',
  'reaction_added',
  'channel_created',
  'page_published',
  'page_updated',
  'page_deleted',
  'comment_added',
  'alarm_state_changed',
  'metric_reported',
  'log_recorded',
  'incident_opened',
  'incident_acknowledged',
  'incident_resolved',
  'user_created',
  'user_updated',
  'user_deactivated',
  'group_membership_changed',
  'role_assigned',
  'login_failed',
  'app_installed',
  'app_uninstalled',
  'record_created',
  'record_updated',
  'record_deleted',
  'model_usage_reported',
  'webhook_ping',
  'provider_event',
] as const;
export type SignalType = (typeof signalTypes)[number];

export const signalKinds = ['event', 'metric', 'log', 'trace'] as const;
export type SignalKind = (typeof signalKinds)[number];

/** Where something happened. Keys as they stand in the envelope's JSON. */
export interface SignalResource {
  /** `owner/name`, as the provider writes it. */
  readonly repository?: string;
  /** Without `refs/heads/`. */
  readonly branch?: string;
  /** The number people see, as text. */
  readonly pr_id?: string;
  /** Full commit hash. */
  readonly commit?: string;
  readonly service?: string;
  readonly environment?: string;
}

/** A link a person can follow to see the thing itself. */
export interface EvidenceLink {
  /** What it shows: `pull_request`, `issue`, `comment`, `commit`, `build`, `release` … */
  readonly type: string;
  readonly url: string;
  readonly title?: string;
}

/** Something to join this signal to others by. */
export interface CorrelationHint {
  readonly type: 'resource_id' | 'temporal' | 'metadata';
  readonly value: string;
  /** 0 to 1. */
  readonly confidence: number;
}

/**
 * What a connector makes of one event; the core adds ids, tenant, sequence and provider metadata, which makes it
 * a SignalEnvelope.
 */
export interface SignalDraft {
  /**
   * The provider's identity of what happened, the same whether it came by webhook, poll or redelivery:
   * `pull_request:1:merged`, `issue_comment:42`. Together with connection and type it decides the signal's id.
   */
  readonly identity: string;
  readonly type: SignalType;
  /** Default: event. */
  readonly kind?: SignalKind;
  /** Undefined when the provider does not say: the time of receipt then stands in. */
  readonly occurredAt: Date | undefined;
  readonly resource: SignalResource;
  /** Canonical fields, snake_case. The core adds `provider_metadata` and `canonical_keys`: those two names are taken. */
  readonly payload: JsonObject;
  /** Keys other systems know the thing by: issue_key, channel_id, page_id, user_id … */
  readonly canonicalKeys: Readonly<Record<string, string>>;
  readonly evidence: readonly EvidenceLink[];
  readonly correlationHints: readonly CorrelationHint[];
  /** Documented fields the delivery lacked, as dotted paths. Told in `payload.provider_metadata.missing_fields`. */
  readonly missing?: readonly string[];
}
