import type { RefreshTokenRule } from '../../connector/index.js';
import type { StoredCredential } from './lease.js';

/** What is asked of a credential. */
export interface Demand {
  readonly rule: RefreshTokenRule;
  /** Renew when the access token ends within so many seconds; a tenth of its life at most. Default: 60. */
  readonly aheadSeconds?: number;
  /** The provider refused the access token of this version, whatever its expiry says; a new one is kept even so. */
  readonly refusedVersion?: number;
}

/**
 * What to do about a credential as it is stored: use it; wait for whoever is renewing it; not try before its time;
 * give it up, as the answer to its one refresh token is lost; or renew it.
 */
export type Judgement = 'use' | 'wait' | 'later' | 'lost' | 'renew';

const AHEAD_SECONDS = 60;
/**
 * Tokens that are refused younger than this are not renewed for it: whoever refuses those refuses the next as well, and
 * every call would cost an exchange.
 */
const NEW_SECONDS = 60;
/** A request that leaves as the time for reuse ends would arrive too late. */
const TRAVEL_SECONDS = 10;

export function judge(stored: StoredCredential, demand: Demand, now: Date): Judgement {
  if (!isRefused(stored, demand, now) && !isEnding(stored, demand, now)) return 'use';
  if (stored.isLeased) return 'wait';
  if (stored.unansweredSeconds !== null && !mayRepeat(demand.rule, stored.unansweredSeconds)) return 'lost';
  return stored.refreshAfter && stored.refreshAfter > now ? 'later' : 'renew';
}

/** Whether the stored access token may still work, although it should be renewed. */
export function isUsable({ version, expiresAt }: StoredCredential, demand: Demand, now: Date): boolean {
  return version !== demand.refusedVersion && (expiresAt === null || now < expiresAt);
}

/** Whether the same refresh token may be sent once more, so long after a request that nobody saw the answer to. */
export function mayRepeat({ rotates, reuseSeconds }: RefreshTokenRule, unansweredSeconds: number): boolean {
  return !rotates || unansweredSeconds + TRAVEL_SECONDS <= reuseSeconds;
}

function isRefused({ version, createdAt }: StoredCredential, { refusedVersion }: Demand, now: Date): boolean {
  return version === refusedVersion && now.getTime() >= createdAt.getTime() + NEW_SECONDS * 1000;
}

/** Early, since clocks differ and requests travel; but a short life is not spent on renewing. */
function isEnding(
  { createdAt, expiresAt }: StoredCredential,
  { aheadSeconds = AHEAD_SECONDS }: Demand,
  now: Date,
): boolean {
  if (!expiresAt) return false;
  const lifeMs = expiresAt.getTime() - createdAt.getTime();
  return now.getTime() >= expiresAt.getTime() - Math.min(aheadSeconds * 1000, lifeMs / 10);
}
