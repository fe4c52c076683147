import type { FastifyInstance } from 'fastify';
import { attachGraphQL, readTrustedDocuments } from '../resolvers/server.js';
import { createActionService } from './action/action.service.js';
import { createDeadLetterService } from './action/dead-letters.js';
import { createRunner } from './action/run.js';
import { createProviderCalls } from './call/calls.js';
import { createCallLog } from './call/log.js';
import type { Config } from './config.js';
import { createCallBudgets } from './connection/call-budget.js';
import { createAuthorizer } from './connection/authorize.js';
import { createCatalog } from './connection/catalog.js';
import { createConnectionChanges } from './connection/changes.js';
import { createConnectionService } from './connection/connection.service.js';
import { createKeyKeeper } from './connection/encryption-key.js';
import { createOAuthApps } from './connection/oauth-app.js';
import { createRevoker } from './connection/revoke.js';
import { attestRefresh, createTokenKeeper } from './connection/tokens.js';
import { createWebhookApps } from './connection/webhook-app.js';
import { createOpener } from './connection/open.js';
import { createQuotaService } from './connection/quota.js';
import type { Connector } from './connector/index.js';
import { createAuthenticator } from './core/auth.js';
import { createBackground } from './core/background.js';
import { type Clock, systemClock } from './core/clock.js';
import { openDb } from './core/db.js';
import { createEvaluator } from './core/expression/evaluator.js';
import { createHints } from './core/hints.js';
import { type Log, createLog } from './core/log.js';
import { createMetrics } from './core/metrics.js';
import { connectRedis } from './core/redis.js';
import { createAccessLog } from './credential/access.js';
import { createDataKeys } from './credential/data-keys.js';
import { createSecretServices } from './credential/configure.js';
import { createLeaseStore } from './credential/oauth/lease.js';
import { createOAuthClient } from './credential/oauth/protocol.js';
import { createRefresher } from './credential/oauth/refresh.js';
import { createVault } from './credential/vault.js';
import { entities } from './entities.js';
import { createEntityEvents } from './entity-event/publish.js';
import { createHealthChanges } from './health/changes.js';
import { createHealthService } from './health/health.js';
import { createHealthObserver } from './health/observe.js';
import { watchRefusals } from './health/watch.js';
import { createHttp } from './http.js';
import { createBudgetWatch } from './incident/budget.js';
import { createIncidentService } from './incident/incident.service.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';
import { createLimiter } from './outbound/limiter.js';
import { createProviderGate } from './outbound/provider.js';
import { createQueryBudget } from './outbound/query-budget.js';
import { createPollService } from './poll/poll.service.js';
import { createReceiptServices } from './receipt/services.js';
import { jobsOf } from '../jobs/index.js';
import { type Scheduler, createScheduler } from './core/scheduler/index.js';
import type { Services } from './services.js';
import { createAdapterEvents } from './signal/adapter.js';
import { createBodies } from './signal/body.js';
import { createFeed } from './signal/feed.js';
import { createJournal } from './signal/journal.js';
import { createSignalRetention } from './signal/retention.js';
import { createSignalService } from './signal/signals.js';
import { createDeliveryService } from './webhook/deliveries.js';
import { createEndpoints } from './webhook/endpoint.js';
import { createWebhookReceiver } from './webhook/receive.js';
import { storeOf } from './witness/store.js';
import { createReceiptWitnesses } from './witness/witness.service.js';

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
  const metrics = createMetrics(config.METRICS_TENANTS);
  const { GRAPHQL_TRUSTED_DOCUMENTS: manifest } = config;
  const trusted = manifest === undefined ? undefined : readTrustedDocuments(manifest);
  const db = await openDb({ url: databaseUrl, entities, migrations, log });
  const redis = config.REDIS_URL ? connectRedis(config.REDIS_URL, log) : undefined;
  const hints = redis && createHints({ db, log, redis });
  // To addresses that the operator chose, wherever they are; what tenants and providers name goes by `client`.
  const operatorClient = createHttpClient({ egress: createEgressPolicy(['0.0.0.0/0', '::/0']) });
  const secretServices = createSecretServices(config, operatorClient, clock);
  const { wrapper, references } = secretServices;
  const keys = await createDataKeys({ db, clock, log, wrapper });
  const vault = createVault(keys);
  const accesses = createAccessLog(db.doors, log, metrics);
  const egress = createEgressPolicy(config.EGRESS_ALLOW);
  const client = createHttpClient({ egress });
  const observer = createHealthObserver(db.doors, log);
  const catalog = createCatalog(connectors);
  const budgets = createCallBudgets({ db, clock, catalog });
  const budgetWatch = createBudgetWatch({ db, clock, log, metrics });
  const callLog = createCallLog(db.doors, log, metrics);
  const gate = createProviderGate({
    client,
    clock,
    log,
    metrics,
    redis,
    baseUrls: config.providerBaseUrls,
    observe: observer.observe,
    onCall: callLog.record,
    onCircuit: observer.observeCircuit,
    findBudgets: budgets.find,
    onRefusal: watchRefusals({
      clock,
      onLimited: observer.observeRefusal,
      onSpent: budgetWatch.observe,
    }),
  });

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
  const tokens = createTokenKeeper({ db, clock, log, metrics, oauth, apps, refresher, references, gate });
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
  const journal = createJournal({ pool: db.doors, hints, log, metrics });
  const feed = await createFeed({ db, hints, clock, log, metrics });
  const changes = await createConnectionChanges({ db, log });
  const endpoints = await createEndpoints({ db, vault, clock, accesses, operatorApps: config.oauthApps });
  const quotas = createQuotaService({ db, maxConnections: config.TRIBUTARY_MAX_CONNECTIONS_PER_TENANT });
  const evaluator = createEvaluator();
  const bodies = createBodies(vault, log);
  const acting = { db, clock, metrics, vault, bodies, catalog, opener, log, evaluator };
  const actors = { ...acting, runner: createRunner(acting) };
  // In the process: it protects this process. What a provider allows us is counted in Redis, by the gate.
  const rate = { points: config.WEBHOOK_RATE_PER_SECOND, durationSeconds: 1 };
  const limiter = createLimiter({ name: 'webhook', ...rate });
  const appRate = { points: config.WEBHOOK_APP_RATE_PER_SECOND, durationSeconds: 1 };
  const environment = config.TRIBUTARY_ENVIRONMENT;
  const retentionDays = config.DELIVERY_RETENTION_DAYS;
  const deliveries = createDeliveryService({ ...acting, environment, retentionDays });
  const connections = createConnectionService({
    ...verifying,
    evaluator,
    keys,
    accesses,
    quotas,
    references,
    tokens,
    refresher,
    authorizer,
    revoker,
    operatorApps: config.oauthApps,
  });
  const healthChanges = await createHealthChanges({ db, log });
  const receipts = await createReceiptServices({ ...acting, config });
  const services: Services = {
    catalog,
    connections,
    authorizer,
    oauthApps: apps,
    webhookApps: createWebhookApps({ db, clock, vault, catalog, publicUrl }),
    quotas,
    changes,
    budgets,
    gate,
    signals: createSignalService(db, feed),
    signalRetention: createSignalRetention({ db, clock, log, defaultDays: config.SIGNAL_RETENTION_DAYS }),
    adapterEvents: createAdapterEvents({ ...acting, journal, limiter, environment }),
    actions: createActionService(actors),
    deliveries,
    deadLetters: createDeadLetterService({ ...actors, deliveries }),
    polls: createPollService({ ...acting, environment }),
    ...receipts,
    health: createHealthService({ ...acting, connections }),
    healthChanges,
    incidents: createIncidentService({ ...acting, egress, client }),
    witnesses: createReceiptWitnesses({
      ...acting,
      egress,
      client,
      keys: receipts.checkpointKeys,
      store: storeOf(config, operatorClient, clock),
    }),
    providerCalls: createProviderCalls({ db, clock, retentionDays: config.PROVIDER_CALL_RETENTION_DAYS }),
    keys: createKeyKeeper({ db, clock, vault, keys }),
  };
  const receiver = createWebhookReceiver({
    ...acting,
    endpoints,
    journal,
    limiter,
    appLimiter: createLimiter({ name: 'webhook app', ...appRate }),
    environment,
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
  const perMinute = config.GRAPHQL_COST_PER_MINUTE;
  const asking = { services, authenticator, log, metrics, environment, trusted, limits: config };
  const graphql = await attachGraphQL(http, {
    ...asking,
    queryBudget: createQueryBudget({ perMinute, redis, log }),
    operatorClient,
    callbackUrls: config.SUBSCRIPTION_CALLBACK_URLS,
  });

  let scheduler: Scheduler | undefined;
  const { ENTITY_EVENTS_REDIS_URL: url, ENTITY_EVENTS_PREFIX: prefix } = config;
  const entityEvents = createEntityEvents({ db, hints, log, metrics, url, prefix });
  let stops: readonly (() => Promise<void>)[] = [];
  const background = createBackground(log);
  background.every(HEALTH_FLUSH_MS, 'health: writing what was seen', () => observer.flush());
  background.every(HEALTH_FLUSH_MS, 'integration log: writing calls', () => callLog.flush());
  background.every(HEALTH_FLUSH_MS, 'incidents: writing which budgets are spent', () => budgetWatch.flush());

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
        observe({ name, outcome, seconds, lagSeconds }) {
          metrics.jobs.inc({ job: name, outcome });
          metrics.jobSeconds.observe({ job: name }, seconds);
          if (lagSeconds !== undefined) metrics.jobLag.observe({ job: name }, lagSeconds);
        },
      });
      for (const job of jobsOf(services)) scheduler.define(job);
      await scheduler.start();
      stops = [services.sequencer.follow(), await entityEvents.follow()];
    },
    async close() {
      await Promise.all([background.stop(), scheduler?.drain(DRAIN_JOBS_MS), ...stops.map((stop) => stop())]);
      await graphql.close();
      await http.close();
      await Promise.all([journal.drain(), services.actions.drain(), refresher.drain()]);
      await Promise.all([observer.flush(), budgetWatch.flush(), callLog.flush(), accesses.drain()]);
      await Promise.all([opener.close(), keys.close(), endpoints.close(), client.close()]);
      await Promise.all([evaluator.close(), bodies.close()]);
      await Promise.all([secretServices.close(), operatorClient.close(), receipts.receiptProofs.close()]);
      await Promise.all([feed.close(), changes.close(), healthChanges.close(), hints?.close()]);
      await scheduler?.close();
      redis?.disconnect();
      await db.close();
    },
  };
}
