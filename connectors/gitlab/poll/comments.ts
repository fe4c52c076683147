import {
  type Json,
  type JsonObject,
  type PollRequest,
  type PolledEvent,
  at,
  compact,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { type ReadPage, happened, minus, readList, shareOf, timeOf, toEvent } from './read.js';

/** Where the list of what people did is read on. It can be asked for days only. */
interface Place {
  /** What was done before then has been seen. */
  readonly seen: string;
  /** Within a poll: where it began, and the page that comes next. */
  readonly from?: string;
  readonly page?: number;
}

const DAY_SECONDS = 86_400;
const CREATED_AT = 'created_at';

/**
 * https://docs.gitlab.com/api/events/#list-all-visible-events-for-a-project, oldest first: what is added meanwhile comes at
 * the end, so that pages can be counted. GitLab has no list of all comments of a project.
 */
export const readComments: ReadPage = async (context, project, request, overlapSeconds) => {
  const place = toPlace(request);
  const from = place.from ?? minus(place.seen, overlapSeconds);
  const { page = 1 } = place;
  const query = { action: 'commented', sort: 'asc', after: dayBefore(from), page };
  const { items, hasNext } = await readList(context, project, 'events', query, CREATED_AT);
  const last = items.map((item) => timeOf(item, CREATED_AT)).at(-1) ?? place.seen;
  const seen = last > place.seen ? last : place.seen;
  const nextCursor: Place = hasNext ? { seen: place.seen, from, page: page + 1 } : { seen };
  return {
    events: items.flatMap((item) => toEvents(item, project, from)),
    nextCursor: { ...nextCursor } as Json,
    isComplete: !hasNext,
    progress: shareOf(last, request),
  };
};

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

/** `after` leaves the day itself out, and which time zone its days begin in is not told: a day more does no harm. */
function dayBefore(time: string): string {
  return minus(time, 2 * DAY_SECONDS).slice(0, 10);
}

function toEvents(item: JsonObject, project: string, from: string): readonly PolledEvent[] {
  const id = textAt(item, 'note', 'id');
  const kind = textAt(item, 'note', 'noteable_type');
  if (!id || !kind || !isObject(item['note']) || !happened(item, CREATED_AT, from)) return [];
  const { body: note, created_at, system } = item['note'];
  const attributes = compact({ id: at(item, 'note', 'id'), note, noteable_type: kind, created_at, system });
  const more = { object_attributes: { ...attributes, action: 'create' }, ...subjectOf(item, kind) };
  return [toEvent('note.create', id, project, undefined, at(item, 'author'), more)];
}

/** The list tells number and title of what was commented on. */
function subjectOf(item: JsonObject, kind: string): JsonObject {
  const keys: Readonly<Record<string, string>> = { Issue: 'issue', MergeRequest: 'merge_request' };
  const key = keys[kind];
  if (!key) return {};
  const iid = at(item, 'note', 'noteable_iid');
  return { [key]: compact({ iid, title: textAt(item, 'target_title') }) };
}
