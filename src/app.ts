import type { FastifyInstance } from 'fastify';
import { attachGraphQL } from '../resolvers/server.js';
import { Action } from './action/action.entity.js';
import { createActionService } from './action/action.service.js';
import { createDeadLetterService } from './action/dead-letters.js';
import { createRunner } from './action/run.js';
import type { Config } from './config.js';
import { createCallBudgets } from './connection/call-budget.js';
import { createAuthorizer } from './connection/authorize.js';
import { createCatalog } from './connection/catalog.js';
import { createConnectionChanges } from './connection/changes.js';
import {
  Connection,
  ConnectionChange,
  CredentialRecord,
  WebhookEndpoint,
  WebhookRegistration,
} from './connection/connection.entity.js';
import { createConnectionService } from './connection/connection.service.js';
import { createKeyKeeper } from './connection/encryption-key.js';
import { OAuthAppRecord, OAuthFlow } from './connection/oauth-app.entity.js';
import { createOAuthApps } from './connection/oauth-app.js';
import { createRevoker } from './connection/revoke.js';
import { attestRefresh, createTokenKeeper } from './connection/tokens.js';
import { createOpener } from './connection/open.js';
import { createQuotaService } from './connection/quota.js';
import type { Connector } from './connector/index.js';
import { createAuthenticator } from './core/auth.js';
import { createBackground } from './core/background.js';
import { type Clock, systemClock } from './core/clock.js';
import { openDb } from './core/db.js';
import { type Log, createLog } from './core/log.js';
import { createMetrics } from './core/metrics.js';
import { connectRedis } from './core/redis.js';
import { SecretAccess } from './credential/access.entity.js';
import { createAccessLog } from './credential/access.js';
import { DataKeyRecord } from './credential/data-key.entity.js';
import { createDataKeys } from './credential/data-keys.js';
import { createSecretServices } from './credential/configure.js';
import { createLeaseStore } from './credential/oauth/lease.js';
import { createOAuthClient } from './credential/oauth/protocol.js';
import { createRefresher } from './credential/oauth/refresh.js';
import { createVault } from './credential/vault.js';
import { createHealthChanges } from './health/changes.js';
import { HealthChange } from './health/health.entity.js';
import { createHealthService } from './health/health.js';
import { createHealthObserver } from './health/observe.js';
import { watchRefusals } from './health/watch.js';
import { createHttp } from './http.js';
import { Incident, IncidentSink } from './incident/incident.entity.js';
import { createIncidentService } from './incident/incident.service.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';
import { createLimiter } from './outbound/limiter.js';
import { createProviderGate } from './outbound/provider.js';
import { PolledStream, Polling } from './poll/poll.entity.js';
import { createPollService } from './poll/poll.service.js';
import { Receipt } from './receipt/receipt.entity.js';
import { createReceiptLog } from './receipt/log.js';
import { jobsOf } from '../jobs/index.js';
import { type Scheduler, createScheduler } from './core/scheduler/index.js';
import type { Services } from './services.js';
import { createFeed } from './signal/feed.js';
import { createJournal } from './signal/journal.js';
import { Delivery } from './signal/delivery.entity.js';
import { Signal } from './signal/signal.entity.js';
import { createSignalService } from './signal/signals.js';
import { createDeliveryService } from './webhook/deliveries.js';
import { createEndpoints } from './webhook/endpoint.js';
import { createWebhookReceiver } from './webhook/receive.js';

export interface AppOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly connectors: readonly Connector[];
  readonly clock?: Clock;
  readonly log?: Log;
}

/** One process of Tributary, built and not yet listening. */
export interface App {
  readonly services: Services;
  readonly http: FastifyInstance;
  /** Starts to take requests; answers the address, such as `http://127.0.0.1:4000`. */
  listen(): Promise<string>;
  /** Takes part in the work that nobody asks for: the jobs, over all workers together. */
  startWorking(): Promise<void>;
  /** Takes no more, finishes what is under way, and lets go of everything. */
  close(): Promise<void>;
}

const HEALTH_FLUSH_MS = 1_000;
const DRAIN_JOBS_MS = 10_000;

/** The composition root: every service is built here and nowhere else. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, databaseUrl, connectors, clock = systemClock } = options;
  const log = options.log ?? createLog(config.LOG_LEVEL);
  const metrics = createMetrics();
  const entities = [
    Connection,
    CredentialRecord,
    WebhookEndpoint,
    WebhookRegistration,
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
    Receipt,
    HealthChange,
    Incident,
    IncidentSink,
  ];
  const db = await openDb({ url: databaseUrl, entities, migrations, log });
  const redis = config.REDIS_URL ? connectRedis(config.REDIS_URL, log) : undefined;
  // To addresses that the operator chose, wherever they are; what tenants and providers name goes by `client`.
  const operatorClient = createHttpClient({ egress: createEgressPolicy(['0.0.0.0/0', '::/0']) });
  const secretServices = createSecretServices(config, operatorClient, clock);
  const { wrapper, references } = secretServices;
  const keys = await createDataKeys({ db, clock, log, wrapper });
  const vault = createVault(keys);
  const accesses = createAccessLog(db.doors, log);
  const egress = createEgressPolicy(config.EGRESS_ALLOW);
  const client = createHttpClient({ egress });
  const observer = createHealthObserver(db.doors, log);
  const catalog = createCatalog(connectors);
  const budgets = createCallBudgets({ db, clock, catalog });
  const unwatched = createProviderGate({
    client,
    clock,
    log,
    metrics,
    redis,
    baseUrls: config.providerBaseUrls,
    observe: observer.observe,
    onCircuit: observer.observeCircuit,
    findBudgets: budgets.find,
  });
  const gate = watchRefusals(unwatched, clock, observer.observeRefusal);

  let address = '';
  const publicUrl = (): string => config.PUBLIC_URL ?? address;
  const oauth = createOAuthClient({ client, clock });
  const apps = createOAuthApps({
    db,
    clock,
    vault,
    catalog,
    operatorApps: config.oauthApps,
    urls: config.providerOAuthUrls,
  });
  const leases = createLeaseStore(db, undefined, attestRefresh);
  const refresher = createRefresher({ store: leases, sealer: vault, clock, log });
  const tokens = createTokenKeeper({ db, clock, log, oauth, apps, refresher, references, gate });
  const opener = await createOpener({ db, clock, vault, accesses, references, tokens, gate });
  const revoker = createRevoker({ db, clock, vault, accesses, catalog, oauth, apps, gate, log });
  const verifying = { db, clock, vault, catalog, opener, publicUrl, log };
  const authorizer = createAuthorizer({
    ...verifying,
    oauth,
    apps,
    revoker,
    returnTo: config.OAUTH_RETURN_TO,
  });
  const journal = createJournal({ pool: db.doors, log, metrics });
  const feed = await createFeed({ db, log, metrics });
  const changes = await createConnectionChanges({ db, log });
  const endpoints = await createEndpoints({ db, vault, clock, accesses });
  const quotas = createQuotaService({ db, maxConnections: config.TRIBUTARY_MAX_CONNECTIONS_PER_TENANT });
  const acting = { db, clock, metrics, vault, catalog, opener, log };
  const actors = { ...acting, runner: createRunner(acting) };
  const environment = config.TRIBUTARY_ENVIRONMENT;
  const retentionDays = config.DELIVERY_RETENTION_DAYS;
  const deliveries = createDeliveryService({ ...acting, environment, retentionDays });
  const connections = createConnectionService({
    ...verifying,
    keys,
    accesses,
    quotas,
    references,
    tokens,
    refresher,
    authorizer,
    revoker,
  });
  const healthChanges = await createHealthChanges({ db, log });
  const services: Services = {
    catalog,
    connections,
    authorizer,
    oauthApps: apps,
    quotas,
    changes,
    budgets,
    gate,
    signals: createSignalService(db, feed),
    actions: createActionService(actors),
    deliveries,
    deadLetters: createDeadLetterService({ ...actors, deliveries }),
    polls: createPollService({ ...acting, environment }),
    receipts: createReceiptLog(db),
    health: createHealthService({ ...acting, connections }),
    healthChanges,
    incidents: createIncidentService({ ...acting, egress, client }),
    keys: createKeyKeeper({ db, clock, vault, keys }),
  };
  const receiver = createWebhookReceiver({
    catalog,
    endpoints,
    journal,
    // In the process: it protects this process. What a provider allows us is counted in Redis, by the gate.
    limiter: createLimiter({ name: 'webhook', points: config.WEBHOOK_RATE_PER_SECOND, durationSeconds: 1 }),
    vault,
    environment,
    log,
    metrics,
  });
  const authenticator = createAuthenticator(config, clock);
  const http = createHttp({
    services,
    authenticator,
    authorizer,
    isSecure: () => publicUrl().startsWith('https:'),
    receiver,
    requireReady: () => db.ping(),
    webhookMaxBytes: config.WEBHOOK_MAX_BYTES,
    clock,
    log,
    metrics,
  });
  const graphql = await attachGraphQL(http, {
    services,
    authenticator,
    log,
    environment,
  });

  let scheduler: Scheduler | undefined;
  const background = createBackground(log);
  background.every(HEALTH_FLUSH_MS, 'health: writing what was seen', () => observer.flush());

  return {
    services,
    http,
    async listen() {
      address = await http.listen({ host: config.HOST, port: config.PORT });
      return address;
    },
    async startWorking() {
      scheduler = await createScheduler({
        databaseUrl,
        mongodbUrl: config.MONGODB_URL,
        log,
        observe({ name, outcome, lagSeconds }) {
          metrics.jobs.inc({ job: name, outcome });
          if (lagSeconds !== undefined) metrics.jobLag.observe({ job: name }, lagSeconds);
        },
      });
      for (const job of jobsOf(services)) scheduler.define(job);
      await scheduler.start();
    },
    async close() {
      await Promise.all([background.stop(), scheduler?.drain(DRAIN_JOBS_MS)]);
      await graphql.close();
      await http.close();
      await Promise.all([journal.drain(), services.actions.drain(), refresher.drain()]);
      await Promise.all([observer.flush(), accesses.drain()]);
      await Promise.all([opener.close(), keys.close(), endpoints.close(), client.close()]);
      await Promise.all([secretServices.close(), operatorClient.close()]);
      await Promise.all([feed.close(), changes.close(), healthChanges.close()]);
      await scheduler?.close();
      redis?.disconnect();
      await db.close();
    },
  };
}
