import { randomUUID } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ReplaySignalsDocument,
  SignalsDocument,
  SuspendDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, startTestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';

let app: TestApp;
let github: FakeGitHub;
beforeAll(async () => {
  github = await startFakeGitHub(createTestClock());
  app = await startTestApp({ env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
});
afterAll(async () => {
  await app.close();
  await github.provider.close();
});

const EXECUTE = '/internal/integrations/actions/execute';
const NORMALISED = '/internal/integrations/events/normalised';

async function send({ token }: Pick<TestCaller, 'token'>, path: string, body: unknown, { url } = app) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

interface Tenant {
  readonly id: string;
  readonly caller: TestCaller;
  readonly connectionId: string;
}

async function newTenant(): Promise<Tenant> {
  const id = `tenant-${randomUUID()}`;
  const caller = await app.caller(id);
  const { connectionId } = await connectGitHub(caller, undefined, github.token);
  await caller.get(VerifyDocument, { connectionId });
  return { id, caller, connectionId };
}

const codeOf = ({ status, body }: Awaited<ReturnType<typeof send>>) => [
  status,
  (body['error'] as { code?: string } | undefined)?.code,
];

describe('an action over REST', () => {
  const actionFor = ({ connectionId }: Tenant, more: object = {}) => ({
    action_id: randomUUID(),
    connection_id: connectionId,
    canonical_type: 'create_issue',
    target: { project: 'octo/demo' },
    payload: { title: 'From a decision', labels: ['bug'] },
    idempotency_key: randomUUID(),
    correlation_id: 'decision-7',
    ...more,
  });

  it('is done once for its key, by the rules of executeAction', async () => {
    const tenant = await newTenant();
    const action = actionFor(tenant);
    const before = github.provider.effects.get('issue') ?? 0;
    const done = await send(tenant.caller, EXECUTE, action);
    expect(done).toMatchObject({
      status: 200,
      body: {
        action: {
          connection_id: tenant.connectionId,
          canonical_type: 'create_issue',
          status: 'SUCCEEDED',
          idempotency_key: action.idempotency_key,
          correlation_id: 'decision-7',
          result: { external_id: expect.any(String), url: expect.stringContaining('/issues/') },
          failure: null,
        },
      },
    });
    expect(await send(tenant.caller, EXECUTE, action)).toEqual(done);
    expect((github.provider.effects.get('issue') ?? 0) - before).toBe(1);
    const other = { ...action, payload: { title: 'Another' } };
    expect(codeOf(await send(tenant.caller, EXECUTE, other))).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  });

  it('has its own id for a key where it brings none', async () => {
    const tenant = await newTenant();
    const { idempotency_key: _, ...action } = actionFor(tenant);
    const done = await send(tenant.caller, EXECUTE, action);
    expect(done.body).toMatchObject({ action: { idempotency_key: action.action_id, status: 'SUCCEEDED' } });
  });

  it('tells what the provider refused as data, and what waits by 202', async () => {
    const tenant = await newTenant();
    const refused = actionFor(tenant, { target: { project: 'octo/nowhere' } });
    expect(await send(tenant.caller, EXECUTE, refused)).toMatchObject({
      status: 200,
      body: { action: { status: 'FAILED', failure: { category: 'NOT_FOUND', provider_status: 404 } } },
    });
    const impatient = await send(tenant.caller, EXECUTE, actionFor(tenant, { wait_seconds: 0 }));
    expect(impatient).toMatchObject({
      status: 202,
      body: { action: { status: 'RUNNING', settled_at: null } },
    });
  });

  it.each<[string, object, [number, string]]>([
    ['an unknown type', { canonical_type: 'createIssue' }, [400, 'INVALID_INPUT']],
    ['an unknown field', { color: 1 }, [400, 'INVALID_INPUT']],
    ['a field in both places', { payload: { title: 'x', project: 'octo/demo' } }, [400, 'INVALID_INPUT']],
    ['a field that the type lacks', { payload: { title: 'x', shape: 1 } }, [400, 'INVALID_INPUT']],
    ['no key at all', { idempotency_key: undefined, action_id: undefined }, [400, 'INVALID_INPUT']],
    ['an unknown connection', { connection_id: randomUUID() }, [404, 'NOT_FOUND']],
  ])('refuses %s', async (_, wrong, code) => {
    const tenant = await newTenant();
    expect(codeOf(await send(tenant.caller, EXECUTE, actionFor(tenant, wrong)))).toEqual(code);
  });

  it('needs its scope, and is nobody else’s', async () => {
    const tenant = await newTenant();
    const writer = await app.caller(tenant.id, 'integrations:read integrations:write');
    expect(codeOf(await send(writer, EXECUTE, actionFor(tenant)))).toEqual([403, 'FORBIDDEN']);
    const { caller: stranger } = await newTenant();
    expect(codeOf(await send(stranger, EXECUTE, actionFor(tenant)))).toEqual([404, 'NOT_FOUND']);
  });
});

const isEnvelope = (() => {
  const ajv = new Ajv2020();
  addFormats.default(ajv);
  const text = readFileSync(new URL('../schema/signal-envelope.schema.json', import.meta.url), 'utf8');
  return ajv.compile(JSON.parse(text) as object);
})();

function eventFor({ connectionId }: Tenant, more: object = {}) {
  return {
    producer_id: connectionId,
    signal_kind: 'event',
    signal_type: 'incident_opened',
    occurred_at: '2026-11-01T10:00:00.000Z',
    correlation_id: `inc-${randomUUID()}`,
    resource: { service: 'checkout' },
    payload: {
      severity: 'high',
      provider_metadata: {
        provider_id: 'github',
        connection_id: connectionId,
        event_type: 'incident',
        delivery_id: 'd-1',
      },
      canonical_keys: { incident_id: '7' },
    },
    evidence: [{ type: 'incident', url: 'https://status.example.com/7', title: 'Incident 7' }],
    correlation_hints: [{ type: 'resource_id', value: 'checkout', confidence: 0.9 }],
    schema_version: '1.0.0',
    ...more,
  };
}

describe('an event of an adapter', () => {
  it('keeps the trace that the adapter says it comes from', async () => {
    const tenant = await newTenant();
    const trace = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331' };
    const { body } = await send(tenant.caller, NORMALISED, eventFor(tenant, trace));
    const { signals } = body as unknown as { signals: string[] };
    const rows = await app.database.query('select trace_id, span_id from signals where id = $1', [
      signals[0],
    ]);
    expect(rows).toEqual([trace]);
    const wrong = eventFor(tenant, { ...trace, span_id: 'none' });
    expect(codeOf(await send(tenant.caller, NORMALISED, wrong))).toEqual([400, 'INVALID_INPUT']);
  });

  it('is in the journal once, by one id, and reads like any signal', async () => {
    const tenant = await newTenant();
    const event = eventFor(tenant);
    const first = await send(tenant.caller, NORMALISED, event);
    expect(first).toMatchObject({ status: 202, body: { delivery_id: expect.any(String) } });
    const { signals } = first.body as unknown as { signals: string[] };
    expect(signals).toHaveLength(1);
    expect(await send(tenant.caller, NORMALISED, event)).toEqual({ status: 200, body: first.body });
    // What the journal gives may be said, where it is so.
    const whole = { ...event, signal_id: signals[0], tenant_id: tenant.id, environment: 'dev' };
    expect(await send(tenant.caller, NORMALISED, whole)).toEqual({ status: 200, body: first.body });

    const page = await tenant.caller.get(SignalsDocument, { first: 10 });
    expect(page.signals.nodes.map(({ id, type }) => [id, type])).toEqual([[signals[0], 'incident_opened']]);
    const [row] = await app.database.query<{ content: Record<string, object> }>(
      'select content, kind, correlation_id, occurred_at from signals where id = $1',
      [signals[0]],
    );
    expect(row).toMatchObject({
      kind: 'event',
      correlation_id: event.correlation_id,
      occurred_at: new Date(event.occurred_at),
      content: {
        resource: event.resource,
        payload: event.payload,
        evidence: event.evidence,
        correlation_hints: event.correlation_hints,
      },
    });
    const [delivery] = await app.database.query(
      'select via, body is not null as "hasBody" from deliveries where id = $1',
      [first.body['delivery_id']],
    );
    expect(delivery).toEqual({ via: 'ADAPTER', hasBody: true });
    // Another type or another id is another signal; so is the same of another tenant.
    const closed = { ...event, signal_type: 'incident_resolved' };
    expect((await send(tenant.caller, NORMALISED, closed)).status).toBe(202);
    const other = await newTenant();
    const theirs = await send(
      other.caller,
      NORMALISED,
      eventFor(other, { correlation_id: event.correlation_id }),
    );
    expect(theirs.body['signals']).not.toEqual(signals);
  });

  it('has the rate that its connection’s webhooks have', async () => {
    const limited = await useTestApp({ env: { WEBHOOK_RATE_PER_SECOND: '2' } });
    const caller = await limited.caller();
    const [noisy, quiet] = [await connectGitHub(caller), await connectGitHub(caller)];
    const tell = ({ connectionId }: { readonly connectionId: string }) =>
      send(caller, NORMALISED, eventFor({ id: 'acme', caller, connectionId }), limited);
    const answers = await Promise.all(Array.from({ length: 20 }, () => tell(noisy)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused[0]).toMatchObject({
      body: { error: { code: 'RATE_LIMITED', details: { retry_after_seconds: 1 } } },
    });
    expect((await tell(quiet)).status).toBe(202);
    const [stored] = await limited.database.query('select count(*)::int as n from deliveries');
    expect(stored).toEqual({ n: answers.length - refused.length + 1 });
  });

  it('is what it was when it is normalised again', async () => {
    const tenant = await newTenant();
    await send(tenant.caller, NORMALISED, eventFor(tenant));
    const { replaySignals } = await tenant.caller.get(ReplaySignalsDocument, {
      input: {
        connectionId: tenant.connectionId,
        from: new Date(Date.now() - 60_000).toISOString(),
        to: new Date(Date.now() + 60_000).toISOString(),
      },
    });
    expect(replaySignals).toMatchObject({ deliveries: 1, changes: [], failures: [] });
  });

  it.each<[string, (tenant: Tenant) => object]>([
    ['another type than there is', () => ({ signal_type: 'weather_changed' })],
    ['a time that is none', () => ({ occurred_at: 'yesterday' })],
    ['a second that was none', () => ({ occurred_at: '2026-06-30T12:59:60Z' })],
    ['no id of what happened', () => ({ correlation_id: undefined })],
    ['a field that nobody knows', () => ({ color: 1 })],
    ['another schema', () => ({ schema_version: '2.0.0' })],
    ['another tenant’s name', () => ({ tenant_id: 'somebody-else' })],
    ['another environment', () => ({ environment: 'prod' })],
    ['an id of its own making', () => ({ signal_id: randomUUID() })],
    [
      'another connection in what it says of the provider',
      (tenant) => ({
        payload: {
          ...eventFor(tenant).payload,
          provider_metadata: { ...eventFor(tenant).payload.provider_metadata, connection_id: randomUUID() },
        },
      }),
    ],
    ['a payload without keys', () => ({ payload: { severity: 'high' } })],
  ])('is refused with %s', async (_, wrong) => {
    const tenant = await newTenant();
    expect(codeOf(await send(tenant.caller, NORMALISED, eventFor(tenant, wrong(tenant))))).toEqual([
      400,
      'INVALID_INPUT',
    ]);
    expect((await tenant.caller.get(SignalsDocument, { first: 1 })).signals.nodes).toEqual([]);
  });

  it('is refused when it is nested too deep to be read', async () => {
    const tenant = await newTenant();
    const deep = Array.from({ length: 200 }).reduce<object>((inner) => ({ inner }), {});
    const payload = { ...eventFor(tenant).payload, deep };
    expect(codeOf(await send(tenant.caller, NORMALISED, eventFor(tenant, { payload })))).toEqual([
      400,
      'INVALID_INPUT',
    ]);
  });

  it('needs its scope, a connection of the tenant’s, and one that takes signals', async () => {
    const tenant = await newTenant();
    const reader = await app.caller(tenant.id, 'integrations:read integrations:execute');
    expect(codeOf(await send(reader, NORMALISED, eventFor(tenant)))).toEqual([403, 'FORBIDDEN']);
    const { caller: stranger } = await newTenant();
    expect(codeOf(await send(stranger, NORMALISED, eventFor(tenant)))).toEqual([404, 'NOT_FOUND']);
    expect(codeOf(await send(tenant.caller, NORMALISED, []))).toEqual([400, 'MALFORMED_REQUEST']);
    await tenant.caller.get(SuspendDocument, { connectionId: tenant.connectionId });
    expect(codeOf(await send(tenant.caller, NORMALISED, eventFor(tenant)))).toEqual([
      409,
      'CONNECTION_NOT_READY',
    ]);
  });

  it('is made as the published schema says', async () => {
    const tenant = await newTenant();
    const event = eventFor(tenant);
    const known = {
      signal_id: randomUUID(),
      tenant_id: tenant.id,
      environment: 'dev',
      ingested_at: event.occurred_at,
    };
    expect(isEnvelope({ ...event, ...known, sequence_no: '12', revision: 1 })).toBe(true);
    expect(isEnvelope({ ...event, ...known, sequence_no: '12', revision: -1 })).toBe(false);
    expect(isEnvelope(event)).toBe(false);
  });
});
