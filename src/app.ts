import type { FastifyInstance } from 'fastify';
import { attachGraphQL } from '../resolvers/server.js';
import { Action } from './action/action.entity.js';
import { createActionService } from './action/action.service.js';
import type { Config } from './config.js';
import { createCatalog } from './connection/catalog.js';
import { Connection, CredentialRecord, WebhookEndpoint } from './connection/connection.entity.js';
import { createConnectionService } from './connection/connection.service.js';
import { createOpener } from './connection/open.js';
import type { Connector } from './connector/index.js';
import { createAuthenticator } from './core/auth.js';
import { type Clock, systemClock } from './core/clock.js';
import { openDb } from './core/db.js';
import { type Log, createLog } from './core/log.js';
import { createMetrics } from './core/metrics.js';
import { connectRedis } from './core/redis.js';
import { createVault, readMasterKey } from './credential/vault.js';
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

/** The composition root: every service is built here and nowhere else. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, databaseUrl, connectors, clock = systemClock } = options;
  const log = options.log ?? createLog(config.LOG_LEVEL);
  const metrics = createMetrics();
  const entities = [Connection, CredentialRecord, WebhookEndpoint, Signal, Action, Receipt];
  const db = await openDb({ url: databaseUrl, entities, migrations, log });
  const redis = config.REDIS_URL ? connectRedis(config.REDIS_URL, log) : undefined;
  const vault = createVault(readMasterKey(config));
  const client = createHttpClient({ egress: createEgressPolicy(config.EGRESS_ALLOW) });
  const observer = createHealthObserver(db.doors, log);
  const gate = createProviderGate({
    client,
    clock,
    log,
    metrics,
    redis,
    baseUrls: config.providerBaseUrls,
    observe: observer.observe,
  });

  let address = '';
  const publicUrl = (): string => config.PUBLIC_URL ?? address;
  const catalog = createCatalog(connectors);
  const open = createOpener({ db, vault, gate });
  const journal = createJournal({ pool: db.doors, log, metrics });
  const feed = await createFeed({ db, log, metrics });
  const endpoints = await createEndpoints(db, vault);
  const services: Services = {
    catalog,
    connections: createConnectionService({ db, clock, vault, catalog, open, publicUrl }),
    signals: createSignalService(db, feed),
    actions: createActionService({ db, clock, metrics, vault, catalog, open, log }),
    receipts: createReceiptLog(db),
    health: createHealthService(db, clock),
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

  const timers = [setInterval(() => void observer.flush(), HEALTH_FLUSH_MS)];
  async function recover(): Promise<void> {
    await services.actions
      .recover()
      .catch((error: unknown) => log.error({ err: error }, 'actions: recovery broke off'));
  }

  return {
    services,
    http,
    async listen() {
      address = await http.listen({ host: config.HOST, port: config.PORT });
      return address;
    },
    startWorking() {
      void recover();
      timers.push(setInterval(() => void recover(), RECOVER_MS));
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await graphql.close();
      await http.close();
      await Promise.all([journal.drain(), services.actions.drain()]);
      await observer.flush();
      await Promise.all([feed.close(), endpoints.close(), client.close()]);
      redis?.disconnect();
      await db.close();
    },
  };
}
