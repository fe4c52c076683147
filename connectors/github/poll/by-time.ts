import {
  type Json,
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  at,
  compact,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { type ReadPage, happened, minus, readList, shareOf, toEvent, toTime, updatedAt } from './read.js';

/**
 * Where a list that GitHub sorts by time, oldest first, is read on. Times are GitHub's own: our clock counts for the
 * very first one only.
 */
interface Place {
  /** What was updated before then has been seen. */
  readonly seen: string;
  /** Within a poll: where it began, and the page that comes next. */
  readonly from?: string;
  readonly since?: string;
  readonly page?: number;
}

/** https://docs.github.com/rest/issues/issues#list-repository-issues: pull requests are in it too, and left to their own list. */
export const readIssues: ReadPage = (context, repository, request, overlapSeconds) =>
  readByTime(request, overlapSeconds, toIssueEvents(repository), (since, page) =>
    readList(context, repository, 'issues', { state: 'all', ...ascending, since, page }),
  );

/** https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository: of issues and pull requests. */
export const readComments: ReadPage = (context, repository, request, overlapSeconds) =>
  readByTime(request, overlapSeconds, toCommentEvents(repository), (since, page) =>
    readList(context, repository, 'issues/comments', { ...ascending, since, page }),
  );

const ascending = { sort: 'updated', direction: 'asc' } as const;

/**
 * Pages are counted only as long as they are all of one second: what is updated meanwhile leaves its place for the end
 * of the list, and a count would skip what moves up.
 */
async function readByTime(
  request: PollRequest,
  overlapSeconds: number,
  toEvents: (item: JsonObject, from: string) => readonly PolledEvent[],
  read: (since: string, page: number) => ReturnType<typeof readList>,
): Promise<PollPage> {
  const place = toPlace(request);
  const from = place.from ?? minus(place.seen, overlapSeconds);
  const { since = from, page = 1 } = place;
  const { items, hasNext } = await read(since, page);
  const last = items.map(updatedAt).findLast((time) => time !== undefined) ?? since;
  const seen = last > place.seen ? last : place.seen;
  const next = last > since ? { since: last, page: 1 } : { since, page: page + 1 };
  const nextCursor: Place = hasNext ? { seen, from, ...next } : { seen };
  return {
    events: items.flatMap((item) => toEvents(item, from)),
    nextCursor: { ...nextCursor } as Json,
    isComplete: !hasNext,
    progress: shareOf(seen, request),
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: toTime(since) };
}

function toIssueEvents(repository: string) {
  return (issue: JsonObject, from: string): readonly PolledEvent[] => {
    if (isObject(at(issue, 'pull_request'))) return [];
    const name = fullName(issue, repository);
    const id = textAt(issue, 'id') ?? '';
    const closedAt = happened(issue, 'closed_at', from);
    return [
      ...(happened(issue, 'created_at', from)
        ? [toEvent('issues.opened', id, name, at(issue, 'user'), { issue })]
        : []),
      ...(closedAt
        ? [toEvent('issues.closed', `${id}:${closedAt}`, name, at(issue, 'closed_by'), { issue })]
        : []),
    ];
  };
}

function toCommentEvents(repository: string) {
  return (comment: JsonObject, from: string): readonly PolledEvent[] => {
    if (!happened(comment, 'created_at', from)) return [];
    const id = textAt(comment, 'id') ?? '';
    const body = { comment, issue: issueOf(comment) };
    return [toEvent('issue_comment.created', id, fullName(comment, repository), at(comment, 'user'), body)];
  };
}

/** The list names its issue by addresses alone; they tell its number, and whether it is a pull request. */
function issueOf(comment: JsonObject): JsonObject {
  const number = /\/issues\/(\d+)$/.exec(textAt(comment, 'issue_url') ?? '')?.[1];
  const [url = ''] = (textAt(comment, 'html_url') ?? '').split('#', 1);
  const isPull = /\/pull\/\d+$/.test(url);
  return compact({
    number: number === undefined ? undefined : Number(number),
    html_url: url || undefined,
    pull_request: isPull ? { html_url: url } : undefined,
  });
}

/** As GitHub writes it, which may differ in case from what somebody has entered. */
function fullName(item: JsonObject, repository: string): string {
  const url = textAt(item, 'repository_url') ?? textAt(item, 'issue_url') ?? '';
  return /\/repos\/([^/]+\/[^/]+)/.exec(url)?.[1] ?? repository;
}
