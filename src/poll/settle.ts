import type { ProviderFailure } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { storable } from '../core/storable.js';
import { type Pace, afterFailure, afterSuccess, isLimit } from './pace.js';
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
  end: PollEnd,
): Promise<number> {
  const now = clock.now();
  const change = JSON.stringify(toColumns(toChange(stream, end, now)));
  const { rows } = await db.doors.query<{ gaps: number | null }>({
    name: 'poll_settle',
    text: `select poll_settle($1, $2, $3, $4 * interval '1 millisecond', $5) as gaps`,
    values: [stream.id, stream.fence, now, GRACE_MS, change],
  });
  return rows[0]?.gaps ?? 0;
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

/** `dueAt` is `due_at`. */
function toColumns(change: Change): Record<string, unknown> {
  return Object.fromEntries(Object.entries(change).map(([name, value]) => [toColumn(name), value]));
}

function toColumn(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toChange(stream: ClaimedStream, end: PollEnd, now: Date): Change {
  const pace = paceOf(stream, now);
  if (end.kind === 'failed')
    return toFailed(stream, afterFailure(pace, end.failure.details, stream, now), end, now);
  if (end.kind === 'cut') return { dueAt: now, failures: 0, failure: null };
  const done = { failures: 0, failure: null, lastPolledAt: now };
  if (stream.mode === 'BACKFILL') return { ...done, dueAt: null, status: 'DONE', progress: 1 };
  return { ...done, ...afterSuccess(pace, end.found, stream, now) };
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
