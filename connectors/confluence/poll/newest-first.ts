import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderRequest,
  type ProviderResponse,
  isObject,
  isProviderFailure,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import type { Site } from '../site.js';

/** Where a list is read on. Times are Confluence's own, RFC 3339 in UTC: our clock counts for the very first one only. */
export interface Place {
  /** What changed before then has been seen. */
  readonly seen: string;
  /** Within a poll: the newest on its first page, and Confluence's cursor to the next. */
  readonly newest?: string;
  readonly next?: string;
}

export interface List {
  readonly site: Site;
  readonly request: ProviderRequest;
  /** When an entry changed, by which the list is sorted. */
  readonly timeOf: (entry: JsonObject) => string | undefined;
  /** What happened to an entry from a moment on. */
  readonly toEvents: (entry: JsonObject, from: string) => readonly PolledEvent[];
}

/**
 * From the newest back to what was seen before; only then counts as seen what was newest at the beginning. What changes
 * meanwhile moves to the first page, pushes the others back and hides none; the next poll finds it.
 */
export async function readNewestFirst(
  { site, request: list, timeOf, toEvents }: List,
  request: PollRequest,
  overlapSeconds: number,
): Promise<PollPage> {
  const place = placeOf(request);
  const from = new Date(Date.parse(place.seen) - overlapSeconds * 1000).toISOString();
  const response = await read(site, list, place);
  // From the newest on it needs no cursor.
  if (!response) return { events: [], nextCursor: { seen: place.seen }, isComplete: false };
  const entries = entriesOf(response, timeOf);
  const times = entries.map((entry) => timeOf(entry) ?? '');
  const newest = place.newest ?? times[0] ?? place.seen;
  const next = nextOf(response);
  const last = times.at(-1) ?? from;
  const isComplete = next === undefined || last < from;
  const seen = newest > place.seen ? newest : place.seen;
  const nextCursor: Place = isComplete ? { seen } : { seen: place.seen, newest, next };
  return {
    events: entries.flatMap((entry) => toEvents(entry, from)),
    nextCursor: { ...nextCursor },
    isComplete,
    progress: isComplete ? 1 : 1 - shareOf(last, request),
  };
}

function placeOf({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

/** Undefined when Confluence does not know its own cursor any more. */
async function read(
  site: Site,
  list: ProviderRequest,
  { next }: Place,
): Promise<ProviderResponse | undefined> {
  try {
    return await site.request({ ...list, query: { ...list.query, cursor: next } });
  } catch (error) {
    const isRefused = isProviderFailure(error, { category: 'INVALID' });
    if (next === undefined || !isRefused) throw error;
    return undefined;
  }
}

function entriesOf(response: ProviderResponse, timeOf: List['timeOf']): readonly JsonObject[] {
  const { body } = response;
  const wanted = 'a list of what it was asked for';
  if (!isObject(body) || !Array.isArray(body['results']))
    throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
  return listAt(body, 'results').map((entry) => {
    if (isObject(entry) && textAt(entry, 'id') && timeOf(entry)) return entry;
    throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
  });
}

/** `_links.next` is a path; only its cursor is used, so an answer can't send us to another place. */
export function nextOf({ body }: ProviderResponse): string | undefined {
  const next = textAt(body, '_links', 'next');
  return next === undefined
    ? undefined
    : (new URLSearchParams(next.split('?')[1]).get('cursor') ?? undefined);
}

/** How far from `since` to now a time lies, 0 to 1. */
function shareOf(time: string, { since, now }: PollRequest): number {
  const span = now.getTime() - since.getTime();
  const share = span > 0 ? (Date.parse(time) - since.getTime()) / span : 1;
  return Math.min(1, Math.max(0, share));
}

/** In UTC and in full, so that the order of texts is the order of times. */
export function toUtc(time: string | undefined): string | undefined {
  const moment = new Date(time ?? Number.NaN);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}
