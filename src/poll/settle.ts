import type { ProviderFailure } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { storable } from '../core/storable.js';
import { type Pace, type PollBounds, afterFailure, afterSuccess, isLimit } from './pace.js';
import { type ClaimedStream, type PollFailure, PolledStream } from './poll.entity.js';

export interface SettleDeps {
  readonly db: Db;
  readonly clock: Clock;
}

/**
 * What a poll came to: all there was, some of it and the rest at once, a failure, or nothing because another process
 * has taken the stream over or it was put to rest.
 */
export type PollEnd = { readonly found: number } & (
  | { readonly kind: 'complete' | 'cut' | 'lost' }
  | { readonly kind: 'failed'; readonly failure: ProviderFailure }
);

/** How long a webhook may take until what a poll has found without it counts as a gap. */
const GRACE_MS = 5 * 60_000;
/** A backfill that fails so often in a row waits for a person. */
const MAX_BACKFILL_FAILURES = 10;

/**
 * Writes when the stream is due again, lets go of its lease, and answers how many gaps it counted. Writes nothing when
 * the stream is not ours any more.
 */
export async function settlePoll(
  { db, clock }: SettleDeps,
  stream: ClaimedStream,
  bounds: PollBounds,
  end: PollEnd,
): Promise<number> {
  const now = clock.now();
  const change = { ...toChange(stream, bounds, end, now), leaseUntil: null };
  return db.for(stream).transactional(async (transaction) => {
    const { id, fence } = stream;
    const isMine = (await transaction.nativeUpdate(PolledStream, { id, fence }, change)) > 0;
    return isMine ? countGaps(transaction, stream, now) : 0;
  });
}

/** Is polled no more until something names it again; its cursor stays. */
export async function retireStream({ db }: SettleDeps, stream: ClaimedStream): Promise<void> {
  const { id, fence } = stream;
  await db.for(stream).nativeUpdate(PolledStream, { id, fence }, { dueAt: null, leaseUntil: null });
}

type Change = Partial<
  Pick<
    PolledStream,
    'dueAt' | 'intervalSeconds' | 'failures' | 'failure' | 'lastPolledAt' | 'progress' | 'status'
  >
>;

function toChange(stream: ClaimedStream, bounds: PollBounds, end: PollEnd, now: Date): Change {
  const pace = paceOf(stream, now);
  if (end.kind === 'failed')
    return toFailed(stream, afterFailure(pace, end.failure.details, bounds, now), end, now);
  if (end.kind === 'cut') return { dueAt: now, failures: 0, failure: null };
  const done = { failures: 0, failure: null, lastPolledAt: now };
  if (stream.mode === 'BACKFILL') return { ...done, dueAt: null, status: 'DONE', progress: 1 };
  return { ...done, ...afterSuccess(pace, end.found, bounds, now) };
}

function paceOf({ dueAt, intervalSeconds, failures }: ClaimedStream, now: Date): Pace {
  return { dueAt: dueAt ?? now, intervalSeconds, failures };
}

function toFailed(
  { mode }: ClaimedStream,
  pace: Pace,
  { failure }: Extract<PollEnd, { kind: 'failed' }>,
  now: Date,
): Change {
  const change = { ...pace, failure: describe(failure, now) };
  const isGivenUp =
    mode === 'BACKFILL' && pace.failures >= MAX_BACKFILL_FAILURES && !isLimit(failure.details);
  return isGivenUp ? { ...change, dueAt: null, status: 'FAILED' } : change;
}

function describe({ details }: ProviderFailure, now: Date): PollFailure {
  const { category, code, message, providerStatus, retryAt } = details;
  return storable({
    category,
    code,
    message,
    ...(providerStatus !== undefined && { providerStatus }),
    ...(retryAt && { retryAt: retryAt.toISOString() }),
    at: now.toISOString(),
  });
}

/** Findings whose time is over: those that a webhook told of as well are fine, the others are gaps. */
async function countGaps(
  transaction: EntityManager,
  { id, connectionId }: ClaimedStream,
  now: Date,
): Promise<number> {
  const [row] = await transaction.execute<{ gaps: number }[]>(JUDGE, [
    id,
    new Date(now.getTime() - GRACE_MS),
    GRACE_MS,
  ]);
  const gaps = row?.gaps ?? 0;
  if (gaps > 0) {
    await transaction.execute('update pollings set gaps = gaps + ? where connection_id = ?', [
      gaps,
      connectionId,
    ]);
  }
  return gaps;
}

const JUDGE = `
  with over as (delete from poll_findings where stream_id = ? and found_at <= ? returning *)
  select count(*)::int as gaps from over where not exists (
    select from deliveries d
    where d.connection_id = over.connection_id and d.via = 'WEBHOOK' and over.signal_id = any(d.signal_ids)
      and d.received_at between over.found_at and over.found_at + ? * interval '1 millisecond')`;
