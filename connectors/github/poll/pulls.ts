import {
  type Json,
  type JsonObject,
  type PollRequest,
  type PolledEvent,
  at,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import {
  type ReadPage,
  happened,
  minus,
  readList,
  shareOf,
  toEvent,
  toOddEvent,
  toTime,
  updatedAt,
} from './read.js';

/** Where the list of pull requests is read on. It can't be asked for a time, and has the newest first. */
interface Place {
  /** What was updated before then has been seen. */
  readonly seen: string;
  /** Within a poll: the newest on its first page, and the page that comes next. */
  readonly newest?: string;
  readonly page?: number;
  /** Of the first page, whose address is always the same: while it stays, so does the list. */
  readonly etag?: string;
}

/**
 * https://docs.github.com/rest/pulls/pulls#list-pull-requests. From the newest back to what was seen before; only then
 * counts as seen what was newest at the beginning. What is updated meanwhile moves to the first page, which pushes the
 * others back and hides none; the next poll finds it.
 */
export const readPulls: ReadPage = async (context, repository, request, overlapSeconds) => {
  const place = toPlace(request);
  const from = minus(place.seen, overlapSeconds);
  const { page = 1 } = place;
  const query = { state: 'all', sort: 'updated', direction: 'desc', page };
  const isFirst = place.newest === undefined;
  const known = isFirst ? place.etag : undefined;
  const list = await readList(context, { repository, path: 'pulls', query, etag: known });
  if (list.isUnchanged) return { events: [], nextCursor: { ...place }, isComplete: true, progress: 1 };
  const times = list.items.map(updatedAt).filter((time) => time !== undefined);
  const newest = place.newest ?? times[0] ?? place.seen;
  const last = times.at(-1) ?? newest;
  const isComplete = !list.hasNext || last < from;
  const seen = newest > place.seen ? newest : place.seen;
  const etag = isFirst ? list.etag : place.etag;
  const next: Place = isComplete ? { seen } : { seen: place.seen, newest, page: page + 1 };
  return {
    events: [
      ...list.items.flatMap((pull) => toEvents(pull, repository, from)),
      ...list.odd.map((pull) => toOddEvent('pull_request', repository, { pull_request: pull })),
    ],
    nextCursor: { ...next, ...(etag && { etag }) } as Json,
    isComplete,
    progress: isComplete ? 1 : 1 - shareOf(last, request),
  };
};

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: toTime(since) };
}

function toEvents(pull: JsonObject, repository: string, from: string): readonly PolledEvent[] {
  const id = textAt(pull, 'id') ?? '';
  const name = textAt(pull, 'base', 'repo', 'full_name') ?? repository;
  const closedAt = happened(pull, 'closed_at', from);
  // The list does not tell who closed or merged it.
  return [
    ...(happened(pull, 'created_at', from)
      ? [toEvent('pull_request.opened', id, name, at(pull, 'user'), { pull_request: pull })]
      : []),
    ...(closedAt
      ? [toEvent('pull_request.closed', `${id}:${closedAt}`, name, undefined, { pull_request: pull })]
      : []),
  ];
}
