import {
  type Json,
  type JsonObject,
  type PollRequest,
  type PolledEvent,
  at,
  compact,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import {
  type ListPage,
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
  /** Between polls, where the last one was a single page: what was asked from, and what was answered. */
  readonly known?: { readonly from: string; readonly etag: string };
}

/** One of these lists, and what it has. */
interface Kind {
  readonly path: string;
  readonly state?: 'all';
  /** What something of it is called that can't be read. */
  readonly odd: (item: JsonObject) => readonly [type: string, subject: JsonObject];
  readonly toEvents: (item: JsonObject, repository: string, from: string) => readonly PolledEvent[];
}

/** https://docs.github.com/rest/issues/issues#list-repository-issues: pull requests are in it too, and left to their own list. */
export const readIssues = readerOf({
  path: 'issues',
  state: 'all',
  odd: (issue) => ['issues', { issue }],
  toEvents: toIssueEvents,
});

/** https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository: of issues and pull requests. */
export const readComments = readerOf({
  path: 'issues/comments',
  odd: (comment) => ['issue_comment', { comment }],
  toEvents: toCommentEvents,
});

/** https://docs.github.com/rest/pulls/comments#list-review-comments-in-a-repository: on lines of code. */
export const readReviewComments = readerOf({
  path: 'pulls/comments',
  odd: (comment) => ['pull_request_review_comment', { comment }],
  toEvents: toReviewCommentEvents,
});

/**
 * Pages are counted only as long as they are all of one second: what is updated meanwhile leaves its place for the end
 * of the list, and a count would skip what moves up.
 */
function readerOf({ path, state, odd, toEvents }: Kind): ReadPage {
  return async (context, repository, request, overlapSeconds) => {
    const place = toPlace(request);
    const from = place.from ?? minus(place.seen, overlapSeconds);
    const { since = from, page = 1, known } = place;
    const etag = known?.from === from ? known.etag : undefined;
    const query = { state, sort: 'updated', direction: 'asc', since, page };
    const list = await readList(context, { repository, path, query, etag });
    const last = list.items.map(updatedAt).at(-1) ?? since;
    const seen = last > place.seen ? last : place.seen;
    return {
      events: [
        ...list.items.flatMap((item) => toEvents(item, repository, from)),
        ...list.odd.map((item) => toOddEvent(odd(item)[0], repository, odd(item)[1])),
      ],
      nextCursor: { ...nextPlace(list, { place, from, since, page, last, seen }) } as Json,
      isComplete: !list.hasNext,
      progress: shareOf(seen, request),
    };
  };
}

interface Step extends Required<Pick<Place, 'from' | 'since' | 'page' | 'seen'>> {
  readonly place: Place;
  readonly last: string;
}

function nextPlace({ hasNext, etag }: ListPage, { place, from, since, page, last, seen }: Step): Place {
  if (hasNext)
    return { seen, from, ...(last > since ? { since: last, page: 1 } : { since, page: page + 1 }) };
  // Only what was asked from its very beginning, by one request, is the same request the next time.
  const isWhole = place.from === undefined && seen === place.seen;
  return isWhole && etag ? { seen, known: { from, etag } } : { seen };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: toTime(since) };
}

function toIssueEvents(issue: JsonObject, repository: string, from: string): readonly PolledEvent[] {
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
}

function toCommentEvents(comment: JsonObject, repository: string, from: string): readonly PolledEvent[] {
  if (!happened(comment, 'created_at', from)) return [];
  const id = textAt(comment, 'id') ?? '';
  const body = { comment, issue: issueOf(comment) };
  return [toEvent('issue_comment.created', id, fullName(comment, repository), at(comment, 'user'), body)];
}

function toReviewCommentEvents(
  comment: JsonObject,
  repository: string,
  from: string,
): readonly PolledEvent[] {
  if (!happened(comment, 'created_at', from)) return [];
  const id = textAt(comment, 'id') ?? '';
  const body = { comment, pull_request: pullOf(comment) };
  const name = fullName(comment, repository);
  return [toEvent('pull_request_review_comment.created', id, name, at(comment, 'user'), body)];
}

/** Of its pull request the list tells the address alone. */
function pullOf(comment: JsonObject): JsonObject {
  const number = /\/pulls\/(\d+)$/.exec(textAt(comment, 'pull_request_url') ?? '')?.[1];
  const [url = ''] = (textAt(comment, 'html_url') ?? '').split('#', 1);
  return compact({ number: number === undefined ? undefined : Number(number), html_url: url || undefined });
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
  const url =
    ['repository_url', 'issue_url', 'pull_request_url'].map((field) => textAt(item, field)).find(Boolean) ??
    '';
  return /\/repos\/([^/]+\/[^/]+)/.exec(url)?.[1] ?? repository;
}
