import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Every metric there is, with its labels. No label carries a connection or anything else without a small bound; a
 * tenant is one in a single metric, where the operator asks for it, and then of the first so many alone.
 */
export function createMetrics(tenants = 0) {
  const registry = new Registry();
  const registers = [registry];
  // Milliseconds between looks at the event loop's delay: by default it would be woken a hundred times a second for that.
  collectDefaultMetrics({ register: registry, prefix: 'tributary_', eventLoopMonitoringPrecision: 50 });
  return {
    registry,
    requests: new Counter({
      name: 'tributary_http_requests_total',
      help: 'HTTP requests of every kind, by method, route and answered status. GraphQL answers 200 with errors inside: see tributary_errors_total.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'tributary_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer, by method and route.',
      labelNames: ['method', 'route'],
      buckets: seconds,
      registers,
    }),
    graphqlCost: new Counter({
      name: 'tributary_graphql_cost_total',
      help: 'What GraphQL operations cost, as GRAPHQL_MAX_COST counts, by kind: query, mutation or subscription.',
      labelNames: ['operation'],
      registers,
    }),
    entityEvents: new Counter({
      name: 'tributary_entity_events_total',
      help: 'Keys of entities published at ENTITY_EVENTS_REDIS_URL, by feed: signals, changes or health. One that was published again counts again.',
      labelNames: ['feed'],
      registers,
    }),
    errors: new Counter({
      name: 'tributary_errors_total',
      help: 'Errors that callers were answered, by code (docs/errors.md) and by the way they asked: http or graphql.',
      labelNames: ['api', 'code'],
      registers,
    }),
    webhooks: new Counter({
      name: 'tributary_webhooks_total',
      help: 'Webhook requests, by provider and answered HTTP status.',
      labelNames: ['provider', 'status'],
      registers,
    }),
    webhookSeconds: new Histogram({
      name: 'tributary_webhook_duration_seconds',
      help: 'From the first byte of a webhook request to its answer, after commit.',
      labelNames: ['provider'],
      buckets: seconds,
      registers,
    }),
    signals: new Counter({
      name: 'tributary_signals_total',
      help: 'Signals of committed deliveries, by provider. One that came another way before counts again.',
      labelNames: ['provider'],
      registers,
    }),
    duplicates: new Counter({
      name: 'tributary_duplicate_deliveries_total',
      help: 'Deliveries that were in the journal already.',
      labelNames: ['provider'],
      registers,
    }),
    unroutedDeliveries: new Counter({
      name: 'tributary_unrouted_deliveries_total',
      help: 'Deliveries to the address of an app, about an account that no connection here is of.',
      labelNames: ['provider'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'tributary_dead_letters_total',
      help: 'Deliveries stored without signals because normalising them failed.',
      labelNames: ['provider'],
      registers,
    }),
    redrives: new Counter({
      name: 'tributary_redrives_total',
      help: 'Dead letters that were tried again, by provider, kind and what came of it.',
      labelNames: ['provider', 'kind', 'outcome'],
      registers,
    }),
    receiptsSequenced: new Counter({
      name: 'tributary_receipts_sequenced_total',
      help: 'Receipts that got their place in their tenant’s log.',
      registers,
    }),
    journalQueue: new Gauge({
      name: 'tributary_journal_queue_entries',
      help: 'Entries that wait for the flush in flight.',
      registers,
    }),
    journalBatch: new Histogram({
      name: 'tributary_journal_flush_entries',
      help: 'Entries committed together in one flush.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    subscribers: new Gauge({
      name: 'tributary_feed_subscribers',
      help: 'Open signal subscriptions in this process.',
      registers,
    }),
    feedLag: new Histogram({
      name: 'tributary_feed_lag_seconds',
      help: 'From the time a signal came in to when this process read it for its subscribers; live ones only.',
      buckets: seconds,
      registers,
    }),
    providerCalls: new Counter({
      name: 'tributary_provider_calls_total',
      help: 'Calls to providers, by outcome: ok or a failure category.',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    providerSeconds: new Histogram({
      name: 'tributary_provider_call_duration_seconds',
      help: 'Duration of calls to providers.',
      labelNames: ['provider'],
      buckets: seconds,
      registers,
    }),
    providerRetries: new Counter({
      name: 'tributary_provider_retries_total',
      help: 'Requests sent once more within the same call, by the failure category before.',
      labelNames: ['provider', 'category'],
      registers,
    }),
    providerRefusals: new Counter({
      name: 'tributary_provider_refusals_total',
      help: 'Calls that were not made, by the guard of ours that refused them: limit, pause, budget, circuit, bulkhead or address.',
      labelNames: ['provider', 'guard'],
      registers,
    }),
    callsLeftOut: new Counter({
      name: 'tributary_provider_calls_left_out_total',
      help: 'Calls that the integration log lacks, because too many waited for the database or it refused the row.',
      registers,
    }),
    circuits: new Counter({
      name: 'tributary_circuit_changes_total',
      help: 'Circuits of connections that opened, tried again (HALF_OPEN) or closed.',
      labelNames: ['provider', 'state'],
      registers,
    }),
    healthChanges: new Counter({
      name: 'tributary_health_changes_total',
      help: 'Connections whose health became another: HEALTHY, DEGRADED, UNHEALTHY or UNKNOWN.',
      labelNames: ['provider', 'status'],
      registers,
    }),
    incidents: new Counter({
      name: 'tributary_incidents_total',
      help: 'Incidents that were opened (OPEN) or are over (RESOLVED), by kind; without a provider: of the whole tenant.',
      labelNames: ['provider', 'kind', 'state'],
      registers,
    }),
    incidentDeliveries: new Counter({
      name: 'tributary_incident_deliveries_total',
      help: 'Attempts to tell a sink of an incident: delivered, failed (tried again later) or given_up.',
      labelNames: ['outcome'],
      registers,
    }),
    witnessDeliveries: new Counter({
      name: 'tributary_receipt_witness_deliveries_total',
      help: 'Attempts to show a checkpoint of a receipts’ log to a witness (TENANT or OPERATOR): taken, failed (tried again later) or conflict, which means that the log was rolled back or changed.',
      labelNames: ['witness', 'outcome'],
      registers,
    }),
    jobs: new Counter({
      name: 'tributary_job_runs_total',
      help: 'Runs of background jobs, by what became of them: see docs/jobs.md.',
      labelNames: ['job', 'outcome'],
      registers,
    }),
    jobSeconds: new Histogram({
      name: 'tributary_job_duration_seconds',
      help: 'How long runs of background jobs took.',
      labelNames: ['job'],
      buckets: [...seconds, 30, 60, 300],
      registers,
    }),
    jobLag: new Histogram({
      name: 'tributary_job_lag_seconds',
      help: 'From the time a run of a background job was due to its start.',
      labelNames: ['job'],
      buckets: seconds,
      registers,
    }),
    refreshes: new Counter({
      name: 'tributary_credential_refreshes_total',
      help: 'Attempts to renew an access token: renewed, failed (tried again later), refused or lost (authorize again).',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    secretAccesses: new Counter({
      name: 'tributary_secret_accesses_total',
      help: 'Uses of a secret in clear, by which and what for. Each is a row of secretAccesses, too.',
      labelNames: ['field', 'purpose'],
      registers,
    }),
    polls: new Counter({
      name: 'tributary_polls_total',
      help: 'Polls of streams, by what they came to: found, idle, cut (the rest at once), failed, or lost (taken over or put to rest).',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    pollGaps: new Counter({
      name: 'tributary_poll_gaps_total',
      help: 'Signals that a poll found and no webhook told of within five minutes, where both are on.',
      labelNames: ['provider'],
      registers,
    }),
    actions: new Counter({
      name: 'tributary_actions_settled_total',
      help: 'Actions settled, by provider, verb and final status.',
      labelNames: ['provider', 'verb', 'status'],
      registers,
    }),
    countTenant: createTenantCounter(tenants, registers),
  };
}

/** What a tenant uses. */
type Usage = 'signal' | 'provider_call' | 'action';

/**
 * Counts by tenant, for so many tenants: the first that this process meets get a label of their own, all others share
 * `(others)`. None: nothing is counted and there is no such metric.
 */
function createTenantCounter(
  tenants: number,
  registers: Registry[],
): (tenantId: string, what: Usage, count?: number) => void {
  if (tenants === 0) return () => {};
  const named = new Set<string>();
  const counter = new Counter({
    name: 'tributary_tenant_usage_total',
    help: 'What tenants use: signals, calls to providers, actions. Only with METRICS_TENANTS.',
    labelNames: ['tenant', 'what'],
    registers,
  });
  return (tenantId, what, count = 1) => {
    if (named.size < tenants) named.add(tenantId);
    counter.inc({ tenant: named.has(tenantId) ? tenantId : '(others)', what }, count);
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
