import {
  type Json,
  type JsonObject,
  type Poll,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  at,
  compact,
  isObject,
  listAt,
  textAt,
  timeAt,
} from '../../src/connector/index.js';
import { POLL_COMMENTS, POLL_ISSUES } from './documents.js';
import { unexpectedAnswer } from './answer.js';
import { query } from './graphql.js';

/** What there is of each team, by the first word of a stream's name: `issues:ENG`. */
interface Kind {
  readonly title: string;
  readonly document: string;
  readonly field: string;
  /** Linear's name for it in events. */
  readonly type: string;
}

const kinds: Readonly<Record<string, Kind>> = {
  issues: { title: 'New issues', document: POLL_ISSUES, field: 'issues', type: 'Issue' },
  comments: { title: 'Comments', document: POLL_COMMENTS, field: 'comments', type: 'Comment' },
};

/**
 * Where a list is read on. In which order Linear lists things is not documented: so all pages are read before what was
 * newest counts as seen. Times are Linear's own; ours counts for the very first one only.
 */
interface Place {
  /** What was made before then has been seen. */
  readonly seen: string;
  /** Within a poll: where it began, the newest so far, and Linear's cursor. */
  readonly from?: string;
  readonly newest?: string;
  readonly after?: string;
}

/** New issues and comments of the teams that the settings name. README.md tells why not more. */
export const poll: Poll = {
  overlapSeconds: 120,

  streams: (settings) =>
    listAt(settings, 'teams').flatMap((team) =>
      Object.entries(kinds).map(([kind, { title }]) => ({
        name: `${kind}:${String(team)}`,
        title: `${title} of ${String(team)}`,
      })),
    ),

  async page(context, request) {
    const [name = '', team = ''] = request.stream.split(/:(.*)/s);
    const kind = kinds[name];
    if (!kind) throw new Error(`Linear has no stream ${request.stream}`);
    return readPage(context, kind, team, request);
  },
};

async function readPage(
  context: ProviderContext,
  kind: Kind,
  team: string,
  request: PollRequest,
): Promise<PollPage> {
  const place = toPlace(request);
  const from = place.from ?? minus(place.seen, poll.overlapSeconds);
  const data = await query(context, kind.document, { team, since: from, after: place.after });
  const { items, after } = itemsOf(data, kind.field);
  const newest = [place.newest ?? place.seen, ...items.map((item) => timeOf(item))].toSorted().at(-1) ?? from;
  const nextCursor: Place = after ? { seen: place.seen, from, newest, after } : { seen: newest };
  return {
    events: items.map((item) => toEvent(kind.type, item)),
    nextCursor: { ...nextCursor } as Json,
    isComplete: after === undefined,
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

/** Throws ProviderFailure for whatever is no list, or has a next page that nobody can ask for. */
function itemsOf(
  data: JsonObject,
  field: string,
): { items: readonly JsonObject[]; after: string | undefined } {
  const nodes = at(data, field, 'nodes');
  const hasNext = at(data, field, 'pageInfo', 'hasNextPage');
  const after = hasNext === true ? textAt(data, field, 'pageInfo', 'endCursor') : undefined;
  const isList = Array.isArray(nodes) && nodes.every((node) => isObject(node) && isThing(node));
  if (!isList || typeof hasNext !== 'boolean' || (hasNext && after === undefined)) {
    throw unexpectedAnswer({ status: 200 }, `a page of ${field}`, { isAmbiguous: false });
  }
  return { items: nodes as readonly JsonObject[], after };
}

const isThing = (node: JsonObject): boolean =>
  textAt(node, 'id') !== undefined && timeAt(node, 'createdAt') !== undefined;

const timeOf = (item: JsonObject): string => timeAt(item, 'createdAt')?.toISOString() ?? '';

function minus(time: string, seconds: number): string {
  return new Date(Date.parse(time) - seconds * 1000).toISOString();
}

/** An event as a webhook would bring it, as far as the list tells. */
function toEvent(type: string, item: JsonObject): PolledEvent {
  const { labels, creator, ...data } = item;
  const who = isObject(creator) ? creator : item['user'];
  const body = compact({
    action: 'create',
    type,
    createdAt: textAt(item, 'createdAt'),
    actor: isObject(who) ? who : undefined,
    data: compact({ ...data, labels: isObject(labels) ? listAt(labels, 'nodes') : undefined }),
    url: textAt(item, 'url'),
  });
  return { id: `${type}.create:${textAt(item, 'id') ?? ''}`, type: `${type}.create`, body };
}
