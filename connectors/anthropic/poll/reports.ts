import {
  type Json,
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  answeredAt,
  at,
  hashOf,
  isObject,
  listAt,
  textAt,
  timeAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { EARLIER } from '../version.js';

/** The largest page of days. */
const PAGE_SIZE = 31;
const DAY_MS = 86_400_000;
/** Usage shows within five minutes, and "delays may occasionally be longer". */
const SETTLED_MS = 60 * 60_000;

/** A report by days. */
export interface Report {
  readonly path: string;
  /** What a line of it is called. */
  readonly event: string;
  /** By which lines are told apart within a day. */
  readonly groupBy: readonly string[];
}

/** https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report */
export const usageReport: Report = {
  path: '/organizations/usage_report/messages',
  event: 'usage.messages',
  groupBy: ['workspace_id', 'model'],
};

/** https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report */
export const costReport: Report = {
  path: '/organizations/cost_report',
  event: 'cost.line',
  groupBy: ['workspace_id', 'description'],
};

/** Where a report is read on: the first day that is not told yet, and within a poll Anthropic's token of the next page. */
interface Place {
  readonly from: string;
  readonly page?: string;
}

/** A day is told when it has been over for an hour, by Anthropic's own clock; what is counted later is not told again. */
export async function pageOfReport(
  context: ProviderContext,
  report: Report,
  request: PollRequest,
): Promise<PollPage> {
  const { from, page } = toPlace(request);
  const response = await context.request({
    method: 'GET',
    path: report.path,
    query: { starting_at: from, bucket_width: '1d', 'group_by[]': report.groupBy, limit: PAGE_SIZE, page },
    // The version that the reports' pages name.
    headers: { 'anthropic-version': EARLIER },
  });
  const days = at(response.body, 'data');
  if (!Array.isArray(days) || !days.every(isDay)) {
    throw unexpectedAnswer(response, 'a report by days', { isAmbiguous: false });
  }
  const settled = (answeredAt(response) ?? request.now).getTime() - SETTLED_MS;
  const open = days.find((day) => endOf(day) > settled);
  const nextPage = at(response.body, 'has_more') === true ? textAt(response.body, 'next_page') : undefined;
  const next = textAt(open, 'starting_at') ?? textAt(days.at(-1), 'ending_at') ?? from;
  const place: Place = nextPage === undefined ? { from: next } : { from, page: nextPage };
  return {
    events: days.filter((day) => endOf(day) <= settled).flatMap((day) => toEvents(report, day)),
    nextCursor: { ...place } as Json,
    isComplete: nextPage === undefined,
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  if (isObject(cursor)) return cursor as unknown as Place;
  const start = since.getTime();
  return { from: new Date(start - (start % DAY_MS)).toISOString() };
}

function isDay(day: unknown): day is JsonObject {
  return timeAt(day, 'starting_at') !== undefined && timeAt(day, 'ending_at') !== undefined;
}

const endOf = (day: unknown): number => timeAt(day, 'ending_at')?.getTime() ?? Infinity;

function toEvents({ event: type, groupBy }: Report, day: JsonObject): readonly PolledEvent[] {
  const [starting_at, ending_at] = [textAt(day, 'starting_at'), textAt(day, 'ending_at')];
  return listAt(day, 'results')
    .filter(isObject)
    .map((data) => {
      // Null is the default workspace, and a cost that no line describes.
      const scope = groupBy.map((name) => textAt(data, name) ?? 'none').join('/');
      return {
        id: `${type}:${starting_at}:${hashOf(scope).slice(0, 32)}`,
        type,
        body: { type, starting_at, ending_at, scope, data },
      };
    });
}
