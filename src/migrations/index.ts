import { CallBudgets } from './call-budgets.js';
import { ConnectionChanges } from './connection-changes.js';
import { Founding } from './founding.js';
import { Health } from './health.js';
import { Incidents } from './incidents.js';
import { Jobs } from './jobs.js';
import { OAuthFlows } from './oauth-flows.js';
import { OAuthLease } from './oauth-lease.js';
import { Polling } from './polling.js';
import { ProviderCalls } from './provider-calls.js';
import { ReceiptLog } from './receipt-log.js';
import { ReceiptUpkeep } from './receipt-upkeep.js';
import { ReceiptWitnesses } from './receipt-witnesses.js';
import { Replay } from './replay.js';
import { Rotation } from './rotation.js';
import { TenantPlans } from './tenant-plans.js';
import { Vault } from './vault.js';
import { WebhookApps } from './webhook-apps.js';
import { WebhookRegistrations } from './webhook-registrations.js';

/** In the order they run. Published ones never change; a change is a new file at the end. */
export const migrations = [
  { name: 'founding', class: Founding },
  { name: 'rotation', class: Rotation },
  { name: 'vault', class: Vault },
  { name: 'oauth-lease', class: OAuthLease },
  { name: 'oauth-flows', class: OAuthFlows },
  { name: 'jobs', class: Jobs },
  { name: 'connection-changes', class: ConnectionChanges },
  { name: 'webhook-registrations', class: WebhookRegistrations },
  { name: 'tenant-plans', class: TenantPlans },
  { name: 'call-budgets', class: CallBudgets },
  { name: 'replay', class: Replay },
  { name: 'polling', class: Polling },
  { name: 'incidents', class: Incidents },
  { name: 'health', class: Health },
  { name: 'webhook-apps', class: WebhookApps },
  { name: 'receipt-log', class: ReceiptLog },
  { name: 'receipt-upkeep', class: ReceiptUpkeep },
  { name: 'receipt-witnesses', class: ReceiptWitnesses },
  { name: 'provider-calls', class: ProviderCalls },
];
