import type { Redis } from 'ioredis';
import {
  ProviderFailure,
  type ProviderContext,
  type ProviderRequest,
  type ProviderResponse,
  apiUrlOf,
} from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { traceIds } from '../core/trace.js';
import { type RateLimitState, createAdmission } from './admission.js';
import { type Circuit, type CircuitChange, type Pass, createBreaker } from './breaker.js';
import type { FindBudgets } from './budget.js';
import { BulkheadFull, createBulkhead } from './bulkhead.js';
import { type CallTally, type FinishedCall, startTally, toFinishedCall } from './call.js';
import type { HttpClient } from './client.js';
import { exchange } from './exchange.js';
import { isGivenUp } from './failure.js';
import { isSentOnce, urlOf } from './message.js';
import { Refusal } from './refusal.js';
import { sendWithRetries } from './retry.js';
import { createShared, createSharedRecords } from './shared.js';
import { type ConnectionRef, type Lane, type ProviderTarget, nameOf } from './target.js';

export type { RateLimitState } from './admission.js';
export type { Circuit, CircuitChange } from './breaker.js';
export type { ConnectionRef, ProviderTarget } from './target.js';

/** One finished call to a provider, for health, metrics and the log. Never a body, never a secret. */
export interface CallObservation {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
  readonly method: string;
  /** The path's template. */
  readonly path: string;
  readonly at: Date;
  readonly durationMs: number;
  readonly lane: Lane;
  readonly failure?: ProviderFailure;
}

export interface ProviderGateDeps {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly baseUrls: ReadonlyMap<string, string>;
  readonly redis?: Redis | undefined;
  /** Told of every finished call. */
  readonly observe: (call: CallObservation) => void;
  /** Told of every call of a connector's, all tries together, once it is over or was refused. */
  readonly onCall?: (call: FinishedCall) => void;
  /** What the tenant allows itself. Left out: no budgets. */
  readonly findBudgets?: FindBudgets;
  /** Told when a circuit opens, tries or closes, by the one process that brought it about. */
  readonly onCircuit?: (change: CircuitChange) => void;
  /** Told of every call that a guard of ours refused. */
  readonly onRefusal?: (target: ProviderTarget, refusal: Refusal) => void;
  /** From 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

export interface ProviderGate {
  /** What a connector gets to work with: the one signed, limited, observed way to its provider. */
  contextFor(target: ProviderTarget): ProviderContext;
  rateLimit(ref: ConnectionRef): Promise<RateLimitState>;
  circuit(ref: ConnectionRef): Promise<Circuit>;
}

/** All tries of one request together, the waits between them included. */
const DEADLINE_MS = 10_000;
const LONGEST_MS = 15 * 60_000;
/** As many as the client keeps connections to one origin. */
const PER_PROVIDER = { slots: 32, queue: 256, waitMs: 2_000 };
/** So that one connection's hanging calls leave slots to the provider's others. */
const PER_CONNECTION = { slots: 8, queue: 128, waitMs: 2_000 };

/** What came of a request; of a stream, why it broke off or was left, once it is over. */
interface Answered {
  readonly response: ProviderResponse;
  readonly over?: Promise<ProviderFailure | undefined>;
}

export function createProviderGate(deps: ProviderGateDeps): ProviderGate {
  const { clock, metrics, log } = deps;
  const shared = createShared(deps);
  const records = createSharedRecords(shared, clock);
  const { findBudgets = () => Promise.resolve([]), random = Math.random } = deps;
  const admission = createAdmission({ shared, records, clock, findBudgets });
  const breaker = createBreaker({ records, clock, onChange: tellCircuit });
  const [perConnection, perProvider] = [createBulkhead(PER_CONNECTION), createBulkhead(PER_PROVIDER)];

  function tellCircuit(change: CircuitChange): void {
    metrics.circuits.inc({ provider: change.providerId, state: change.state });
    log.warn(change, 'circuit of a connection');
    deps.onCircuit?.(change);
  }

  async function inSlot<T>(target: ProviderTarget, work: () => Promise<T>): Promise<T> {
    const { connector, lane = 'interactive' } = target;
    try {
      return await perConnection.run(nameOf(target), lane, () =>
        perProvider.run(connector.manifest.id, lane, work),
      );
    } catch (error) {
      throw error instanceof BulkheadFull ? refuseFull(clock.now()) : error;
    }
  }

  /** One try, from its place in the queue to what was learned of its answer: of a stream, when that has ended. */
  function attempt(tally: CallTally, url: URL, giveUpAt: number): Promise<Answered> {
    const { target, request } = tally;
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const whole = inSlot(target, async () => {
      const tell = target.mustGo
        ? untold
        : await admission.admit(target, target.lane ?? 'interactive', request.method);
      const startedAt = performance.now();
      const deadlineMs = Math.max(1, Math.round(giveUpAt - startedAt));
      tally.attempts += 1;
      const { headers, result, ended } = await exchange(deps, target, url, request, deadlineMs);
      tally.headers = headers ?? {};
      const isOpen = ended !== undefined && !(result instanceof ProviderFailure);
      if (isOpen) {
        resolve({ response: result, over: ended });
        // What the headers say of limits, they say of now, not of when the last byte is read.
        await tell({ headers: headers ?? {} });
      }
      const failure = isOpen
        ? failureIn(await ended)
        : result instanceof ProviderFailure
          ? result
          : undefined;
      const durationMs = performance.now() - startedAt;
      record(target, request, durationMs, failure);
      const told = { durationMs, ...(failure && { failure }) };
      await tell(isOpen || !headers ? told : { ...told, headers });
      if (result instanceof ProviderFailure) throw result;
      return { response: result };
    });
    whole.then(resolve, reject);
    return promise;
  }

  function record(
    target: ProviderTarget,
    { method, path }: ProviderRequest,
    durationMs: number,
    failure?: ProviderFailure,
  ): void {
    const { tenantId, connectionId, connector, correlationId } = target;
    const providerId = connector.manifest.id;
    const call = { tenantId, connectionId, providerId, method, path, at: clock.now(), durationMs };
    metrics.providerCalls.inc({ provider: providerId, outcome: failure?.details.category ?? 'ok' });
    metrics.countTenant(tenantId, 'provider_call');
    metrics.providerSeconds.observe({ provider: providerId }, durationMs / 1000);
    log.info({ ...call, correlationId, outcome: failure?.details.code ?? 'ok' }, 'provider call');
    deps.observe({ ...call, lane: target.lane ?? 'interactive', ...(failure && { failure }) });
  }

  /** A refused call is none: it says nothing about the provider, so health does not hear of it. */
  function recordRefusal(target: ProviderTarget, { method, path }: ProviderRequest, refusal: Refusal): void {
    const { tenantId, connectionId, connector, correlationId } = target;
    const providerId = connector.manifest.id;
    metrics.providerRefusals.inc({ provider: providerId, guard: refusal.guard });
    const { guard, details } = refusal;
    const call = { tenantId, connectionId, providerId, method, path, correlationId };
    log.info({ ...call, guard, retryAt: details.retryAt }, 'provider call refused by us');
    deps.onRefusal?.(target, refusal);
  }

  /** The tries of one request, under the connection's circuit. */
  async function send(tally: CallTally): Promise<Answered> {
    const { target, request: asked } = tally;
    const giveUpAt = performance.now() + Math.min(asked.deadlineMs ?? DEADLINE_MS, LONGEST_MS);
    const { manifest } = target.connector;
    const baseUrl = deps.baseUrls.get(manifest.id) ?? apiUrlOf(manifest, target.settings);
    const url = urlOf(baseUrl, asked);
    const onRetry = ({ details }: ProviderFailure): void =>
      metrics.providerRetries.inc({ provider: manifest.id, category: details.category });
    const once = () => attempt(tally, url, giveUpAt);
    if (target.mustGo) return once();
    const pass = await breaker.enter(target, Math.max(0, giveUpAt - performance.now()));
    const repeats = isSentOnce(asked) ? { ...asked, isRepeatable: false } : asked;
    try {
      const answered = await (pass.isProbe
        ? once()
        : sendWithRetries({ clock, random, onRetry }, repeats, once));
      if (answered.over) settleLater(pass, answered.over);
      else await pass.settle();
      return answered;
    } catch (error) {
      await pass.settle(error);
      throw error;
    }
  }

  function settleLater(pass: Pass, over: Promise<ProviderFailure | undefined>): void {
    over
      .then((failure) => pass.settle(failure))
      .catch((error: unknown) => log.error({ err: error }, 'a stream could not be settled'));
  }

  /** The whole call, as the connector sees it. A stream is over when its answer is. */
  async function carryOut(tally: CallTally): Promise<ProviderResponse> {
    const tell = (end: ProviderResponse | Error): void => deps.onCall?.(toFinishedCall(tally, end));
    try {
      const { response, over } = await send(tally);
      if (over) void over.then((end) => tell(failureIn(end) ?? response));
      else tell(response);
      return response;
    } catch (error) {
      if (error instanceof Refusal) recordRefusal(tally.target, tally.request, error);
      tell(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  return {
    contextFor: (target) => ({
      settings: target.settings,
      request: (asked) => carryOut(startTally(target, asked, clock.now(), traceIds()?.traceId)),
    }),
    rateLimit: (ref) => admission.read(ref),
    circuit: (ref) => breaker.read(ref),
  };
}

async function untold(): Promise<void> {}

/** Of a stream's end: whoever leaves it has seen what he wanted. */
function failureIn(end: ProviderFailure | undefined): ProviderFailure | undefined {
  return end && isGivenUp(end) ? undefined : end;
}

const FULL_MS = 1_000;

function refuseFull(now: Date): Refusal {
  return new Refusal({
    guard: 'bulkhead',
    category: 'RATE_LIMIT',
    code: 'too_many_calls',
    message: 'Too many calls to this provider are under way. Nothing was sent.',
    retryAt: new Date(now.getTime() + FULL_MS),
  });
}
