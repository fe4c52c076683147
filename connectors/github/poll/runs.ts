import {
  type Json,
  type JsonObject,
  type PollRequest,
  type PolledEvent,
  at,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { type ReadPage, happened, minus, readList, toEvent, toOddEvent, toTime, updatedAt } from './read.js';

const DAY_SECONDS = 86_400;
/** A run that takes longer, or is run again later, is told by webhooks alone: the list knows no order but that of creation. */
const LIFE_SECONDS = 3 * DAY_SECONDS;

/** Where the list of workflow runs is read on. It can be asked for a time of creation, and not for one of a change. */
interface Place {
  /** What was updated before then has been seen. */
  readonly seen: string;
  /** Within a poll: the latest change so far, and the page that comes next. */
  readonly latest?: string;
  readonly page?: number;
  /** Of the first page, as long as `seen` stays. */
  readonly etag?: string;
}

/**
 * https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository. GitHub shows at most 1,000 of them:
 * the newest. What is made meanwhile pushes the others back and hides none.
 */
export const readRuns: ReadPage = async (context, repository, request, overlapSeconds) => {
  const place = toPlace(request);
  const from = minus(place.seen, overlapSeconds);
  const { page = 1 } = place;
  const query = { created: `>=${minus(from, LIFE_SECONDS)}`, page };
  const isFirst = place.latest === undefined;
  const known = isFirst ? place.etag : undefined;
  const list = await readList(context, {
    repository,
    path: 'actions/runs',
    query,
    field: 'workflow_runs',
    etag: known,
  });
  if (list.isUnchanged) return { events: [], nextCursor: { ...place }, isComplete: true };
  const latest = [place.latest ?? place.seen, ...list.items.map((run) => updatedAt(run) ?? '')].reduce(later);
  const etag = isFirst ? list.etag : place.etag;
  const next: Place = list.hasNext ? { seen: place.seen, latest, page: page + 1 } : { seen: latest };
  // Another `seen` is another request.
  const keepsEtag = etag !== undefined && (list.hasNext || latest === place.seen);
  return {
    events: [
      ...list.items.flatMap((run) => toEvents(run, repository, from)),
      ...list.odd.map((run) => toOddEvent('workflow_run', repository, { workflow_run: run })),
    ],
    nextCursor: { ...next, ...(keepsEtag && { etag }) } as Json,
    isComplete: !list.hasNext,
  };
};

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: toTime(since) };
}

const later = (one: string, other: string): string => (one > other ? one : other);

/** When it began to run is not to be had afterwards: the list tells only the last change. */
function toEvents(run: JsonObject, repository: string, from: string): readonly PolledEvent[] {
  const key = `${textAt(run, 'id') ?? ''}:${textAt(run, 'run_attempt') ?? ''}`;
  const name = textAt(run, 'repository', 'full_name') ?? repository;
  const made = (type: string): PolledEvent =>
    toEvent(type, key, name, at(run, 'triggering_actor') ?? at(run, 'actor'), { workflow_run: run });
  const isCompleted = textAt(run, 'status') === 'completed';
  return [
    ...(happened(run, 'run_started_at', from) ? [made('workflow_run.requested')] : []),
    ...(isCompleted && happened(run, 'updated_at', from) ? [made('workflow_run.completed')] : []),
  ];
}
