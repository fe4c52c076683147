import type { ActionService } from './action/action.service.js';
import type { ProviderCatalog } from './connection/catalog.js';
import type { ConnectionService } from './connection/connection.service.js';
import type { HealthService } from './health/health.js';
import type { ReceiptLog } from './receipt/log.js';
import type { SignalService } from './signal/signals.js';

/** What the edges (GraphQL, REST, jobs) call. Each method that serves a user takes the caller first. */
export interface Services {
  readonly catalog: ProviderCatalog;
  readonly connections: ConnectionService;
  readonly signals: SignalService;
  readonly actions: ActionService;
  readonly receipts: ReceiptLog;
  readonly health: HealthService;
}
