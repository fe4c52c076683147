import { inspect } from 'node:util';
import { pino } from 'pino';
import { type ActionContext, type Credential, ProviderFailure } from '../../src/connector/index.js';
import { createMetrics } from '../../src/core/metrics.js';
import { type HttpRequest, createHttpClient } from '../../src/outbound/client.js';
import { createEgressPolicy } from '../../src/outbound/egress.js';
import { type CallObservation, createProviderGate } from '../../src/outbound/provider.js';
import type { ConformanceSubject, StartedFake } from './subject.js';

/** Not a full second on purpose: providers cut their times to seconds, and a search from `startedAt` must stand that. */
export const NOW = new Date('2026-11-21T12:00:00.750Z');

/** One for all: each set of metrics watches the process by itself. */
const metrics = createMetrics();

const ACTION_ID = '0193a5c0-7d2e-7a10-8f00-5b1e6f2a9c34';

/** A connector on its way to its fake provider, through the real gate, client and egress policy. */
export interface World {
  readonly fake: StartedFake;
  /** What the connector gets, for one action. */
  readonly context: ActionContext;
  /** Everything the gate logged, at every level and without redaction. */
  readonly log: readonly string[];
  readonly calls: readonly CallObservation[];
  effects(): number;
  /** From now on, an effect that is not answered within so many milliseconds is given up. */
  hurry(ms: number): void;
}

/** Runs in a fresh world and takes it down after. */
export async function inWorld(
  subject: ConformanceSubject,
  run: (world: World) => Promise<void>,
  change: (credential: Credential) => Credential = (credential) => credential,
): Promise<void> {
  const clock = { now: () => NOW };
  const fake = await subject.provider.start(clock);
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  let patienceMs = Number.POSITIVE_INFINITY;
  const log: string[] = [];
  const calls: CallObservation[] = [];
  const gate = createProviderGate({
    client: {
      ...client,
      send: (request) =>
        client.send({
          ...request,
          deadlineMs: isEffect(subject, request)
            ? Math.min(request.deadlineMs, patienceMs)
            : request.deadlineMs,
        }),
    },
    clock,
    log: pino({ level: 'trace' }, { write: (line) => void log.push(line) }),
    metrics,
    baseUrls: new Map([[subject.connector.manifest.id, fake.provider.url]]),
    observe: (call) => void calls.push(call),
  });
  const context = gate.contextFor({
    tenantId: 'tenant-1',
    connectionId: 'connection-1',
    connector: subject.connector,
    credential: change(fake.credential),
    settings: subject.provider.settings ?? {},
    correlationId: 'correlation-1',
    operation: 'conformance',
  });
  try {
    await run({
      fake,
      context: { ...context, actionId: ACTION_ID, marker: `<!-- tributary:${ACTION_ID} -->`, startedAt: NOW },
      log,
      calls,
      hurry: (ms) => void (patienceMs = ms),
      effects: () => [...fake.provider.effects.values()].reduce((sum, count) => sum + count, 0),
    });
  } finally {
    await client.close();
    await fake.provider.close();
  }
}

function isEffect({ provider }: ConformanceSubject, { method, url, headers, body }: HttpRequest): boolean {
  if (!provider.isEffect) return method !== 'GET';
  const text = typeof body === 'string' ? body : '';
  const { pathname: path, search } = url;
  const query = Object.fromEntries(url.searchParams);
  return provider.isEffect({ method, path, query, search, headers, text, body: parseJson(text) });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The failure in which this ends. Success, and anything that is not a ProviderFailure, fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw new Error('This must be a ProviderFailure.', { cause: error });
  }
  throw new Error('This must fail.');
}

/** All that a curious reader could get out of a value: hidden fields, causes, stacks and JSON. */
export function everythingIn(value: unknown): string {
  return inspect(value, { depth: 20, showHidden: true, maxStringLength: null }) + JSON.stringify(value);
}
