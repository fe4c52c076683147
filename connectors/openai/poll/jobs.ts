import {
  type Json,
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  at,
  count,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { readList } from './list.js';

const DAY_SECONDS = 86_400;
const PAGE_SIZE = 100;

/** A list of jobs, and how one of them tells that it has ended. */
export interface Jobs {
  readonly path: string;
  /** What a webhook calls such an event, before the status. */
  readonly event: string;
  /** Where each last status tells its time, in epoch seconds. */
  readonly endings: Readonly<Record<string, string>>;
  /** Nothing older than that ends any more. */
  readonly lifeSeconds: number;
}

/** They end within a day, or expire; the rest is for what comes after the last request of theirs. */
export const batches: Jobs = {
  path: '/batches',
  event: 'batch',
  endings: {
    completed: 'completed_at',
    failed: 'failed_at',
    expired: 'expired_at',
    cancelled: 'cancelled_at',
  },
  lifeSeconds: 3 * DAY_SECONDS,
};

/** OpenAI names no longest time; a job that takes longer than a month is told by its webhook alone. */
export const fineTuningJobs: Jobs = {
  path: '/fine_tuning/jobs',
  event: 'fine_tuning.job',
  endings: { succeeded: 'finished_at', failed: 'finished_at', cancelled: 'finished_at' },
  lifeSeconds: 30 * DAY_SECONDS,
};

/** Times are OpenAI's own, in epoch seconds; our clock counts for the very first one only. */
interface Place {
  /** The latest end that was seen. */
  readonly seen: number;
  /** Within a poll: the ends that it looks for, the latest so far, and the id that the next page follows. */
  readonly from?: number;
  readonly latest?: number;
  readonly after?: string;
}

/** The newest job comes first, so all are read that may have ended since. An id as a cursor can't slip. */
export async function readJobs(
  context: ProviderContext,
  jobs: Jobs,
  request: PollRequest,
  overlapSeconds: number,
): Promise<PollPage> {
  const place = toPlace(request);
  const from = place.from ?? place.seen - overlapSeconds;
  const { items, hasMore } = await readList(context, jobs.path, { limit: PAGE_SIZE, after: place.after });
  const ends = items.map((item) => endOf(jobs, item) ?? 0);
  const latest = Math.max(place.latest ?? place.seen, ...ends);
  const last = items.at(-1);
  const isOld = (count(last, 'created_at') ?? Infinity) < from - jobs.lifeSeconds;
  const after = hasMore && !isOld ? textAt(last, 'id') : undefined;
  const next: Place = after === undefined ? { seen: latest } : { seen: place.seen, from, latest, after };
  return {
    events: items.filter((_, index) => (ends[index] ?? 0) >= from).map((item) => toEvent(jobs, item)),
    nextCursor: { ...next } as Json,
    isComplete: after === undefined,
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: Math.floor(since.getTime() / 1000) };
}

/** Undefined: it has not ended. */
function endOf({ endings }: Jobs, item: JsonObject): number | undefined {
  const field = endings[textAt(item, 'status') ?? ''];
  return field === undefined ? undefined : count(item, field);
}

/** As the webhook brings it, with all of the job in place of its id. */
function toEvent(jobs: Jobs, item: JsonObject): PolledEvent {
  const type = `${jobs.event}.${textAt(item, 'status')}`;
  const createdAt = endOf(jobs, item);
  const body = { object: 'event', type, created_at: createdAt, data: withoutMetadata(item) };
  return { id: `${type}:${textAt(item, 'id')}`, type, body };
}

/** What people attach to their jobs is theirs. */
function withoutMetadata(item: JsonObject): JsonObject {
  return at(item, 'metadata') === undefined ? item : { ...item, metadata: null };
}
