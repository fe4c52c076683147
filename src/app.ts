import type { FastifyInstance } from 'fastify';
import { attachGraphQL } from '../resolvers/server.js';
import { Action } from './action/action.entity.js';
import { createActionService } from './action/action.service.js';
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
import { createHealthService } from './health/health.js';
import { createHealthObserver } from './health/observe.js';
import { createHttp } from './http.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';
import { createLimiter } from './outbound/limiter.js';
import { createProviderGate } from './outbound/provider.js';
import { Receipt } from './receipt/receipt.entity.js';
import { createReceiptLog } from './receipt/log.js';
import type { Services } from './services.js';
import { createFeed } from './signal/feed.js';
import { createJournal } from './signal/journal.js';
import { Signal } from './signal/signal.entity.js';
import { createSignalService } from './signal/signals.js';
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
  /** Starts the work that nobody asks for: taking over abandoned actions. */
  startWorking(): void;
  /** Takes no more, finishes what is under way, and lets go of everything. */
  close(): Promise<void>;
}

const HEALTH_FLUSH_MS = 1_000;
const RECOVER_MS = 5_000;
const KEEP_KEYS_MS = 60_000;
const RENEW_MS = 15_000;

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
    Action,
    Receipt,
  ];
  const db = await openDb({ url: databaseUrl, entities, migrations, log });
  const redis = config.REDIS_URL ? connectRedis(config.REDIS_URL, log) : undefined;
  // To addresses that the operator chose, wherever they are; what tenants and providers name goes by `client`.
  const operatorClient = createHttpClient({ egress: createEgressPolicy(['0.0.0.0/0', '::/0']) });
  const secretServices = createSecretServices(config, operatorClient);
  const { wrapper, references } = secretServices;
  const keys = await createDataKeys({ db, clock, log, wrapper });
  const vault = createVault(keys);
  const accesses = createAccessLog(db.doors, log);
  const client = createHttpClient({ egress: createEgressPolicy(config.EGRESS_ALLOW) });
  const observer = createHealthObserver(db.doors, log);
  const catalog = createCatalog(connectors);
  const budgets = createCallBudgets({ db, clock, catalog });
  const gate = createProviderGate({
    client,
    clock,
    log,
    metrics,
    redis,
    baseUrls: config.providerBaseUrls,
    observe: observer.observe,
    findBudgets: budgets.find,
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
  const tokens = createTokenKeeper({ db, clock, log, oauth, apps, refresher, references });
  const opener = await createOpener({ db, clock, vault, accesses, references, tokens, gate });
  const revoker = createRevoker({ db, vault, catalog, oauth, apps, gate, log });
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
  const services: Services = {
    catalog,
    connections: createConnectionService({
      ...verifying,
      keys,
      accesses,
      quotas,
      references,
      tokens,
      refresher,
      authorizer,
      revoker,
    }),
    authorizer,
    oauthApps: apps,
    quotas,
    changes,
    budgets,
    gate,
    signals: createSignalService(db, feed),
    actions: createActionService({ db, clock, metrics, vault, catalog, opener, log }),
    receipts: createReceiptLog(db),
    health: createHealthService(db, clock),
    keys: createKeyKeeper({ db, clock, vault, keys }),
  };
  const receiver = createWebhookReceiver({
    catalog,
    endpoints,
    journal,
    // In the process: it protects this process. What a provider allows us is counted in Redis, by the gate.
    limiter: createLimiter({ name: 'webhook', points: config.WEBHOOK_RATE_PER_SECOND, durationSeconds: 1 }),
    vault,
    environment: config.TRIBUTARY_ENVIRONMENT,
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
    environment: config.TRIBUTARY_ENVIRONMENT,
  });

  const background = createBackground(log);
  background.every(HEALTH_FLUSH_MS, 'health: writing what was seen', () => observer.flush());

  return {
    services,
    http,
    async listen() {
      address = await http.listen({ host: config.HOST, port: config.PORT });
      return address;
    },
    startWorking() {
      background.every(RECOVER_MS, 'actions: recovery', () => services.actions.recover());
      background.every(RENEW_MS, 'oauth: renewing ahead of the end', () => services.connections.renewDue());
      background.every(KEEP_KEYS_MS, 'vault: rotating data keys', () => services.keys.rotateDue());
      background.every(KEEP_KEYS_MS, 'vault: sealing anew', (stop) => services.keys.resealAll(stop));
    },
    async close() {
      await background.stop();
      await graphql.close();
      await http.close();
      await Promise.all([journal.drain(), services.actions.drain(), refresher.drain()]);
      await Promise.all([observer.flush(), accesses.drain()]);
      await Promise.all([opener.close(), keys.close(), endpoints.close(), client.close()]);
      await Promise.all([secretServices.close(), operatorClient.close()]);
      await Promise.all([feed.close(), changes.close()]);
      redis?.disconnect();
      await db.close();
    },
  };
}
