import {
  type Json,
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  count,
  hashOf,
  isObject,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { readList } from './list.js';

const DAY_SECONDS = 86_400;
/** The largest page of days that all of the reports take. */
const PAGE_SIZE = 31;
/** How late a day is still counted is told nowhere. */
const SETTLED_SECONDS = 3600;

/** A report by days. */
interface Report {
  readonly path: string;
  /** What a line of it is called. */
  readonly event: string;
  /** By which lines are told apart within a day. */
  readonly groupBy: readonly string[];
}

/** https://platform.openai.com/docs/api-reference/usage */
function reportOf(kind: string): Report {
  if (kind === 'costs') {
    return { path: '/organization/costs', event: 'cost.line', groupBy: ['line_item', 'project_id'] };
  }
  return { path: `/organization/usage/${kind}`, event: `usage.${kind}`, groupBy: ['model'] };
}

/** Where a report is read on, by the days that OpenAI counts: in epoch seconds, UTC. */
interface Place {
  readonly from: number;
  readonly page?: string;
}

/** With an admin key. A day is told when it has been over for an hour, by OpenAI's own clock. */
export async function readReport(
  context: ProviderContext,
  kind: string,
  request: PollRequest,
): Promise<PollPage> {
  const { from, page } = toPlace(request);
  const report = reportOf(kind);
  const { items, hasMore, nextPage, answeredAt } = await readList(context, report.path, {
    start_time: from,
    bucket_width: '1d',
    group_by: report.groupBy,
    limit: PAGE_SIZE,
    page,
  });
  const settled = Math.floor((answeredAt ?? request.now).getTime() / 1000) - SETTLED_SECONDS;
  const open = items.find((day) => endOf(day) > settled);
  const isLast = !hasMore || nextPage === undefined;
  const next = count(open, 'start_time') ?? count(items.at(-1), 'end_time') ?? from;
  const place: Place = isLast ? { from: next } : { from, page: nextPage };
  return {
    events: items.filter((day) => endOf(day) <= settled).flatMap((day) => toEvents(report, day)),
    nextCursor: { ...place } as Json,
    isComplete: isLast,
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  if (isObject(cursor)) return cursor as unknown as Place;
  const seconds = Math.floor(since.getTime() / 1000);
  return { from: seconds - (seconds % DAY_SECONDS) };
}

const endOf = (day: JsonObject): number => count(day, 'end_time') ?? Infinity;

function toEvents({ event: type, groupBy }: Report, day: JsonObject): readonly PolledEvent[] {
  const [start, end] = [count(day, 'start_time'), count(day, 'end_time')];
  // Usage has always been named by its project too, which it is not grouped by.
  const named = groupBy.includes('project_id') ? groupBy : [...groupBy, 'project_id'];
  return listAt(day, 'results')
    .filter(isObject)
    .map((result) => {
      const scope = named.map((name) => textAt(result, name) ?? 'all').join('/');
      return {
        id: `${type}:${start}:${hashOf(scope).slice(0, 32)}`,
        type,
        body: { type, start_time: start, end_time: end, scope, data: result },
      };
    });
}
