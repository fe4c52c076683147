import { randomUUID } from 'node:crypto';
import { CircuitState as Phase, CountBreaker } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { type FailureCategory, ProviderFailure, type ProviderFailureDetails } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { isGivenUp } from './failure.js';
import { Refusal } from './refusal.js';
import type { SharedRecords } from './shared.js';
import { type ConnectionRef, nameOf } from './target.js';

/** Calls pass, none passes, or one passes to find out. */
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface Circuit {
  readonly state: CircuitState;
  /** Null while it is closed. */
  readonly openedAt: Date | null;
  /** When the next call may try; null while it is closed. */
  readonly retryAt: Date | null;
}

export interface CircuitChange {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
  readonly state: CircuitState;
  readonly at: Date;
  /** The failure that opened it. */
  readonly failure?: ProviderFailureDetails;
}

/** Leave to call. It is settled exactly once, with the error in which the call ended, if it did. */
export interface Pass {
  /** The call on which everybody waits: it decides whether the circuit closes. */
  readonly isProbe: boolean;
  settle(error?: unknown): Promise<void>;
}

/** Leaves a provider in peace that fails again and again: one circuit per connection, shared by all processes. */
export interface Breaker {
  /**
   * Throws a CIRCUIT_OPEN refusal while the circuit is open. `callMs` is how long the call may take: for so long, and a
   * moment more, a probe is the only one.
   */
  enter(ref: ConnectionRef, callMs: number): Promise<Pass>;
  read(ref: ConnectionRef): Promise<Circuit>;
}

export interface BreakerDeps {
  readonly records: SharedRecords;
  readonly clock: Clock;
  /** Told once of every change, by the process that brought it about. */
  readonly onChange: (change: CircuitChange) => void;
}

/** Signs of an ailing provider, or of one that is asked too much. */
const TROUBLE: ReadonlySet<FailureCategory> = new Set(['PROVIDER', 'NETWORK', 'RATE_LIMIT']);
/** More than half of the last 20 calls, as soon as there are 5. */
const OPENS_AT = { threshold: 0.5, size: 20, minimumNumberOfCalls: 5 };
const MAX_COUNTS = 10_000;
const FIRST_OPEN_MS = 15_000;
const LONGEST_OPEN_MS = 5 * 60_000;
/** What settling a probe takes after the call. Should its process die, another may probe after the call's time and this. */
const SETTLE_MS = 5_000;
const PROBE_LOOK_MS = 1_000;
/** How long an open circuit is remembered when nobody calls. */
const LIFETIME_MS = 24 * 3_600_000;

interface OpenRecord {
  readonly openedAt: number;
  readonly until: number;
  /** How often in a row it opened. */
  readonly times: number;
}

interface Probe {
  /** Under which the connection's place for a probe is held. */
  readonly token: string;
  /** How often in a row the circuit had opened before. */
  readonly times: number;
}

export function createBreaker({ records, clock, onChange }: BreakerDeps): Breaker {
  // Each process counts what it sees; what it concludes, all of them act on.
  const counts = new LRUCache<string, CountBreaker>({ max: MAX_COUNTS });

  async function find(ref: ConnectionRef): Promise<OpenRecord | undefined> {
    const text = await records.get(keyOf(ref));
    return text === undefined ? undefined : (JSON.parse(text) as OpenRecord);
  }

  function tell(ref: ConnectionRef, state: CircuitState, failure?: ProviderFailure): void {
    const { tenantId, connectionId, connector } = ref;
    const change = { tenantId, connectionId, providerId: connector.manifest.id, state, at: clock.now() };
    onChange({ ...change, ...(failure && { failure: failure.details }) });
  }

  function toRecord(times: number): string {
    const now = clock.now().getTime();
    const until = now + Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** (times - 1));
    return JSON.stringify({ openedAt: now, until, times } satisfies OpenRecord);
  }

  async function settleCall(ref: ConnectionRef, error: unknown): Promise<void> {
    const verdict = verdictOf(error);
    if (verdict === 'none') return;
    const name = nameOf(ref);
    const count = counts.get(name) ?? new CountBreaker(OPENS_AT);
    counts.set(name, count);
    if (verdict === 'well') return count.success(Phase.Closed);
    if (!count.failure(Phase.Closed)) return;
    counts.delete(name);
    // Another process may have come to the same conclusion a moment ago.
    if (await records.add(keyOf(ref), toRecord(1), LIFETIME_MS)) tell(ref, 'OPEN', verdict);
  }

  async function settleProbe(ref: ConnectionRef, probe: Probe, error: unknown): Promise<void> {
    // Once another probes, what it comes to counts.
    if ((await records.get(probeOf(ref))) !== probe.token) return;
    const verdict = verdictOf(error);
    if (verdict === 'well') {
      await records.delete(keyOf(ref));
      tell(ref, 'CLOSED');
    } else if (verdict !== 'none') {
      await records.set(keyOf(ref), toRecord(probe.times + 1), LIFETIME_MS);
      tell(ref, 'OPEN', verdict);
    }
    await records.deleteOwn(probeOf(ref), probe.token);
  }

  return {
    async enter(ref, callMs) {
      const open = await find(ref);
      if (!open) return { isProbe: false, settle: (error) => settleCall(ref, error) };
      counts.delete(nameOf(ref));
      const now = clock.now().getTime();
      if (isShut(open, now)) throw refuse(open.until);
      const probe = { token: randomUUID(), times: open.times };
      const isTaken = !(await records.add(probeOf(ref), probe.token, callMs + SETTLE_MS));
      if (isTaken) throw refuse(now + PROBE_LOOK_MS);
      tell(ref, 'HALF_OPEN');
      return { isProbe: true, settle: (error) => settleProbe(ref, probe, error) };
    },
    async read(ref) {
      const open = await find(ref);
      if (!open) return { state: 'CLOSED', openedAt: null, retryAt: null };
      const state = isShut(open, clock.now().getTime()) ? 'OPEN' : 'HALF_OPEN';
      return { state, openedAt: new Date(open.openedAt), retryAt: new Date(open.until) };
    },
  };
}

/** No circuit opens for longer: a time further ahead was told by a clock that has been set back since. */
function isShut({ until }: OpenRecord, now: number): boolean {
  return now < until && until <= now + LONGEST_OPEN_MS;
}

function keyOf(ref: ConnectionRef): string {
  return `circuit:${nameOf(ref)}`;
}

function probeOf(ref: ConnectionRef): string {
  return `probe:${nameOf(ref)}`;
}

/**
 * What a call tells about the provider: the failure where it is ailing, nothing where it was not asked or was not let
 * finish. What it refuses for good reasons shows that it is well.
 */
function verdictOf(error: unknown): ProviderFailure | 'well' | 'none' {
  if (error === undefined) return 'well';
  if (!(error instanceof ProviderFailure) || error instanceof Refusal || isGivenUp(error)) return 'none';
  // The egress policy's no, or a header that can't be sent: it was not asked either.
  if (error.details.category === 'INVALID' && error.details.providerStatus === undefined) return 'none';
  return TROUBLE.has(error.details.category) ? error : 'well';
}

function refuse(until: number): Refusal {
  return new Refusal({
    guard: 'circuit',
    category: 'CIRCUIT_OPEN',
    code: 'circuit_open',
    message: 'The provider failed so often that it is left in peace for a while. Nothing was sent.',
    retryAt: new Date(until),
  });
}
