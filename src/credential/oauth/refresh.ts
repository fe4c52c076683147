import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenSet } from '../../connector/index.js';
import type { Clock } from '../../core/clock.js';
import { notFound } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import type { Secret } from '../../core/secret.js';
import { OAuthFailure } from './failure.js';
import { type Demand, isUsable, judge, mayRepeat } from './judge.js';
import type { Claimant, CredentialKey, LeaseStore, Release, StoredCredential } from './lease.js';
import { fromFields, withTokens } from './tokens.js';

/** Where a credential is sealed: the version is part of it, as each new pair is a new one. */
export interface CredentialPlace {
  readonly tenantId: string;
  readonly id: string;
  readonly field: 'credential';
  readonly version: number;
}

export interface Sealer {
  seal(plaintext: string, place: CredentialPlace): Promise<Buffer>;
  openSecret(sealed: Uint8Array, place: CredentialPlace): Promise<Secret>;
}

export interface RefresherDeps {
  readonly store: LeaseStore;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a caller waits for another process that is renewing. */
  readonly waitMs?: number;
  /** From 0 to 1, for the jitter of back-off. */
  readonly random?: () => number;
}

/** The tokens of one connection, and how to get new ones. */
export interface RefreshTarget extends CredentialKey, Demand {
  /**
   * One request at most, and over well within the lease: a refresh, or the grant once more where that is how tokens
   * are renewed. Throws {@link OAuthFailure}.
   */
  readonly renew: (tokens: TokenSet) => Promise<TokenSet>;
}

/** What became of asking for tokens: data, for the connection’s status and receipts. */
export type RefreshOutcome =
  /** Good for use, and stored. `isRenewed`: by this very call; others who waited for it are told false. */
  | {
      readonly kind: 'ready';
      readonly tokens: TokenSet;
      readonly version: number;
      readonly isRenewed: boolean;
    }
  /** Not now. `tokens`: the old ones, while they last. `failure`: of this call’s own request, if it made one. */
  | {
      readonly kind: 'failed';
      readonly retryAt: Date;
      readonly tokens: TokenSet | null;
      readonly failure: OAuthFailure | null;
    }
  /** The provider takes the refresh token no more: authorize again. */
  | { readonly kind: 'refused'; readonly failure: OAuthFailure }
  /** The answer that held the only good pair is lost, and nothing will be sent again: authorize again. */
  | { readonly kind: 'lost'; readonly failure: OAuthFailure };

export interface Refresher {
  /**
   * Tokens to use, renewed where they end soon: by one exchange, whoever and however many ask, in all processes.
   * Throws NOT_FOUND, and what storage and vault throw.
   */
  tokensOf(target: RefreshTarget): Promise<RefreshOutcome>;
  /** Credentials of all tenants that end within minutes, for a background job. */
  due(limit: number): Promise<readonly CredentialKey[]>;
  /** Resolves when no exchange of this process is under way. Stopping in the middle of one loses the pair. */
  drain(): Promise<void>;
}

/** One look at a credential, for one caller. */
interface Look {
  readonly target: RefreshTarget;
  readonly claimant: Claimant;
  readonly stored: StoredCredential;
}

/** A look under the lease, with the request about to leave. */
interface Turn extends Look {
  readonly fields: Readonly<Record<string, string>>;
  /** By performance.now(). */
  readonly leaseEnds: number;
}

/** Null: somebody else was first; look again. */
type Step = RefreshOutcome | null;

const POLL_MS = 50;
const WAIT_MS = 15_000;
const BUSY_MS = 1_000;
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 15 * 60_000;

export function createRefresher(deps: RefresherDeps): Refresher {
  const { store, sealer, clock, log, waitMs = WAIT_MS, random = Math.random } = deps;
  const running = new Map<string, Promise<RefreshOutcome>>();

  async function run(target: RefreshTarget): Promise<RefreshOutcome> {
    const { tenantId, connectionId } = target;
    const claimant = { tenantId, connectionId, owner: randomUUID() };
    const deadline = performance.now() + waitMs;
    for (;;) {
      const stored = await store.find(claimant);
      if (!stored) throw notFound('connection');
      const outcome = await step({ target, claimant, stored });
      if (outcome) return outcome;
      if (performance.now() >= deadline) return postpone({ target, stored }, inMs(BUSY_MS), null);
      await sleep(POLL_MS);
    }
  }

  async function step(look: Look): Promise<Step> {
    const settled = await settle(look);
    if (settled !== 'renew') return settled;
    const leased = await store.acquire(look.claimant);
    return leased && underLease({ ...look, stored: leased });
  }

  /** What needs no request of ours. */
  async function settle(look: Look): Promise<Step | 'renew'> {
    const { target, stored } = look;
    const judgement = judge(stored, target, clock.now());
    if (judgement === 'renew') return 'renew';
    if (judgement === 'wait') return null;
    if (judgement === 'lost') return lost('A refresh broke off before its answer was stored.');
    if (judgement === 'later') return postpone(look, stored.refreshAfter ?? clock.now(), null);
    const tokens = fromFields(await open(look), stored.expiresAt);
    return { kind: 'ready', tokens, version: stored.version, isRenewed: false };
  }

  /** Judged again: what was so before the lease need not be so under it. */
  async function underLease(look: Look): Promise<Step> {
    let isSent = false;
    try {
      const settled = await settle(look);
      if (settled !== 'renew') return settled;
      const fields = await open(look);
      // Taken before the statement, so that it is over before the lease is.
      const leaseEnds = performance.now() + store.leaseMs;
      isSent = await store.markSent(look.claimant);
      return isSent ? await exchange({ ...look, fields, leaseEnds }) : null;
    } finally {
      if (!isSent) await store.release(look.claimant, unchanged(look.stored));
    }
  }

  async function exchange(turn: Turn): Promise<Step> {
    let tokens: TokenSet;
    try {
      tokens = await turn.target.renew(fromFields(turn.fields, turn.stored.expiresAt));
    } catch (error) {
      // Anything else is a bug and no answer: the lease runs out, and the request counts as unanswered.
      if (!(error instanceof OAuthFailure)) throw error;
      return giveUp(turn, error);
    }
    return keep(turn, tokens);
  }

  /** Stored before it is used: what no other process can find would be lost with this one. */
  async function keep(turn: Turn, tokens: TokenSet): Promise<Step> {
    const { target, claimant, stored, fields, leaseEnds } = turn;
    const version = stored.version + 1;
    const [createdAt, expiresAt] = [clock.now(), tokens.expiresAt ?? null];
    const plaintext = JSON.stringify(withTokens(fields, tokens));
    try {
      const isKept = await insist(leaseEnds, async () => {
        const sealed = await sealer.seal(plaintext, placeOf(target, version));
        return store.replace(claimant, { version, sealed, createdAt, expiresAt });
      });
      return isKept ? { kind: 'ready', tokens, version, isRenewed: true } : null;
    } catch (error) {
      const { tenantId, connectionId } = target;
      log.error({ err: error, tenantId, connectionId }, 'oauth: new tokens came and could not be stored');
      if (mayRepeat(target.rule, 0)) return postpone(turn, inMs(BUSY_MS), null);
      return lost('New tokens came and could not be stored.');
    }
  }

  async function giveUp(turn: Turn, failure: OAuthFailure): Promise<RefreshOutcome> {
    const { target, claimant, stored, leaseEnds } = turn;
    const isLost = failure.kind === 'lost' && !mayRepeat(target.rule, stored.unansweredSeconds ?? 0);
    const isRefused = failure.kind === 'invalid_grant';
    const refreshAfter = isLost || isRefused ? null : backoff(stored.failures, failure.retryAt);
    // An answer to this request says nothing about an earlier one, unless it says that all is over.
    const isUnanswered = failure.kind === 'lost' || (stored.unansweredSeconds !== null && !isRefused);
    const release = { isUnanswered, failures: stored.failures + 1, refreshAfter };
    await insist(leaseEnds, () => store.release(claimant, release));
    if (refreshAfter) return postpone(turn, refreshAfter, failure);
    return { kind: isLost ? 'lost' : 'refused', failure };
  }

  async function postpone(
    look: Omit<Look, 'claimant'>,
    retryAt: Date,
    failure: OAuthFailure | null,
  ): Promise<RefreshOutcome> {
    const usable = isUsable(look.stored, look.target, clock.now());
    const tokens = usable ? fromFields(await open(look), look.stored.expiresAt) : null;
    return { kind: 'failed', retryAt, tokens, failure };
  }

  /** Exponential with full jitter, and never before the provider’s own word. */
  function backoff(failures: number, retryAt: Date | undefined): Date {
    const own = inMs(random() * Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures + 1)));
    if (!retryAt || retryAt <= own) return own;
    const latest = inMs(MAX_BACKOFF_MS);
    return retryAt > latest ? latest : retryAt;
  }

  function inMs(milliseconds: number): Date {
    return new Date(clock.now().getTime() + milliseconds);
  }

  async function open({ target, stored }: Omit<Look, 'claimant'>): Promise<Record<string, string>> {
    const text = await sealer.openSecret(stored.sealed, placeOf(target, stored.version));
    return JSON.parse(text.reveal()) as Record<string, string>;
  }

  return {
    tokensOf(target) {
      // A call that knows of a refusal must not be answered with the very token that was refused.
      const flight = JSON.stringify([target.tenantId, target.connectionId, target.refusedVersion]);
      const joined = running.get(flight);
      if (joined) return joined.then(asBystander);
      const work = run(target).finally(() => running.delete(flight));
      running.set(flight, work);
      return work;
    },
    due: (limit) => store.due(clock.now(), limit),
    async drain() {
      await Promise.allSettled(running.values());
    },
  };
}

/** Of all who wait for one exchange, one has made it. */
function asBystander(outcome: RefreshOutcome): RefreshOutcome {
  return outcome.kind === 'ready' ? { ...outcome, isRenewed: false } : outcome;
}

function lost(what: string): RefreshOutcome {
  return { kind: 'lost', failure: new OAuthFailure('lost', what) };
}

function placeOf({ tenantId, connectionId }: CredentialKey, version: number): CredentialPlace {
  return { tenantId, id: connectionId, field: 'credential', version };
}

function unchanged({ unansweredSeconds, failures, refreshAfter }: StoredCredential): Release {
  return { isUnanswered: unansweredSeconds !== null, failures, refreshAfter };
}

/** Tries again what must not fail, for as long as the lease lasts; then throws the last error. */
async function insist<T>(until: number, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() + POLL_MS >= until) throw error;
      await sleep(POLL_MS);
    }
  }
}
