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
/** OpenAI's largest page of days. */
const PAGE_SIZE = 31;

/** Where a report is read on, by the days that OpenAI counts: in epoch seconds, UTC. */
interface Place {
  readonly from: number;
  readonly page?: string;
}

/**
 * Days by model, with an admin key. The last day that the report names is still being counted, whatever our clock says:
 * it is told when another has followed it. https://platform.openai.com/docs/api-reference/usage
 */
export async function readUsage(
  context: ProviderContext,
  kind: string,
  request: PollRequest,
): Promise<PollPage> {
  const { from, page } = toPlace(request);
  const { items, hasMore, nextPage } = await readList(context, `/organization/usage/${kind}`, {
    start_time: from,
    bucket_width: '1d',
    group_by: 'model',
    limit: PAGE_SIZE,
    page,
  });
  const goesOn = hasMore && nextPage !== undefined;
  const open = goesOn ? undefined : items.at(-1);
  const next: Place = goesOn ? { from, page: nextPage } : { from: count(open, 'start_time') ?? from };
  return {
    events: items.filter((day) => day !== open).flatMap((day) => toEvents(kind, day)),
    nextCursor: { ...next } as Json,
    isComplete: !goesOn,
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  if (isObject(cursor)) return cursor as unknown as Place;
  const seconds = Math.floor(since.getTime() / 1000);
  return { from: seconds - (seconds % DAY_SECONDS) };
}

function toEvents(kind: string, day: JsonObject): readonly PolledEvent[] {
  const type = `usage.${kind}`;
  const [start, end] = [count(day, 'start_time'), count(day, 'end_time')];
  return listAt(day, 'results')
    .filter(isObject)
    .map((result) => {
      // All that a line was grouped by, also what a later version groups by.
      const scope = [textAt(result, 'model') ?? 'all', textAt(result, 'project_id') ?? 'all'].join('/');
      return {
        id: `${type}:${start}:${hashOf(scope).slice(0, 32)}`,
        type,
        body: { type, start_time: start, end_time: end, scope, data: result },
      };
    });
}
