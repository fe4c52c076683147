import {
  type Json,
  type JsonObject,
  type Poll,
  type PollRequest,
  type PolledEvent,
  at,
  isObject,
  textAt,
  timeAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** PagerDuty's largest page. */
const PAGE_SIZE = 100;
const DAY_MS = 86_400_000;
/** A range of more than six months is said to be refused, which is not verified: we stay below. */
const RANGE_MS = 150 * DAY_MS;
const SECOND_MS = 1000;

/** Where the list of incidents is read on, in order of creation. Times are PagerDuty's own, as RFC 3339 in UTC. */
interface Place {
  /** What was created before then has been seen. */
  readonly seen: string;
  /** Within a poll: where the next page begins. */
  readonly since?: string;
  readonly offset?: number;
}

/**
 * Incidents that were opened. What became of them is told by webhooks alone: the list shows how they are, and not when that
 * was in the words of a webhook.
 */
export const poll: Poll = {
  // A list may show things late.
  overlapSeconds: 120,

  streams: () => [{ name: 'incidents', title: 'Incidents' }],

  async page(context, request) {
    const place = toPlace(request);
    const since = place.since ?? moved(place.seen, -poll.overlapSeconds * SECOND_MS);
    const { offset = 0 } = place;
    const until = moved(since, RANGE_MS);
    const query = { since, until, sort_by: 'created_at:asc', limit: PAGE_SIZE, offset };
    const response = await context.request({ method: 'GET', path: '/incidents', query });
    const found = at(response.body, 'incidents');
    const more = at(response.body, 'more');
    if (!Array.isArray(found) || !found.every(isObject) || typeof more !== 'boolean') {
      throw unexpectedAnswer(response, 'a page of incidents', { isAmbiguous: false });
    }
    const last = found.flatMap(createdAt).at(-1) ?? since;
    const seen = later(place.seen, last);
    const isComplete = !more && request.now.toISOString() <= until;
    return {
      events: found.map(toEvent),
      nextCursor: { ...nextPlace({ more, since, offset, until, last, seen, isComplete }) } as Json,
      isComplete,
    };
  },
};

interface Step {
  readonly more: boolean;
  readonly since: string;
  readonly offset: number;
  readonly until: string;
  readonly last: string;
  readonly seen: string;
  readonly isComplete: boolean;
}

/**
 * Offsets end at 10,000, so pages are counted only within a second: else the next begins by time, a second early, as it is
 * not told whether `since` itself is within.
 */
function nextPlace({ more, since, offset, until, last, seen, isComplete }: Step): Place {
  if (isComplete) return { seen };
  if (!more) return { seen, since: until };
  const next = moved(last, -SECOND_MS);
  return next > since ? { seen, since: next } : { seen, since, offset: offset + PAGE_SIZE };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

const later = (one: string, other: string): string => (one > other ? one : other);

function moved(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

function createdAt(incident: JsonObject): readonly string[] {
  const time = timeAt(incident, 'created_at');
  return time ? [time.toISOString()] : [];
}

/** As a webhook would bring it, as far as the list tells: who opened it, it does not. */
function toEvent(incident: JsonObject): PolledEvent {
  const id = textAt(incident, 'id') ?? '';
  const type = 'incident.triggered';
  const event = {
    event_type: type,
    resource_type: 'incident',
    occurred_at: textAt(incident, 'created_at') ?? null,
    data: incident,
  };
  const problem = id ? undefined : 'PagerDuty listed an incident without an id.';
  return { id: `${type}:${id}`, type, body: { event }, ...(problem && { problem }) };
}
