import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { SignalReceivedDocument } from '../schema/generated/operations.js';
import { createMetrics } from '../src/core/metrics.js';
import { type TestApp, useTestApp } from './support/app.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What a metric answers to, and the labels that its series carry. */
interface Series {
  readonly names: readonly string[];
  readonly labels: readonly string[];
}

interface MetricFacts {
  readonly name: string;
  readonly labelNames: readonly string[];
  readonly constructor: { readonly name: string };
}

/** By every name that a query may use: a histogram has three and none of its own. */
async function knownSeries(): Promise<ReadonlyMap<string, Series>> {
  const { registry } = createMetrics(1);
  const known = new Map<string, Series>();
  for (const { name } of registry.getMetricsAsArray()) {
    const { constructor, labelNames } = registry.getSingleMetric(name) as unknown as MetricFacts;
    const isHistogram = constructor.name === 'Histogram';
    const names = isHistogram ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
    const labels = [...labelNames, ...(isHistogram ? ['le'] : [])];
    for (const one of names) known.set(one, { names, labels });
  }
  return known;
}

/** Labels that Prometheus gives by itself. */
const GIVEN = ['job', 'instance'];

/** What is wrong with the names in a query. */
function problemsOf(expression: string, known: ReadonlyMap<string, Series>): string[] {
  const used = [...expression.matchAll(/\b(tributary_\w+)(?:\{([^}]*)\})?/g)];
  const metrics = used.flatMap(([, name = '']) => known.get(name) ?? []);
  const unknown = used.filter(([, name = '']) => !known.has(name)).map(([, name]) => `no metric ${name}`);
  const selected = used.flatMap(([, name = '', selectors = '']) =>
    [...selectors.matchAll(/(\w+)\s*[=!]~?/g)]
      .map(([, label = '']) => label)
      .filter((label) => ![...GIVEN, ...(known.get(name)?.labels ?? [])].includes(label))
      .map((label) => `${name} has no label ${label}`),
  );
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)]
    .flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()))
    .filter((label) => !metrics.every(({ labels }) => [...GIVEN, ...labels].includes(label)))
    .map((label) => `nothing to group by ${label}`);
  return [...unknown, ...selected, ...grouped];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

function alerts(): Rule[] {
  const { groups } = parse(read('deploy/prometheus/alerts.yml')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

function panels(): readonly Panel[] {
  const dashboard = JSON.parse(read('deploy/grafana/tributary.json')) as { panels: Panel[] };
  return dashboard.panels;
}

describe('what is deployed', () => {
  it('names only metrics and labels that exist, in every alert and on every panel', async () => {
    const known = await knownSeries();
    const expressions = [
      ...alerts().map(({ expr }) => expr),
      ...panels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ];
    expect(expressions.length).toBeGreaterThan(40);
    expect(expressions.flatMap((expression) => problemsOf(expression, known))).toEqual([]);
  });

  it('would be caught naming what does not', async () => {
    const known = await knownSeries();
    expect(problemsOf('rate(tributary_gone_total[5m]) > 0', known)).toEqual([
      'no metric tributary_gone_total',
    ]);
    expect(problemsOf('sum by (tenant) (tributary_signals_total{colour="red"})', known)).toEqual([
      'tributary_signals_total has no label colour',
      'nothing to group by tenant',
    ]);
    // A histogram is asked for its buckets, its sum or its count.
    expect(problemsOf('tributary_feed_lag_seconds > 1', known)).toEqual([
      'no metric tributary_feed_lag_seconds',
    ]);
  });

  it('tells for every alert how bad it is and where it is said what to do', () => {
    const page = read('docs/observability.md');
    for (const { alert, labels, annotations } of alerts()) {
      expect(['page', 'ticket'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).not.toBe('');
      expect(annotations.runbook).toBe(`docs/observability.md#${alert.toLowerCase()}`);
      expect(page, alert).toContain(`\n#### ${alert}\n`);
    }
  });

  it('shows each panel once, with a legend for each of its lines', () => {
    const ids = panels().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { targets = [] } of panels())
      for (const { legendFormat } of targets) expect(legendFormat).not.toBe('');
  });
});

async function metricOf({ url }: Pick<TestApp, 'url'>, line: RegExp): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = text
    .split('\n')
    .find((one) => line.test(one))
    ?.split(' ')
    .at(-1);
  return value === undefined ? undefined : Number(value);
}

const OPENED = {
  action: 'opened',
  number: 7,
  pull_request: { id: 7, number: 7, title: 'Water', created_at: '2026-11-01T10:00:00Z', head: { ref: 'b' } },
  repository: { id: 1, full_name: 'acme/waterworks' },
  sender: { id: 1, login: 'ada' },
};

it('counts requests by their route and never by what was typed, and errors by their code', async () => {
  const app = await useTestApp();
  const token = 'tw_somebody_guesses_this';
  const { status } = await fetch(`${app.url}/v1/integrations/webhooks/github/${token}`, { method: 'POST' });
  expect(status).toBe(404);
  await fetch(`${app.url}/nothing/${token}`);
  const caller = await app.caller('acme', 'integrations:write');
  await caller.ask('{ connections { nodes { id } } }');
  await caller.ask('{ nonsense }');
  await (await app.caller()).ask('{ connections { nodes { id } } }');
  await createAnonymous(app);

  const route = '/v1/integrations/webhooks/:providerId/:token';
  expect(
    await metricOf(app, new RegExp(`^tributary_http_requests_total.*"POST",route="${route}",status="404"`)),
  ).toBe(1);
  expect(await metricOf(app, /^tributary_http_requests_total.*route="unknown",status="404"/)).toBe(1);
  expect(await metricOf(app, /^tributary_http_request_duration_seconds_count.*route="\/graphql"/)).toBe(4);
  expect(await metricOf(app, /^tributary_errors_total\{api="http",code="NOT_FOUND"/)).toBe(2);
  expect(await metricOf(app, /^tributary_errors_total\{api="graphql",code="FORBIDDEN"/)).toBe(1);
  expect(await metricOf(app, /^tributary_errors_total\{api="graphql",code="GRAPHQL_VALIDATION_FAILED"/)).toBe(
    1,
  );
  expect(await metricOf(app, /^tributary_errors_total\{api="graphql",code="UNAUTHENTICATED"/)).toBe(1);
  expect(await (await fetch(`${app.url}/metrics`)).text()).not.toContain(token);
});

function createAnonymous({ url }: TestApp): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ quota { plan } }' }),
  });
}

it('measures how late the feed is, and counts what secrets are used for', async () => {
  const app = await useTestApp();
  const caller = await app.caller();
  const hook = await connectGitHub(caller);
  const stream = caller.socket().iterate({ query: subscription() });
  const next = stream.next();
  await vi.waitUntil(async () => (await metricOf(app, /^tributary_feed_subscribers/)) === 1, {
    timeout: 10_000,
  });
  await post(hook.url, await githubDelivery('pull_request', OPENED, hook.secret));
  await next;
  expect(await metricOf(app, /^tributary_feed_lag_seconds_count/)).toBe(1);
  expect(await metricOf(app, /^tributary_feed_lag_seconds_sum/)).toBeLessThan(10);
  expect(
    await metricOf(app, /^tributary_secret_accesses_total\{field="webhook_secret",purpose="webhook"/),
  ).toBe(1);
  await stream.return?.();
});

function subscription(): string {
  return SignalReceivedDocument.loc?.source.body ?? 'subscription { signalReceived { id } }';
}

it('counts by tenant only where that is asked for, and for no more tenants than that', async () => {
  const off = await useTestApp();
  await oneSignalFor(off, 'acme');
  expect(await metricOf(off, /^tributary_tenant_usage_total/)).toBeUndefined();

  const on = await useTestApp({ env: { METRICS_TENANTS: '1' } });
  await oneSignalFor(on, 'acme');
  for (const tenant of ['globex', 'initech']) await oneSignalFor(on, tenant);
  expect(await metricOf(on, /^tributary_tenant_usage_total\{tenant="acme",what="signal"/)).toBe(1);
  expect(await metricOf(on, /^tributary_tenant_usage_total\{tenant="\(others\)",what="signal"/)).toBe(2);
  expect(await metricOf(on, /tenant="globex"/)).toBeUndefined();
});

async function oneSignalFor(app: TestApp, tenant: string): Promise<void> {
  const hook = await connectGitHub(await app.caller(tenant));
  const { status } = await post(hook.url, await githubDelivery('pull_request', OPENED, hook.secret));
  expect(status).toBe(202);
}
