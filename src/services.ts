import type { ActionService } from './action/action.service.js';
import type { DeadLetterService } from './action/dead-letters.js';
import type { ProviderCalls } from './call/calls.js';
import type { ProviderCatalog } from './connection/catalog.js';
import type { CallBudgets } from './connection/call-budget.js';
import type { ConnectionChanges } from './connection/changes.js';
import type { Authorizer } from './connection/authorize.js';
import type { OAuthApps } from './connection/oauth-app.js';
import type { ConnectionService } from './connection/connection.service.js';
import type { KeyKeeper } from './connection/encryption-key.js';
import type { QuotaService } from './connection/quota.js';
import type { HealthChanges } from './health/changes.js';
import type { HealthService } from './health/health.js';
import type { IncidentService } from './incident/incident.service.js';
import type { WebhookApps } from './connection/webhook-app.js';
import type { ProviderGate } from './outbound/provider.js';
import type { PollService } from './poll/poll.service.js';
import type { ReceiptServices } from './receipt/services.js';
import type { AdapterEvents } from './signal/adapter.js';
import type { SignalRetention } from './signal/retention.js';
import type { SignalService } from './signal/signals.js';
import type { DeliveryService } from './webhook/deliveries.js';
import type { ReceiptWitnesses } from './witness/witness.service.js';

/** What the edges (GraphQL, REST, jobs) call. Each method that serves a user takes the caller first. */
export interface Services extends ReceiptServices {
  readonly catalog: ProviderCatalog;
  readonly connections: ConnectionService;
  readonly quotas: QuotaService;
  readonly changes: ConnectionChanges;
  readonly budgets: CallBudgets;
  /** How connections of the caller's own stand with limits and circuits. */
  readonly gate: Pick<ProviderGate, 'rateLimit' | 'circuit'>;
  readonly signals: SignalService;
  readonly signalRetention: SignalRetention;
  readonly adapterEvents: AdapterEvents;
  readonly actions: ActionService;
  readonly deliveries: DeliveryService;
  readonly deadLetters: DeadLetterService;
  readonly polls: PollService;
  readonly health: HealthService;
  readonly healthChanges: HealthChanges;
  readonly incidents: IncidentService;
  readonly witnesses: ReceiptWitnesses;
  readonly keys: KeyKeeper;
  readonly providerCalls: ProviderCalls;
  readonly authorizer: Authorizer;
  readonly oauthApps: OAuthApps;
  readonly webhookApps: WebhookApps;
}
