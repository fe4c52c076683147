import type { LimitHeaders, Method, RateLimitRule } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Demand } from './demand.js';
import { resetTime } from './failure.js';
import { type Added, type Counter, createCounter } from './limiter.js';
import type { RefusalDetails } from './refusal.js';
import type { Shared } from './shared.js';
import { type ConnectionRef, type Lane, nameOf, shareOf } from './target.js';

/** A window of the provider's, as far as we know. */
export interface WindowState {
  readonly bucket: string;
  /** Points that the provider allows in the window. */
  readonly limit: number;
  readonly remaining: number;
  /** Null while nothing is counted. */
  readonly resetsAt: Date | null;
}

/** The windows that a provider declares, counted for each connection by itself. */
export interface Limits {
  /** What a call takes from the windows that count it. */
  demandsOf(ref: ConnectionRef, lane: Lane, method: Method): readonly LimitDemand[];
  /** Corrects the windows by what an answer tells of them. `added` belongs to the demands, in their order. */
  sync(
    demands: readonly LimitDemand[],
    added: readonly Added[],
    answer: { readonly headers: Readonly<Record<string, string>> },
  ): Promise<void>;
  read(ref: ConnectionRef): Promise<readonly WindowState[]>;
}

export interface LimitDemand extends Demand {
  readonly rule: RateLimitRule;
}

interface Window {
  readonly rule: RateLimitRule;
  readonly counter: Counter;
}

/** So far we may be below the provider's count: calls under way are in ours and not yet in its. */
const SLACK = 0.1;

export function createLimits(shared: Shared, clock: Clock): Limits {
  const known = new Map<string, readonly Window[]>();

  function windowsOf({ connector: { manifest } }: ConnectionRef): readonly Window[] {
    const found = known.get(manifest.id);
    if (found) return found;
    const made = manifest.rateLimits.map((rule) => {
      const name = `${manifest.id}:${rule.bucket}`;
      return { rule, counter: createCounter({ name, durationSeconds: rule.durationSeconds, shared }) };
    });
    known.set(manifest.id, made);
    return made;
  }

  async function syncOne({ rule, counter, key }: LimitDemand, consumed: number, answer: Answer) {
    const told = rule.headers && tellsOf(rule.headers, answer);
    if (told === undefined) return;
    const theirs = rule.points - told;
    if (theirs <= consumed && theirs >= consumed - rule.points * SLACK) return;
    const now = clock.now();
    const resetsAt = rule.headers && resetTime(answer, rule.headers.reset, now);
    const windowMs = rule.durationSeconds * 1000;
    // No window ends later than one that begins now: a time in another unit than declared must not close it for years.
    const resetsInMs = resetsAt ? Math.min(windowMs, resetsAt.getTime() - now.getTime()) : windowMs;
    if (resetsInMs > 0) await counter.set(key, theirs, resetsInMs);
  }

  return {
    demandsOf: (ref, lane, method) =>
      windowsOf(ref)
        .filter(({ rule }) => rule.methods?.includes(method) ?? true)
        .map(({ rule, counter }) => {
          const points = rule.costs?.[method] ?? 1;
          return {
            rule,
            counter,
            key: nameOf(ref),
            points,
            // A call that costs more than its lane's share still goes, when nothing else does.
            allowedAt: ({ multiplier }) =>
              Math.max(points, shareOf(lane, Math.floor(rule.points * multiplier))),
            refuse,
          };
        }),
    async sync(demands, added, answer) {
      await Promise.all(demands.map((demand, index) => syncOne(demand, added[index]?.consumed ?? 0, answer)));
    },
    read: (ref) =>
      Promise.all(
        windowsOf(ref).map(async ({ rule: { bucket, points }, counter }) => {
          const count = await counter.read(nameOf(ref));
          const resetsAt = count ? new Date(clock.now().getTime() + count.resetsInMs) : null;
          return { bucket, limit: points, remaining: Math.max(0, points - (count?.consumed ?? 0)), resetsAt };
        }),
      ),
  };
}

type Answer = Parameters<Limits['sync']>[2];

/** The points that are left, if this answer is about this bucket. */
function tellsOf({ remaining, when = {} }: LimitHeaders, { headers }: Answer): number | undefined {
  const isAbout = Object.entries(when).every(([name, value]) => headers[name] === value);
  const text = headers[remaining];
  return isAbout && text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function refuse(retryAt: Date): RefusalDetails {
  return {
    guard: 'limit',
    category: 'RATE_LIMIT',
    code: 'local_limit',
    message: 'This connection has used up the calls its provider allows in this window.',
    retryAt,
  };
}
