import { Action } from './action/action.entity.js';
import {
  Connection,
  ConnectionChange,
  CredentialRecord,
  WebhookEndpoint,
  WebhookRegistration,
} from './connection/connection.entity.js';
import { OAuthAppRecord, OAuthFlow } from './connection/oauth-app.entity.js';
import { WebhookApp } from './connection/webhook-app.entity.js';
import { SecretAccess } from './credential/access.entity.js';
import { ProviderCall } from './call/call.entity.js';
import { DataKeyRecord } from './credential/data-key.entity.js';
import { HealthChange } from './health/health.entity.js';
import { Incident, IncidentSink } from './incident/incident.entity.js';
import { PolledStream, Polling } from './poll/poll.entity.js';
import { receiptEntities } from './receipt/receipt.entity.js';
import { witnessEntities } from './witness/witness.entity.js';
import { Delivery } from './signal/delivery.entity.js';
import { Signal } from './signal/signal.entity.js';

/** Every table that the ORM is told of. */
export const entities = [
  Connection,
  CredentialRecord,
  WebhookEndpoint,
  WebhookRegistration,
  WebhookApp,
  ConnectionChange,
  OAuthAppRecord,
  OAuthFlow,
  DataKeyRecord,
  SecretAccess,
  Signal,
  Delivery,
  Action,
  Polling,
  PolledStream,
  ...receiptEntities,
  ProviderCall,
  HealthChange,
  Incident,
  IncidentSink,
  ...witnessEntities,
];
