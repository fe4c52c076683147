import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  at,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { versionHeader } from '../version.js';

const PAGE_SIZE = 100;
const SECOND_MS = 1000;
/** A batch ends, or expires, within a day of its making; the rest is for what comes late. */
const LIFE_MS = 3 * 24 * 3600 * SECOND_MS;

/** Times are Anthropic's own, in milliseconds; our clock counts for the very first one only. */
interface Place {
  /** The latest end that was seen. */
  readonly seen: number;
  /** Within a poll: the ends that it looks for, the latest so far, and the id that the next page follows. */
  readonly from?: number;
  readonly latest?: number;
  readonly after?: string;
}

/** How late an end shows in the list is told nowhere. */
export const OVERLAP_SECONDS = 600;

/** https://platform.claude.com/docs/en/api/listing-message-batches: newest first, so all are read that may have ended since. */
export async function pageOfBatches(context: ProviderContext, request: PollRequest): Promise<PollPage> {
  const place = toPlace(request);
  const from = place.from ?? place.seen - OVERLAP_SECONDS * SECOND_MS;
  const { items, hasMore } = await readBatches(context, place.after);
  const ended = items.filter((item) => (timeOf(item, 'ended_at') ?? 0) >= from);
  const latest = Math.max(place.latest ?? place.seen, ...ended.map((item) => timeOf(item, 'ended_at') ?? 0));
  const last = items.at(-1);
  const isOld = ((last && timeOf(last, 'created_at')) ?? Infinity) < from - LIFE_MS;
  const after = hasMore && !isOld ? textAt(last, 'id') : undefined;
  return toPage(ended, after === undefined ? { seen: latest } : { seen: place.seen, from, latest, after });
}

/** Fails by ProviderFailure for whatever is no list. */
async function readBatches({ request, settings }: ProviderContext, after: string | undefined) {
  const response = await request({
    method: 'GET',
    path: '/messages/batches',
    query: { limit: PAGE_SIZE, after_id: after },
    headers: versionHeader(settings),
  });
  const items = at(response.body, 'data');
  if (!Array.isArray(items) || !items.every((item) => isObject(item))) {
    throw unexpectedAnswer(response, 'a list of batches', { isAmbiguous: false });
  }
  return { items: items as readonly JsonObject[], hasMore: at(response.body, 'has_more') === true };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.getTime() };
}

function toPage(ended: readonly JsonObject[], next: Place): PollPage {
  const isComplete = next.after === undefined;
  return { events: ended.map(toEvent), nextCursor: { ...next }, isComplete };
}

/** In the form of a webhook, though none tells of batches. */
function toEvent(item: JsonObject): PolledEvent {
  const type = 'message_batch.ended';
  const data = { ...item, type };
  const body = { type: 'event', created_at: at(item, 'ended_at'), data };
  return { id: `${type}:${textAt(item, 'id')}`, type, body };
}

function timeOf(item: JsonObject, field: string): number | undefined {
  const time = Date.parse(textAt(item, field) ?? '');
  return Number.isNaN(time) ? undefined : time;
}
