import { print } from 'graphql';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import {
  ExecuteActionDocument,
  type ExecuteActionMutation,
  ReceiptsDocument,
  SignalReceivedDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { readConfig } from '../src/config.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { scopes } from '../src/core/caller.js';
import { systemClock } from '../src/core/clock.js';
import { type TestCaller, createCaller } from './support/app.js';
import { type Collector, type ExportedSpan, startCollector } from './support/collector.js';
import { useTestDatabase } from './support/database.js';
import { answer } from './support/fake-behavior.js';
import { type FakeGitHub, githubError, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';
import { type Program, type TributaryProcess, buildProgram, useDataDir } from './support/process.js';

// Two starts of a whole program, on machines that have other things to do.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const SOON = { timeout: 40_000, interval: 50 };

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

const ISSUES = 'POST /repos/{owner}/{repo}/issues';
const WEBHOOK = 'POST /v1/integrations/webhooks/:providerId/:token';

interface Story {
  readonly github: FakeGitHub;
  readonly collector: Collector;
  readonly api: TributaryProcess;
  readonly caller: TestCaller;
  /** Another process on the same database, which runs the jobs. */
  startWorker(): Promise<TributaryProcess>;
}

async function story(telemetry: (collector: Collector) => Record<string, string>): Promise<Story> {
  const [collector, github, database, dataDir] = await Promise.all([
    startCollector(),
    startFakeGitHub(systemClock),
    useTestDatabase(),
    useDataDir(),
  ]);
  onTestFinished(() => github.provider.close());
  const env = {
    DATABASE_URL: database.url,
    EGRESS_ALLOW: '127.0.0.0/8',
    TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
    ...telemetry(collector),
  };
  const api = await program.start({ dataDir, env, args: ['--role', 'api'] });
  const claims = { tenantId: 'acme', subject: 'ada', scope: scopes.join(' '), lifetimeSeconds: 3_600 };
  const token = await issueDevelopmentToken(readConfig({ TRIBUTARY_DATA_DIR: dataDir }), claims, systemClock);
  return {
    github,
    collector,
    api,
    caller: createCaller(api.url, token),
    startWorker: () => program.start({ dataDir, env, args: ['--role', 'worker'] }),
  };
}

/** Does what a consumer does with a signal: an action, as a part of the signal's own trace. */
async function act(
  { api, caller }: Story,
  connectionId: string,
  headers: Record<string, string>,
): Promise<ExecuteActionMutation['executeAction']> {
  const input = {
    connectionId,
    idempotencyKey: 'traced-1',
    waitSeconds: 5,
    action: { createIssue: { project: 'octo/demo', title: 'Traced' } },
  };
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${caller.token}`, ...headers },
    body: JSON.stringify({ query: print(ExecuteActionDocument), variables: { input } }),
  });
  const { data, errors } = (await response.json()) as { data: ExecuteActionMutation; errors?: object[] };
  expect(errors).toBeUndefined();
  return data.executeAction;
}

const OPENED = {
  action: 'opened',
  number: 7,
  pull_request: { id: 7, number: 7, title: 'Water', created_at: '2026-11-01T10:00:00Z', head: { ref: 'b' } },
  repository: { id: 1, full_name: 'acme/waterworks' },
  sender: { id: 1, login: 'ada' },
};

it('a webhook, its signal, the action upon it, its retry in another process and its receipt are one trace', async () => {
  const s = await story(({ url }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url }));
  const hook = await connectGitHub(s.caller, 'traced', s.github.token);
  await s.caller.get(VerifyDocument, { connectionId: hook.connectionId });
  const stream = s.caller.socket().iterate({ query: print(SignalReceivedDocument), variables: {} });
  onTestFinished(async () => void (await stream.return?.()));
  const next = stream.next();
  await vi.waitUntil(() => isSubscribed(s.api), SOON);
  await post(hook.url, await githubDelivery('pull_request', OPENED, hook.secret, 'delivery-7'));
  const { traceId, spanId } = ((await next).value as { data: { signalReceived: Ids } }).data.signalReceived;

  // GitHub wants a pause, so that the worker has to do it.
  s.github.provider.next(
    ISSUES,
    answer({ ...githubError(429, 'Slow down'), headers: { 'retry-after': '1' } }),
  );
  const asked = await act(s, hook.connectionId, {
    traceparent: `00-${traceId}-${spanId}-01`,
    'x-correlation-id': 'decision-7',
  });
  expect(asked).toMatchObject({ status: 'RETRYING', correlationId: 'decision-7' });
  const worker = await s.startWorker();
  const receipts = await vi.waitUntil(() => receiptsOf(s, 'decision-7'), SOON);
  const exits = await Promise.all([s.api.stop(), worker.stop()]);
  expect(exits.map(({ messages }) => messages)).toEqual([[], []]);

  expect(receipts).toMatchObject([{ outcome: 'SUCCESS', traceId, correlationId: 'decision-7' }]);
  const ofTrace = s.collector.spans.filter((span) => span.traceId === traceId);
  expect(toTree(ofTrace)).toEqual([
    `api ${WEBHOOK}`,
    '  api feed deliver',
    '  api journal append',
    '  api POST /graphql',
    '    api action createIssue',
    '      api action settle',
    `      api ${ISSUES} failed`,
    '    worker action createIssue',
    '      worker action settle',
    `      worker ${ISSUES}`,
  ]);
  // The span of the retry says which run of which job it was in.
  const retried = ofTrace.find(({ name, role }) => name === 'action createIssue' && role === 'worker');
  expect(retried?.links).toHaveLength(1);
  expect(
    s.collector.spans.filter(({ name }) => name === 'job retry-action').map((span) => span.traceId),
  ).toContain(retried?.links[0]);

  // What GitHub got: the trace, under the span of the very request, and the caller's id.
  const requests = s.github.provider.requests.filter(
    ({ method, path }) => method === 'POST' && path.endsWith('/issues'),
  );
  expect(requests.map(({ headers }) => headers['x-correlation-id'])).toEqual(['decision-7', 'decision-7']);
  const calls = ofTrace.filter(({ kind }) => kind === 3).map((span) => `00-${traceId}-${span.spanId}-01`);
  expect(requests.map(({ headers }) => headers['traceparent'])).toEqual(calls);

  // Lines of the log in both processes.
  for (const { stderr } of exits) {
    expect(linesOf(stderr).filter(({ msg }) => msg === 'provider call')).toContainEqual(
      expect.objectContaining({
        trace_id: traceId,
        correlationId: 'decision-7',
        path: '/repos/{owner}/{repo}/issues',
      }),
    );
  }
  const token = hook.url.split('/').at(-1)!;
  for (const secret of [s.github.token, hook.secret, token, s.caller.token]) {
    expect(s.collector.bodies.join('')).not.toContain(secret);
  }
});

it('without an endpoint nothing is exported or sent on, and the correlation id still is', async () => {
  const s = await story(() => ({}));
  const hook = await connectGitHub(s.caller, 'untraced', s.github.token);
  await s.caller.get(VerifyDocument, { connectionId: hook.connectionId });
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await act(s, hook.connectionId, { traceparent, 'x-correlation-id': 'decision-8' });
  const { stderr } = await s.api.stop();
  expect(s.collector.bodies).toEqual([]);
  const { headers } = s.github.provider.requests.at(-1)!;
  expect(headers['x-correlation-id']).toBe('decision-8');
  expect(headers).not.toHaveProperty('traceparent');
  expect(stderr).not.toContain('trace_id');
});

interface Ids {
  readonly traceId: string;
  readonly spanId: string;
}

async function isSubscribed({ url }: TributaryProcess): Promise<boolean> {
  return /^tributary_feed_subscribers 1$/m.test(await (await fetch(`${url}/metrics`)).text());
}

async function receiptsOf({ caller }: Story, correlationId: string) {
  const { receipts } = await caller.get(ReceiptsDocument, { filter: { correlationId } });
  return receipts.nodes.length > 0 && receipts.nodes;
}

function linesOf(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Each under the span that its parent's id names, roots being those whose parent was not exported. */
function toTree(spans: readonly ExportedSpan[]): string[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | undefined, depth: string): string[] =>
    spans
      .filter(({ parentSpanId }) =>
        parent === undefined ? !known.has(parentSpanId) : parentSpanId === parent,
      )
      .toSorted((one, other) => `${one.role} ${one.name}`.localeCompare(`${other.role} ${other.name}`))
      .flatMap(({ role, name, status, spanId }) => [
        `${depth}${role} ${name}${status === 2 ? ' failed' : ''}`,
        ...below(spanId, `${depth}  `),
      ]);
  return below(undefined, '');
}
