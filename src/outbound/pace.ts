import { LRUCache } from 'lru-cache';
import type { ProviderFailure } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { Refusal } from './refusal.js';
import type { SharedRecords } from './shared.js';

/** How fast one connection may go at the moment. */
export interface Pace {
  /** The part of its limits that it uses: 1 when all is well. */
  readonly multiplier: number;
  /** Set while the provider wants to be left alone; milliseconds since 1970. */
  readonly pausedUntil?: number;
}

/** What a call tells about the provider. */
export interface Finding {
  readonly failure?: ProviderFailure;
  /** Left out while the answer is still read: that is no sign of recovery yet. */
  readonly durationMs?: number;
  /** The provider said when to come back, with whatever answer. */
  readonly retryAt?: Date | undefined;
}

/** Learns from every answer what a provider can take, whatever it declares: additive increase, multiplicative decrease. */
export interface Pacer {
  read(name: string): Promise<Pace>;
  learn(name: string, pace: Pace, finding: Finding): Promise<void>;
}

interface PaceRecord extends Pace {
  /** When the multiplier last changed; milliseconds since 1970. */
  readonly changedAt: number;
}

const LOWEST = 0.05;
const STEP_UP = 0.05;
/** One step up in this time at most, so that the way back from a half takes minutes. */
const STEP_MS = 15_000;
/** One step down in this time: the answers to calls that left together are one lesson. */
const LESSON_MS = 1_000;
/** So many 5xx within so much time are a burst. */
const BURST = 3;
const BURST_MS = 10_000;
const MAX_BURSTS = 10_000;
/** A success that takes longer is no sign that the provider has recovered. */
const FAST_MS = 1_000;
/** Told to stay away for longer, we look again after this: a wrong date must not end a connection. */
const LONGEST_PAUSE_MS = 3_600_000;
const LIFETIME_MS = 24 * 3_600_000;

export function createPacer(records: SharedRecords, clock: Clock): Pacer {
  const bursts = createBursts();

  async function find(name: string): Promise<PaceRecord> {
    const text = await records.get(`pace:${name}`);
    return text === undefined ? { multiplier: 1, changedAt: 0 } : (JSON.parse(text) as PaceRecord);
  }

  return {
    async read(name) {
      const { multiplier, pausedUntil = 0 } = await find(name);
      return { multiplier, ...(isAhead(pausedUntil, clock.now().getTime()) && { pausedUntil }) };
    },
    async learn(name, pace, finding) {
      const now = clock.now().getTime();
      const factor = factorOf(finding, () => bursts.add(name, now));
      const mayRise = pace.multiplier < 1 && !finding.failure && isFast(finding);
      // Nearly every call ends here, without another word to Redis.
      if (factor === 1 && !mayRise && !finding.retryAt) return;
      // Two processes that learn at the same moment may count as one: the next answer teaches again.
      const known = await find(name);
      const next = { ...step(known, factor, mayRise, now), ...pauseOf(known, finding.retryAt, now) };
      if (next.multiplier !== known.multiplier || next.pausedUntil !== known.pausedUntil) {
        await records.set(`pace:${name}`, JSON.stringify(next), LIFETIME_MS);
      }
    },
  };
}

function isFast({ durationMs = Infinity }: Finding): boolean {
  return durationMs <= FAST_MS;
}

function factorOf({ failure }: Finding, addToBurst: () => boolean): number {
  if (!failure || failure instanceof Refusal) return 1;
  const { category, providerStatus = 0 } = failure.details;
  if (category === 'RATE_LIMIT') return 0.5;
  return category === 'PROVIDER' && providerStatus >= 500 && addToBurst() ? 0.75 : 1;
}

/** No pause is longer: one that ends later was noted by a clock that has been set back since. */
function isAhead(pausedUntil: number, now: number): boolean {
  return now < pausedUntil && pausedUntil <= now + LONGEST_PAUSE_MS;
}

function step(known: PaceRecord, factor: number, mayRise: boolean, now: number): PaceRecord {
  // What was learned in the future was learned before the clock was set back.
  const age = known.changedAt > now ? Infinity : now - known.changedAt;
  if (factor < 1 && age >= LESSON_MS) {
    return { ...known, multiplier: rounded(Math.max(LOWEST, known.multiplier * factor)), changedAt: now };
  }
  if (mayRise && age >= STEP_MS) {
    return { ...known, multiplier: rounded(Math.min(1, known.multiplier + STEP_UP)), changedAt: now };
  }
  return known;
}

/** People read it. */
function rounded(multiplier: number): number {
  return Math.round(multiplier * 1000) / 1000;
}

function pauseOf(
  { pausedUntil = 0 }: PaceRecord,
  retryAt: Date | undefined,
  now: number,
): Pick<Pace, 'pausedUntil'> {
  if (!retryAt || retryAt.getTime() <= now) return {};
  const until = Math.min(retryAt.getTime(), now + LONGEST_PAUSE_MS);
  return { pausedUntil: isAhead(pausedUntil, now) ? Math.max(until, pausedUntil) : until };
}

/** Tells when enough has happened within a short time, and then starts to count anew. */
function createBursts() {
  const times = new LRUCache<string, readonly number[]>({ max: MAX_BURSTS });
  return {
    add(name: string, now: number): boolean {
      const recent = [...(times.get(name) ?? []), now].filter((time) => time > now - BURST_MS);
      const isBurst = recent.length >= BURST;
      if (isBurst) times.delete(name);
      else times.set(name, recent);
      return isBurst;
    },
  };
}
