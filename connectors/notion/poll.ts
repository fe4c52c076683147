import {
  type JsonObject,
  type Poll,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderResponse,
  at,
  compact,
  isObject,
  isProviderFailure,
  listAt,
  textAt,
  timeAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { plainOf } from './rich-text.js';
import { requestOf } from './version.js';

const PAGE_SIZE = 100;
/** Notion tells times by the minute, and its search follows changes with a delay that it does not tell. */
const OVERLAP_SECONDS = 900;
const MINUTE_MS = 60_000;

/** Where the list is read on. Times are Notion's own: our clock counts for the very first one only. */
interface Place {
  /** What was edited before then has been seen. */
  readonly seen: string;
  /** Within a poll: the newest on its first page, and Notion's cursor to the next. */
  readonly newest?: string;
  readonly next?: string;
}

/** The pages that were shared with the integration, last edited first. https://developers.notion.com/reference/post-search */
export const poll: Poll = {
  overlapSeconds: OVERLAP_SECONDS,

  streams: ({ poll: wanted }) => (wanted === undefined ? [] : [{ name: 'pages', title: 'Pages' }]),

  async page(context, request) {
    const place = placeOf(request);
    const response = await search(requestOf(context), place);
    // From the newest on it needs no cursor.
    if (!response) return { events: [], nextCursor: { seen: place.seen }, isComplete: false };
    return pageOf(response, request, place, context.settings['poll'] === 'NEW_AND_EDITED_PAGES');
  },
};

function placeOf({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

/** Undefined when Notion does not know its own cursor any more. */
async function search(
  request: ReturnType<typeof requestOf>,
  { next }: Place,
): Promise<ProviderResponse | undefined> {
  try {
    return await request({
      method: 'POST',
      path: '/search',
      isRepeatable: true,
      body: compact({
        sort: { timestamp: 'last_edited_time', direction: 'descending' },
        filter: { property: 'object', value: 'page' },
        page_size: PAGE_SIZE,
        start_cursor: next,
      }),
    });
  } catch (error) {
    const isRefused = isProviderFailure(error, { category: 'INVALID' });
    if (next === undefined || !isRefused) throw error;
    return undefined;
  }
}

/**
 * From the newest back to what was seen before; only then counts as seen what was newest at the beginning. What is edited
 * meanwhile moves to the front and hides no other; the next poll finds it.
 */
function pageOf(
  response: ProviderResponse,
  request: PollRequest,
  place: Place,
  withEdits: boolean,
): PollPage {
  const from = new Date(Date.parse(place.seen) - OVERLAP_SECONDS * 1000).toISOString();
  const pages = pagesOf(response);
  const times = pages.map((page) => timeOf(page, 'last_edited_time'));
  const newest = place.newest ?? times[0] ?? place.seen;
  const next = at(response.body, 'has_more') === true ? textAt(response.body, 'next_cursor') : undefined;
  const isComplete = next === undefined || (times.at(-1) ?? '') < from;
  const seen = newest > place.seen ? newest : place.seen;
  const nextCursor: Place = isComplete ? { seen } : { seen: place.seen, newest, next };
  const isRecent = (page: JsonObject): boolean => timeOf(page, 'last_edited_time') >= from;
  const events = pages.filter(isRecent).flatMap((page) => eventsOf(page, request.since, withEdits));
  return { events, nextCursor: { ...nextCursor }, isComplete };
}

function pagesOf(response: ProviderResponse): readonly JsonObject[] {
  const { body } = response;
  const wanted = 'the pages it was asked for';
  if (!isObject(body) || !Array.isArray(body['results']))
    throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
  return listAt(body, 'results').map((page) => {
    const isWhole = textAt(page, 'id') && timeAt(page, 'created_time') && timeAt(page, 'last_edited_time');
    if (isObject(page) && isWhole) return page;
    throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
  });
}

/** In UTC and in full, so that the order of texts is the order of times. */
function timeOf(page: JsonObject, field: 'created_time' | 'last_edited_time'): string {
  return timeAt(page, field)?.toISOString() ?? '';
}

/** A page that was made and edited between two polls is both; what has been told already vanishes by its identity. */
function eventsOf(page: JsonObject, since: Date, withEdits: boolean): readonly PolledEvent[] {
  const [created, edited] = [timeOf(page, 'created_time'), timeOf(page, 'last_edited_time')];
  const begin = new Date(Math.floor(since.getTime() / MINUTE_MS) * MINUTE_MS).toISOString();
  return [
    ...(created >= begin ? [toEvent('page.created', page, created, 'created_by')] : []),
    ...(withEdits && edited > created ? [toEvent('page.edited', page, edited, 'last_edited_by')] : []),
  ];
}

/** As a webhook would bring it, as far as the list tells, and with what it tells beyond: title and address. */
function toEvent(
  type: string,
  page: JsonObject,
  timestamp: string,
  by: 'created_by' | 'last_edited_by',
): PolledEvent {
  const id = textAt(page, 'id') ?? '';
  const author = textAt(page, by, 'id');
  const { kind, parent } = parentOf(page);
  const body = compact({
    type,
    timestamp,
    authors: author === undefined ? [] : [{ id: author }],
    entity: { id, type: 'page' },
    data: { parent: compact({ id: parent, type: kind }) },
    page: compact({ url: textAt(page, 'url'), title: titleOf(page) }),
  });
  return { id: `${type}:${id}:${timestamp}`, type, body };
}

/** `{ type: 'page_id', page_id: … }`: webhooks write it as `{ type: 'page', id: … }`. */
function parentOf(page: JsonObject) {
  const type = textAt(page, 'parent', 'type');
  const parent = type && textAt(page, 'parent', type);
  return { kind: type === 'workspace' ? 'space' : type?.replace(/_id$/, ''), parent };
}

function titleOf(page: JsonObject): string | undefined {
  const properties = Object.values(isObject(page['properties']) ? page['properties'] : {});
  return plainOf(
    at(
      properties.find((property) => textAt(property, 'type') === 'title'),
      'title',
    ),
  );
}
